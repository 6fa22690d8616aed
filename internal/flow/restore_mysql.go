package flow

import (
	"net/url"
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreMySQL restores a recovery point of a MySQL flexible server as files.
type RestoreMySQL struct {
	BackupInstanceID string        `json:"backupInstanceId"`
	RecoveryPoint    RecoveryPoint `json:"recoveryPoint"`
	// AsFiles is the target. The setting AZBACKUPFLOW_RESTORE_TARGETS must allow
	// the container.
	AsFiles AsFiles `json:"asFiles"`
	RestoreOptions
}

func (p RestoreMySQL) restoration() restoration {
	return restoration{
		instanceID: p.BackupInstanceID, types: []string{kinds.DatasourceMySQL}, point: p.RecoveryPoint, tier: tierVault,
		target: kinds.TargetContainer, targetID: p.AsFiles.ContainerURL, files: &p.AsFiles, location: p.Location, identityID: p.IdentityID,
	}
}

func (a azure) checkRestoreMySQL(c *checks, p *RestoreMySQL) {
	c.restoreOptions(p.BackupInstanceID, p.RestoreOptions)
	c.recoveryPoint(p.RecoveryPoint)
	c.asFiles(p.AsFiles, a.Guardrails)
}

// asFiles checks the target of a restore as files.
func (c *checks) asFiles(f AsFiles, guardrails Guardrails) {
	c.container("asFiles.containerUrl", f.ContainerURL, guardrails)
	c.sameContainer("asFiles.containerId", f.ContainerID, f.ContainerURL)
	c.restoreName("asFiles.prefix", f.Prefix, "the beginning of the files' names", maxFilePrefix)
}

// asFilesFields describe the target of a restore as files.
func asFilesFields() schema.Fields {
	return schema.Fields{
		"asFiles.containerUrl": {Required: true, Meaning: "URL of a blob container that is an allowed restore target, without a signature. The vault's identity writes to it", Rule: containerURLRule()},
		"asFiles.prefix":       {Required: true, Meaning: "beginning of the files' names, without `/`, `\\`, `?`, `#`, `%` and `..`", Rule: restoreNameRule(maxFilePrefix)},
		"asFiles.containerId":  {Meaning: "resource ID of the container; restores across subscriptions need it", Rule: schema.Matches(schema.ResourceID(blobContainerType))},
	}
}

func containerURLRule() schema.Object {
	return schema.Matches(schema.Fold("https://") + `[^/?#@]+/+[^/?#%\x00-\x1f\x7f]+/*`)
}

func allowsMySQL(g Guardrails, p RestoreMySQL) bool {
	container, err := url.Parse(p.AsFiles.ContainerURL)
	return err == nil && g.allowsContainer(container)
}

func restoreMySQLParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[RestoreMySQL](),
		Fields: restoreFields().With(recoveryPointFields()).With(asFilesFields()).With(schema.Fields{
			"asFiles": {Required: true, Meaning: "an object: the container that receives the files"},
		}),
	}
}

func (a azure) restoreMySQL() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-mysql", Version: 1,
			Summary:  "restore a backup of a MySQL flexible server as files, to the job's end",
			Guarded:  true,
			Deadline: 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreMySQL),
			Steps:    restoreSteps(a, allowsMySQL),
		},
		Role:       roles.Delete,
		Parameters: restoreMySQLParameters,
		Intro:      "Restores a recovery point of a MySQL flexible server as files. " + onlyAllowedTargets + "the URLs of blob containers.",
		Notes: "Two restores of one instance are distinguished by container and prefix. The vault's identity needs the role Storage Blob Data Contributor " +
			"on the storage account. Load the files into a server with the tools of MySQL.",
		Examples: []Example{{
			File: "restore-mysql", About: "mysqltestserver, as files", Key: "restore-mysqltestserver", Deadline: "P1D", Labels: team("databases"),
			Cost: "a server, as files",
			Parameters: RestoreMySQL{
				BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleMySQL), RecoveryPoint: RecoveryPoint{Latest: true},
				AsFiles: AsFiles{ContainerURL: exampleContainer, Prefix: "mysqltestserver-latest"},
			},
			After: []string{"backup-now-mysql"},
		}},
	}
}
