package flow

import (
	"context"
	"slices"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// deleteItemSteps returns the steps that stop the protection of a protected item
// and delete its backups. Source: ProtectedItems - Delete.
func (a azure) deleteItemSteps() []step.Step {
	return []step.Step{
		{
			Name: "check-vault", Effect: step.Read, Run: a.checkVault, Calls: []string{"Vaults_Get", "ResourceGuardProxies_Get"},
			Asks: "reads the vault, and the operations that its Resource Guard blocks", Then: "an immutable vault, or one whose Resource Guard blocks the deletion, is rejected",
		},
		{
			Name: "delete-item", Effect: step.Idempotent, Run: a.deleteItem,
			Calls: []string{"ProtectedItems_Get", "BackupJobs_List", "ProtectedItems_Delete"},
			Asks:  "reads the item and the jobs that enabled protection since `read-item`, records the exclusion, then deletes the item",
			Then:  "an item that was protected again, or differently, is rejected and not deleted",
		},
		a.awaitOperation("await-deletion", operationWait{retry: "delete-item", job: "await-deletion-job", gone: "confirm-gone", what: "the deletion"}),
		awaitJob("await-deletion-job", jobWait{reader: a.serviceJob(itemVault), retry: "delete-item"}),
		{
			Name: "confirm-gone", Effect: step.Read, Run: a.confirmGone, Calls: []string{"ProtectedItems_Get"},
			Asks: "reads the item until it is gone or soft-deleted",
		},
	}
}

// checkVault rejects, before anything is sent, what an immutable vault or a
// Resource Guard would reject.
func (a azure) checkVault(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, err := a.recoveryServices(c).GetVault(ctx, id)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case vault.Immutable():
		return operation.Outcome{}, vaultImmutable(id.Name)
	case vault.ProtectedByResourceGuard():
		proxies, err := a.recoveryServices(c).ListResourceGuardProxies(ctx, id)
		if err != nil {
			return operation.Outcome{}, err
		}
		if blocksDeletion(proxies, "/protectedItems/delete") {
			return operation.Outcome{}, resourceGuarded(id.Name)
		}
	}
	return next(afterDeletion(vault.SoftDeletes(), vault.SoftDeleteRetentionDays)), nil
}

// deleteItem reads the item again and deletes it only if it is what was read
// before: a late deletion must not hit an item that was protected again.
func (a azure) deleteItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	if !a.Guardrails.Delete {
		return operation.Outcome{}, notAllowed("a deletion", settingDelete)
	}
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, c.Operation.Learned[learnedItem])
	if azerr.IsNotFound(err) || err == nil && treatItem(item).remove == finished {
		return skipTo("confirm-gone", "the item is already deleted"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	again, err := a.protectedAgain(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	known := c.Operation.Learned
	if again || !resourceid.Equal(item.SourceResourceID, known[learnedSource]) || !resourceid.Equal(item.PolicyID, known[learnedPolicy]) {
		return operation.Outcome{}, changedSinceRead(item.FriendlyName)
	}
	if err := a.recordExclusion(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.recoveryServices(c).DeleteProtectedItem(ctx, known[learnedItem])
	return accepted(submitted, err, "the item is being deleted")
}

// protectedAgain reports whether the item's protection was configured since this
// operation first read it: an item that was deleted and protected again has the
// same ID.
func (a azure) protectedAgain(ctx context.Context, c step.Call) (bool, error) {
	since, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedReadAt])
	if err != nil {
		return false, fatal("ItemUnknown", err.Error())
	}
	vault, err := itemVault(c)
	if err != nil {
		return false, err
	}
	start, end := a.jobWindow(c, since)
	jobs, err := a.recoveryServices(c).ListJobs(ctx, vault, recoveryservices.JobFilter{
		Operation: recoveryservices.OperationConfigureBackup, StartTime: start, EndTime: end,
	})
	if err != nil {
		return false, err
	}
	since = a.jobTime(since)
	return slices.ContainsFunc(jobs, func(j recoveryservices.Job) bool {
		return (j.StartTime.IsZero() || !j.StartTime.Before(since)) && ofItem(j, c.Operation.Learned) != otherItem
	}), nil
}

// confirmGone waits until the item is gone or soft-deleted.
func (a azure) confirmGone(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.recoveryServices(c).GetProtectedItem(ctx, c.Operation.Learned[learnedItem])
	switch {
	case azerr.IsNotFound(err):
		return learn(skipTo("exclude", "the item and its backups are gone"), map[string]string{learnedEnd: "gone"}), nil
	case err != nil:
		return operation.Outcome{}, err
	case treatItem(item).remove == finished:
		return learn(skipTo("exclude", "the item is soft-deleted"+purgedOn(purgeOf(item, c.Now))), map[string]string{learnedEnd: "soft-deleted"}), nil
	}
	return waitAtJobPace("the item is still there, " + item.ProtectionState), nil
}
