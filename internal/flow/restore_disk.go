package flow

import (
	"reflect"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreDisk restores a recovery point of a managed disk as a new disk.
type RestoreDisk struct {
	BackupInstanceID string        `json:"backupInstanceId"`
	RecoveryPoint    RecoveryPoint `json:"recoveryPoint"`
	// TargetDiskID is the disk that the restore creates. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow its resource group.
	TargetDiskID string `json:"targetDiskId"`
	RestoreOptions
}

func (p RestoreDisk) restoration() restoration {
	return restoration{
		instanceID: p.BackupInstanceID, types: []string{kinds.DatasourceDisk}, point: p.RecoveryPoint, tier: tierOperational,
		target: kinds.TargetDisk, targetID: p.TargetDiskID, location: p.Location, identityID: p.IdentityID,
	}
}

func (a azure) checkRestoreDisk(c *checks, p *RestoreDisk) {
	c.restoreOptions(p.BackupInstanceID, p.RestoreOptions)
	c.recoveryPoint(p.RecoveryPoint)
	if c.resource("targetDiskId", p.TargetDiskID, kinds.DatasourceDisk, kinds.NameOf(kinds.DatasourceDisk), wantResource(kinds.DatasourceDisk)) {
		c.allowed("targetDiskId", resourceid.GroupOf(p.TargetDiskID), allowsDisk(a.Guardrails, *p))
	}
}

// allowsDisk reports whether a restore may create the disk: an operator allows its
// resource group.
func allowsDisk(g Guardrails, p RestoreDisk) bool {
	return g.allowsGroup(resourceid.GroupOf(p.TargetDiskID))
}

func restoreDiskParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[RestoreDisk](),
		Fields: restoreFields().With(recoveryPointFields()).With(schema.Fields{
			"targetDiskId": {
				Required: true, Rule: schema.Matches(schema.ResourceID(kinds.DatasourceDisk)),
				Meaning: "resource ID of a disk that does not exist yet, in a resource group that is an allowed restore target",
			},
		}),
	}
}

func (a azure) restoreDisk() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-disk", Version: 1,
			Summary:  "restore a backup of a managed disk as a new disk, to the job's end",
			Guarded:  true,
			Deadline: 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreDisk),
			Steps:    restoreSteps(a, allowsDisk),
		},
		Role:       roles.Delete,
		Parameters: restoreDiskParameters,
		Intro: "Restores a snapshot of a managed disk as a new disk. " + onlyAllowedTargets + "the IDs of the resource groups in which restores may create disks. " +
			"Azure never overwrites a disk.",
		Notes: "`learned.restoreTarget` is the ID of the new disk. The vault's identity needs the role Disk Restore Operator on its resource group.",
		Examples: []Example{{
			File: "restore-disk", About: "datadisk1, as a new disk", Key: "restore-datadisk1", Deadline: "P1D", Labels: team("machines"),
			Cost: "a disk, as a new one",
			Parameters: RestoreDisk{
				BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleDisk), RecoveryPoint: RecoveryPoint{Latest: true},
				TargetDiskID: exampleRestoreGroup + "/providers/Microsoft.Compute/disks/datadisk1-restored",
			},
			After: []string{"backup-now-disk"},
		}},
	}
}
