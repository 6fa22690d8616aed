package flow

import (
	"context"
	"fmt"
	"strconv"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// deleteInstanceSteps returns the steps that stop the protection of a backup
// instance and delete its backups. Source: Backup Instances - Delete.
func (a azure) deleteInstanceSteps() []step.Step {
	return []step.Step{
		a.readDeletedInstanceStep(),
		{
			Name: "read-recovery-points", Effect: step.Read, Run: a.readRecoveryPoints, Calls: []string{"RecoveryPoints_List"},
			Asks: "lists the recovery points of the instance",
		},
		{
			Name: "check-instance-vault", Effect: step.Read, Run: a.checkInstanceVault, Calls: []string{"BackupVaults_Get", "DppResourceGuardProxy_List"},
			Asks: "reads the vault, and the operations that its Resource Guard blocks", Then: "an immutable vault, or one whose Resource Guard blocks the deletion, is rejected",
		},
		{
			Name: "delete-instance", Effect: step.Idempotent, Run: a.deleteInstance,
			Calls: []string{"BackupInstances_Get", "RecoveryPoints_Get", "BackupInstances_Delete"},
			Asks:  "reads the instance and one of its recovery points, records the exclusion, then deletes the instance",
			Then:  "an instance that was protected again, or differently, is rejected and not deleted",
		},
		a.awaitOperation("await-instance-deletion", operationWait{retry: "delete-instance", what: "the deletion"}),
		{
			Name: "confirm-instance-gone", Effect: step.Read, Run: a.confirmInstanceGone, Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
			Asks: "reads the instance until it is gone or soft-deleted, and the deleted instances",
		},
	}
}

// readRecoveryPoints records one of the backups that are to be deleted, so that
// later steps can tell whether the instance is still the one that has it.
func (a azure) readRecoveryPoints(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	points, err := a.dataProtection(c).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	if err != nil {
		return operation.Outcome{}, err
	}
	var newest dataprotection.RecoveryPoint
	for _, point := range points {
		if newest.RecoveryPointID == "" || point.Time.After(newest.Time) {
			newest = point
		}
	}
	return learn(next(fmt.Sprintf("it has %d recovery points", len(points))), map[string]string{learnedRecoveryPoint: newest.RecoveryPointID}), nil
}

// checkInstanceVault rejects, before anything is sent, what an immutable vault or
// a Resource Guard would reject.
func (a azure) checkInstanceVault(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, err := a.dataProtection(c).GetVault(ctx, id.Vault)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case vault.Immutable():
		return operation.Outcome{}, vaultImmutable(vault.Name)
	case vault.ProtectedByResourceGuard:
		proxies, err := a.dataProtection(c).ListResourceGuardProxies(ctx, id.Vault)
		if err != nil {
			return operation.Outcome{}, err
		}
		if blocksDeletion(proxies, "/backupInstances/delete") {
			return operation.Outcome{}, resourceGuarded(vault.Name)
		}
	}
	out := next(afterDeletion(vault.SoftDeletes(), strconv.FormatFloat(vault.SoftDeleteRetentionDays, 'f', -1, 64)))
	if vault.SoftDeletes() {
		out = learn(out, map[string]string{learnedSoftDelete: "on"})
	}
	return out, nil
}

// learnedSoftDelete is "on" if the vault of an instance keeps what is deleted.
const learnedSoftDelete = "softDelete"

// maxLooksForDeleted is how often a vault with soft delete is read before an
// instance that it lists nowhere counts as gone.
const maxLooksForDeleted = 6

// deleteInstance reads the instance again and deletes it only if it is what was
// read before: a late deletion must not hit a server that was protected again.
func (a azure) deleteInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	if !a.Guardrails.Delete {
		return operation.Outcome{}, notAllowed("a deletion", settingDelete)
	}
	instance, id, err := a.targetInstance(ctx, c)
	if azerr.IsNotFound(err) {
		return skipTo("confirm-instance-gone", "the instance is already gone"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	known := c.Operation.Learned
	if !resourceid.Equal(instance.DatasourceID, known[learnedSource]) || !resourceid.Equal(instance.PolicyID, known[learnedPolicy]) {
		return operation.Outcome{}, changedSinceRead(instance.FriendlyName)
	}
	if treatInstance(instance).remove == finished {
		return skipTo("confirm-instance-gone", "the instance is already deleted"), nil
	}
	if point := known[learnedRecoveryPoint]; point != "" {
		_, err := a.dataProtection(c).GetRecoveryPoint(ctx, id, point)
		if azerr.IsNotFound(err) {
			return operation.Outcome{}, changedSinceRead(instance.FriendlyName)
		}
		if err != nil {
			return operation.Outcome{}, err
		}
	}
	if err := a.recordExclusion(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).DeleteInstance(ctx, id)
	return accepted(submitted, err, "the instance is being deleted")
}

// confirmInstanceGone waits until the instance is gone or soft-deleted. An
// instance that is soft-deleted is not gone, even if the list of deleted instances
// does not contain it yet.
func (a azure) confirmInstanceGone(ctx context.Context, c step.Call) (operation.Outcome, error) {
	instance, id, err := a.targetInstance(ctx, c)
	gone := azerr.IsNotFound(err)
	switch {
	case gone:
	case err != nil:
		return operation.Outcome{}, err
	case instance.CurrentProtectionState != dataprotection.StateSoftDeleted:
		return waitAtJobPace("the instance is still there, " + instance.CurrentProtectionState), nil
	}
	deleted, err := a.dataProtection(c).GetDeletedInstance(ctx, id)
	switch {
	case azerr.IsNotFound(err) && gone && c.Operation.Learned[learnedSoftDelete] != "" && c.Operation.Attempts < maxLooksForDeleted:
		return operation.Outcome{}, notYet("DeletedInstanceNotListed", "the vault has soft delete, but does not list the instance among the deleted ones yet")
	case azerr.IsNotFound(err) && gone:
		return learn(skipTo("exclude", "the instance and its backups are gone"), map[string]string{learnedEnd: "gone"}), nil
	case err != nil && !azerr.IsNotFound(err):
		return operation.Outcome{}, err
	}
	return learn(skipTo("exclude", "the instance is soft-deleted"+purgedOn(deleted.ScheduledPurgeTime)), map[string]string{learnedEnd: "soft-deleted"}), nil
}
