package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// deleteInstanceSteps stop the protection of a backup instance and delete its
// backups. Source: Backup Instances - Delete.
func (a azure) deleteInstanceSteps() []step.Step {
	return []step.Step{
		{Name: "read-instance", Effect: step.Read, Run: a.readTargetInstance},
		{Name: "read-recovery-points", Effect: step.Read, Run: a.readRecoveryPoints},
		{Name: "check-instance-vault", Effect: step.Read, Run: a.checkInstanceVault},
		{Name: "delete-instance", Effect: step.Idempotent, Run: a.deleteInstance},
		a.awaitOperation("await-instance-deletion", awaited{retry: "delete-instance", what: "the deletion"}),
		{Name: "confirm-instance-gone", Effect: step.Read, Run: a.confirmInstanceGone},
	}
}

// targetOf reads the target that Check normalised.
func targetOf(c step.Call) (t Target, err error) {
	if err := json.Unmarshal(c.Operation.Parameters, &t); err != nil {
		return t, fatal("ParametersUnreadable", err.Error())
	}
	return t, nil
}

// readRecoveryPoints notes one of the backups that are to be deleted, to tell
// later whether the instance still is the one that has them.
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

// checkInstanceVault refuses, in words and before anything is tried, what an
// immutable vault or a Resource Guard would refuse.
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
		return operation.Outcome{}, immutable(vault.Name)
	case vault.ProtectedByResourceGuard:
		return operation.Outcome{}, guarded(vault.Name)
	}
	return next(afterDeletion(vault.SoftDeletes(), strconv.FormatFloat(vault.SoftDeleteRetentionDays, 'f', -1, 64))), nil
}

// deleteInstance reads the instance once more and deletes it only if it is what
// was read before: a delete that comes late must not hit a server that was
// protected anew.
func (a azure) deleteInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	if !a.Guardrails.Delete {
		return operation.Outcome{}, withdrawn("deleting", settingDelete)
	}
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	if isNotFound(err) {
		return skipTo("confirm-instance-gone", "the instance is gone already"), nil
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	known := c.Operation.Learned
	if !resourceid.Equal(instance.DatasourceID, known[learnedSource]) || !resourceid.Equal(instance.PolicyID, known[learnedPolicy]) {
		return operation.Outcome{}, changedMeanwhile(instance.FriendlyName)
	}
	if instance.CurrentProtectionState == dataprotection.StateSoftDeleted || instance.CurrentProtectionState == dataprotection.StateSoftDeleting {
		return skipTo("confirm-instance-gone", "the instance is deleted already"), nil
	}
	if point := known[learnedRecoveryPoint]; point != "" {
		_, err := a.dataProtection(c).GetRecoveryPoint(ctx, id, point)
		if isNotFound(err) {
			return operation.Outcome{}, changedMeanwhile(instance.FriendlyName)
		}
		if err != nil {
			return operation.Outcome{}, err
		}
	}
	if err := a.excludeFirst(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).DeleteInstance(ctx, id)
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "the instance is being deleted"), nil
}

// confirmInstanceGone ends only when the instance is gone or soft-deleted, and
// says which.
func (a azure) confirmInstanceGone(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	switch {
	case isNotFound(err):
	case err != nil:
		return operation.Outcome{}, err
	case instance.CurrentProtectionState != dataprotection.StateSoftDeleted:
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the instance is still there, " + instance.CurrentProtectionState}, nil
	}
	deleted, err := a.dataProtection(c).GetDeletedInstance(ctx, id)
	switch {
	case isNotFound(err):
		return learn(skipTo("exclude", "the instance and its backups are gone"), map[string]string{learnedEnd: "gone"}), nil
	case err != nil:
		return operation.Outcome{}, err
	}
	return learn(skipTo("exclude", fmt.Sprintf("the instance is soft-deleted; its backups are kept until %s", deleted.ScheduledPurgeTime.UTC().Format("2006-01-02"))),
		map[string]string{learnedEnd: "soft-deleted"}), nil
}
