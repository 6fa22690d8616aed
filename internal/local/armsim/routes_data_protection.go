package armsim

import "net/http"

const (
	backupVaultPath = "backupVaults/*"
	instancePath    = backupVaultPath + "/backupInstances/*"
)

// dataProtectionHandlers returns the handlers of a path of
// Microsoft.DataProtection, by method.
func dataProtectionHandlers(pattern string) map[string]handler {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	switch pattern {
	case backupVaultPath:
		return map[string]handler{get: (*Simulator).readBackupVault}
	case backupVaultPath + "/backupResourceGuardProxies":
		return map[string]handler{get: (*Simulator).listResourceGuardProxies}
	case backupVaultPath + "/backupPolicies":
		return map[string]handler{get: (*Simulator).listBackupVaultPolicies}
	case backupVaultPath + "/backupPolicies/*":
		return map[string]handler{get: (*Simulator).readBackupVaultPolicy}
	case backupVaultPath + "/validateForBackup":
		return map[string]handler{post: (*Simulator).validateForBackup}
	case backupVaultPath + "/backupInstances":
		return map[string]handler{get: (*Simulator).listInstances}
	case instancePath:
		return map[string]handler{
			get: (*Simulator).readInstance, put: (*Simulator).configureInstance, del: (*Simulator).deleteInstance,
		}
	case instancePath + "/backup":
		return map[string]handler{post: (*Simulator).backUpInstance}
	case instancePath + "/recoveryPoints":
		return map[string]handler{get: (*Simulator).listRecoveryPoints}
	case instancePath + "/recoveryPoints/*":
		return map[string]handler{get: (*Simulator).readRecoveryPoint}
	case instancePath + "/validateRestore":
		return map[string]handler{post: (*Simulator).validateRestore}
	case instancePath + "/restore":
		return map[string]handler{post: (*Simulator).restoreInstance}
	case instancePath + "/stopProtection":
		return map[string]handler{post: (*Simulator).stopProtection}
	case instancePath + "/suspendBackups":
		return map[string]handler{post: (*Simulator).suspendBackups}
	case instancePath + "/resumeProtection":
		return map[string]handler{post: (*Simulator).resumeProtection}
	case instancePath + "/resumeBackups":
		return map[string]handler{post: (*Simulator).resumeBackups}
	case backupVaultPath + "/deletedBackupInstances":
		return map[string]handler{get: (*Simulator).listDeletedInstances}
	case backupVaultPath + "/deletedBackupInstances/*":
		return map[string]handler{get: (*Simulator).readDeletedInstance}
	case backupVaultPath + "/deletedBackupInstances/*/undelete":
		return map[string]handler{post: (*Simulator).undeleteInstance}
	case instancePath + "/findRestorableTimeRanges":
		return map[string]handler{post: (*Simulator).findRestorableTimeRanges}
	case backupVaultPath + "/backupJobs":
		return map[string]handler{get: (*Simulator).listInstanceJobs}
	case backupVaultPath + "/backupJobs/*":
		return map[string]handler{get: (*Simulator).readInstanceJob}
	case backupVaultPath + "/operationStatus/*", "locations/*/operationStatus/*", "locations/*/operationResults/*":
		return map[string]handler{get: (*Simulator).readInstanceOperation}
	}
	return nil
}

// dataProtectionVersions returns the api-versions of Microsoft.DataProtection
// that have the operations above, first the stable ones, then the previews.
// https://learn.microsoft.com/azure/templates/microsoft.dataprotection/allversions
func dataProtectionVersions() []string {
	return []string{
		"2021-01-01", "2021-07-01", "2022-01-01", "2022-03-01", "2022-04-01", "2022-05-01", "2022-12-01",
		"2023-01-01", "2023-05-01", "2023-11-01", "2023-12-01", "2024-03-01", "2024-04-01", "2025-01-01", "2025-02-01", "2025-07-01", "2025-09-01",
		"2021-02-01-preview", "2021-06-01-preview", "2021-10-01-preview", "2021-12-01-preview",
		"2022-02-01-preview", "2022-03-31-preview", "2022-09-01-preview", "2022-10-01-preview", "2022-11-01-preview",
		"2023-04-01-preview", "2023-06-01-preview", "2023-08-01-preview", "2024-02-01-preview",
	}
}
