package flow

import (
	"context"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// stopProtection stops backups and keeps the existing ones.
// Sources: ProtectedItems - Create Or Update with protectionState
// ProtectionStopped, Backup Instances - Stop Protection.
func (a azure) stopProtection() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "stop-protection", Version: 1, Item: targetKey,
			Summary:  "stop backups and keep the existing ones",
			Deadline: 12 * time.Hour,
			Check:    check(checkTarget),
			Steps: protectionChange{
				verb: "stop", done: "stopped", what: "stopping protection", treats: ofStop, note: stoppedNote,
				item: step.Step{
					Name: "stop-item", Effect: step.Repeatable, Run: a.changeItem("protection is being stopped", ofStop, a.stopItem),
					Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
					Asks:  "records the policy of the item, then writes the item with the state `ProtectionStopped`", Then: "an item that is already stopped continues with `confirm-stopped`",
				},
				confirm:     func(step.Call, recoveryservices.ProtectedItem) (string, error) { return stoppedNote, nil },
				unconfirmed: func(recoveryservices.ProtectedItem) *operation.Error { return nil },
				instance: step.Step{
					Name: "stop-instance", Effect: step.Repeatable, Run: a.changeInstance("protection is being stopped", ofStop, a.stopInstance),
					Calls: []string{"BackupInstances_Get", "BackupInstances_StopProtection"},
					Asks:  "stops the protection of the backup instance",
				},
				record: a.excludeStep(),
			}.steps(a),
		},
		Role:       roles.Protect,
		Parameters: targetParameters,
		Intro: "Stops backups and keeps the existing ones. It is done when the vault reports `ProtectionStopped`. The datasource is " +
			"excluded from automatic protection, so that no rule protects it again.",
		Examples: []Example{{
			File: "stop-protection", About: "file share testshare", Key: "stop-testshare", Deadline: "PT12H", Labels: team("files"),
			Parameters: Target{FileShare: exampleFileShare()}, Cost: "a file share",
			// The simulator writes a backup's end to its item two minutes late. A
			// share that is stopped before that would look protected again.
			After: []string{"backup-now-file-share", "backup-now-vm"},
		}},
	}
}

const stoppedNote = "protection is stopped; the backups are kept"

func ofStop(t treatments) treatment { return t.stop }

func (a azure) stopItem(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem, by treatment) (lro.Submission, *operation.Outcome, error) {
	if by == finished {
		return nothingToDo("confirm-stopped", "protection is already stopped")
	}
	if err := a.recordPolicy(ctx, c, item); err != nil {
		return lro.Submission{}, nil, err
	}
	submitted, err := a.recoveryServices(c).StopProtection(ctx, item)
	return submitted, nil, err
}

func (a azure) stopInstance(ctx context.Context, c step.Call, id dataprotection.InstanceID, by treatment) (lro.Submission, *operation.Outcome, error) {
	if by == finished {
		return nothingToDo("confirm-instance-stopped", "protection is already stopped")
	}
	submitted, err := a.dataProtection(c).StopProtection(ctx, id)
	return submitted, nil, err
}
