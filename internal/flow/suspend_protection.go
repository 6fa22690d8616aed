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

// suspendProtection stops backups and lets the existing ones expire.
// Sources: ProtectedItems - Create Or Update with protectionState
// BackupsSuspended, Backup Instances - Suspend Backups.
func (a azure) suspendProtection() Definition {
	const suspended = "backups are suspended; the existing ones expire by the policy"
	return Definition{
		Flow: step.Flow{
			Name: "suspend-protection", Version: 1, Item: targetKey,
			Summary:  "stop backups and let the existing ones expire by the policy",
			Deadline: 12 * time.Hour,
			// Every backup expires in the end, so this deletes them.
			Guarded: true,
			Check:   check(checkTarget),
			Steps: protectionChange{
				verb: "suspend", done: "suspended", what: "suspending backups", treats: ofSuspend, note: suspended,
				item: step.Step{
					Name: "suspend-item", Effect: step.Repeatable, Run: a.changeItem("backups are being suspended", ofSuspend, a.suspendItem),
					Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
					Asks:  "records the policy of the item, then writes the item with the state `BackupsSuspended`", Then: "an item that is already suspended continues with `confirm-suspended`",
				},
				confirm:     func(step.Call, recoveryservices.ProtectedItem) (string, error) { return suspended, nil },
				unconfirmed: func(recoveryservices.ProtectedItem) *operation.Error { return nil },
				instance: step.Step{
					Name: "suspend-instance", Effect: step.Repeatable, Run: a.changeInstance("backups are being suspended", ofSuspend, a.suspendInstance),
					Calls: []string{"BackupInstances_Get", "BackupInstances_SuspendBackups"},
					Asks:  "suspends the backups of the instance", Then: "one that is already suspended continues with `confirm-instance-suspended`",
				},
				record: a.excludeStep(),
			}.steps(a),
		},
		Role:       roles.Delete,
		Parameters: targetParameters,
		Intro: "Stops backups and lets the existing ones expire as the policy says. It is done when the vault reports `BackupsSuspended`. The " +
			"datasource is excluded from automatic protection. To keep the backups without expiry, use `stop-protection`.",
		Notes: "The existing backups expire one after the other, so the flow is guarded: over HTTP it needs the app role `Operations.Restore`; see " +
			"[security.md](security.md). The flow `resume-protection` starts the backups again.",
		Examples: []Example{{
			File: "suspend-protection", About: "pgflextestserver", Key: "suspend-pgflextestserver", Deadline: "PT12H", Labels: team("databases"),
			Cost:       "a server",
			Parameters: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleServer)},
			After:      []string{"change-policy"},
		}},
	}
}

func ofSuspend(t treatments) treatment { return t.suspend }

// suspendItem records the policy first: Azure forgets it.
func (a azure) suspendItem(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem, by treatment) (lro.Submission, *operation.Outcome, error) {
	if by == finished {
		return nothingToDo("confirm-suspended", "backups are already suspended")
	}
	if err := a.recordPolicy(ctx, c, item); err != nil {
		return lro.Submission{}, nil, err
	}
	submitted, err := a.recoveryServices(c).SuspendBackups(ctx, item)
	return submitted, nil, err
}

func (a azure) suspendInstance(ctx context.Context, c step.Call, id dataprotection.InstanceID, by treatment) (lro.Submission, *operation.Outcome, error) {
	if by == finished {
		return nothingToDo("confirm-instance-suspended", "backups are already suspended")
	}
	submitted, err := a.dataProtection(c).SuspendBackups(ctx, id)
	return submitted, nil, err
}
