package armsim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// apiVersion matches an api-version.
var apiVersion = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)

// handler serves one API operation. It is called with the lock held.
type handler func(*Simulator, *call) (answer, *armError)

const (
	vaultPath     = "vaults/*"
	fabricPath    = vaultPath + "/backupFabrics/*"
	containerPath = fabricPath + "/protectionContainers/*"
	itemPath      = containerPath + "/protectedItems/*"
)

// handlerFor returns the handler of a method and path. pathKnown is set if the
// path exists with any method.
func handlerFor(method string, p route) (h handler, pathKnown bool) {
	var byMethod map[string]handler
	switch pattern := p.pattern(); p.provider {
	case recoveryServices:
		byMethod = recoveryServicesHandlers(pattern)
	case dataProtection:
		byMethod = dataProtectionHandlers(pattern)
	case storageProvider:
		byMethod = storageHandlers(p)
	case computeProvider:
		byMethod = machineHandlers(p)
	case postgreSQL:
		byMethod = postgreSQLHandlers(p)
	case resourcesProvider:
		byMethod = map[string]handler{http.MethodGet: (*Simulator).listAllResources}
	}
	if len(byMethod) == 0 {
		byMethod = resourceHandlers(p)
	}
	return byMethod[method], len(byMethod) > 0
}

// machineHandlers returns the handlers of virtual machines and disks of
// Microsoft.Compute, by method.
func machineHandlers(p route) map[string]handler {
	switch p.pattern() {
	case "virtualMachines":
		return map[string]handler{http.MethodGet: (*Simulator).listMachines}
	case "virtualMachines/*":
		return map[string]handler{http.MethodGet: (*Simulator).readMachine}
	case "disks":
		return map[string]handler{http.MethodGet: (*Simulator).listDisks}
	case "disks/*":
		return map[string]handler{http.MethodGet: (*Simulator).readDisk, http.MethodPatch: (*Simulator).tagDisk, http.MethodDelete: (*Simulator).removeDisk}
	}
	return nil
}

// recoveryServicesHandlers returns the handlers of a path of
// Microsoft.RecoveryServices, by method.
func recoveryServicesHandlers(pattern string) map[string]handler {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	switch pattern {
	case vaultPath:
		return map[string]handler{get: (*Simulator).readVault}
	case vaultPath + "/backupResourceGuardProxies":
		return map[string]handler{get: (*Simulator).listResourceGuardProxies}
	case vaultPath + "/backupPolicies":
		return map[string]handler{get: (*Simulator).listPolicies}
	case vaultPath + "/backupPolicies/*":
		return map[string]handler{get: (*Simulator).readPolicy}
	case fabricPath + "/refreshContainers":
		return map[string]handler{post: (*Simulator).refreshContainers}
	case fabricPath + "/protectableContainers":
		return map[string]handler{get: (*Simulator).listProtectableContainers}
	case vaultPath + "/backupProtectionContainers":
		return map[string]handler{get: (*Simulator).listContainers}
	case containerPath:
		return map[string]handler{
			get: (*Simulator).readContainer, put: (*Simulator).registerContainer, del: (*Simulator).unregisterContainer,
		}
	case containerPath + "/inquire":
		return map[string]handler{post: (*Simulator).inquire}
	case vaultPath + "/backupProtectableItems":
		return map[string]handler{get: (*Simulator).listProtectableItems}
	case vaultPath + "/backupProtectedItems":
		return map[string]handler{get: (*Simulator).listProtectedItems}
	case itemPath:
		return map[string]handler{
			get: (*Simulator).readItem, put: (*Simulator).protectItem, del: (*Simulator).unprotectItem,
		}
	case itemPath + "/backup":
		return map[string]handler{post: (*Simulator).backUp}
	case itemPath + "/recoveryPoints":
		return map[string]handler{get: (*Simulator).listItemRecoveryPoints}
	case itemPath + "/recoveryPoints/*":
		return map[string]handler{get: (*Simulator).readItemRecoveryPoint}
	case itemPath + "/recoveryPoints/*/restore":
		return map[string]handler{post: (*Simulator).restoreItem}
	case containerPath + "/items":
		return map[string]handler{get: (*Simulator).listWorkloadItems}
	case fabricPath + "/backupProtectionIntent/*":
		return map[string]handler{put: (*Simulator).autoProtect}
	case vaultPath + "/backupProtectionIntents":
		return map[string]handler{get: (*Simulator).listIntents}
	case "locations/*/backupStatus":
		return map[string]handler{post: (*Simulator).backupStatus}
	case vaultPath + "/backupJobs":
		return map[string]handler{get: (*Simulator).listJobs}
	case vaultPath + "/backupJobs/*":
		return map[string]handler{get: (*Simulator).readJob}
	case vaultPath + "/backupJobs/*/cancel":
		return map[string]handler{post: (*Simulator).cancelJob}
	case vaultPath + "/backupOperations/*", vaultPath + "/backupOperationResults/*",
		vaultPath + "/backupJobs/*/operationResults/*",
		fabricPath + "/operationResults/*", fabricPath + "/operationsStatus/*",
		containerPath + "/operationResults/*", containerPath + "/operationsStatus/*",
		itemPath + "/operationResults/*", itemPath + "/operationsStatus/*":
		return map[string]handler{get: (*Simulator).readOperation}
	}
	return nil
}

// supportedVersions returns the api-versions of Recovery Services backup that
// have the operations above: the stable ones from 2016-12-01 to 2025-02-01
// (2017-07-01 is stable but has none of them), and the previews, which some
// clients use: the Azure CLI 2.45 uses 2022-09-01-preview.
// https://learn.microsoft.com/azure/templates/microsoft.recoveryservices/allversions
func supportedVersions() []string {
	return []string{
		"2016-12-01", "2019-05-13", "2019-06-15", "2020-10-01", "2020-12-01",
		"2021-01-01", "2021-02-10", "2021-03-01", "2021-04-01", "2021-06-01", "2021-07-01", "2021-08-01", "2021-10-01", "2021-12-01",
		"2022-01-01", "2022-02-01", "2022-03-01", "2022-04-01", "2022-09-01", "2022-10-01",
		"2023-01-01", "2023-02-01", "2023-04-01", "2023-06-01", "2023-08-01",
		"2024-01-01", "2024-02-01", "2024-04-01", "2024-10-01", "2025-01-01", "2025-02-01",
		previewVersion, "2021-02-01-preview", "2022-06-01-preview", "2022-09-01-preview", "2022-09-30-preview",
		"2024-04-30-preview", "2024-07-30-preview", "2024-11-01-preview", "2025-02-28-preview",
	}
}

// checkVersion rejects a request without a known api-version. Signed polls only
// need a valid signature: their api-version may be a preview version, or inside
// another parameter (recorded).
func (s *Simulator) checkVersion(c *call) *armError {
	if c.path.isPoll() {
		if err := s.signer.check(c.r.URL, s.config.RequireSignedPolls); err != nil {
			return err
		}
		if c.query.Get("s") != "" {
			return nil
		}
	}
	if c.apiVersion == "" {
		return &armError{
			status: http.StatusBadRequest, code: "MissingApiVersionParameter",
			message: "The api-version query parameter (?api-version=) is required for all requests.",
		}
	}
	var supported []string
	switch c.path.provider {
	case recoveryServices:
		supported = supportedVersions()
	case dataProtection:
		supported = dataProtectionVersions()
	default:
		if apiVersion.MatchString(c.apiVersion) {
			return nil
		}
	}
	if slices.Contains(supported, c.apiVersion) {
		return nil
	}
	return &armError{
		status: http.StatusBadRequest, code: "NoRegisteredProviderFound",
		message: "No registered resource provider found for location 'westeurope' and API version '" + c.apiVersion +
			"' for type '" + strings.Join(c.path.types, "/") + "'. The supported api-versions are '" + strings.Join(supported, ", ") + "'.",
	}
}
