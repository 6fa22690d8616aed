package flow

import (
	"context"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// stopProtection stops backups and keeps what there is.
// Sources: ProtectedItems - Create Or Update with protectionState
// ProtectionStopped, Backup Instances - Stop Protection.
func (a azure) stopProtection() step.Flow {
	return step.Flow{
		Name: "stop-protection", Version: 1, Item: targetKey,
		Summary:  "stop backups and keep what there is",
		Deadline: 12 * time.Hour,
		Check:    checkTarget,
		Steps: []step.Step{
			{Name: "find-item", Effect: step.Read, Run: a.findTarget},
			{Name: "read-item", Effect: step.Read, Run: a.readTarget},
			{Name: "stop-item", Effect: step.Repeatable, Run: a.stopItem},
			a.awaitOperation("await-stop", awaited{retry: "stop-item", job: "await-stop-job", gone: "confirm-stopped", what: "stopping protection"}),
			awaitJob("await-stop-job", awaitedJob{read: a.serviceJob(itemVault), retry: "stop-item"}),
			{Name: "confirm-stopped", Effect: step.Read, Run: a.confirmStopped},
			{Name: "read-instance", Effect: step.Read, Run: a.readTargetInstance},
			{Name: "stop-instance", Effect: step.Repeatable, Run: a.stopInstance},
			a.awaitOperation("await-instance-stop", awaited{retry: "stop-instance", what: "stopping protection"}),
			{Name: "confirm-instance-stopped", Effect: step.Read, Run: a.confirmInstanceStopped},
			{Name: "exclude", Effect: step.Idempotent, Run: a.exclude},
		},
	}
}

func (a azure) stopItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	switch {
	case item.SoftDeleted:
		return operation.Outcome{}, usable(item)
	case item.ProtectionState == recoveryservices.StateProtectionStopped:
		return skipTo("confirm-stopped", "protection is stopped already"), nil
	}
	submitted, err := a.recoveryServices(c).StopProtection(ctx, item)
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "protection is being stopped"), nil
}

func (a azure) confirmStopped(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if item.ProtectionState != recoveryservices.StateProtectionStopped {
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the item is still " + item.ProtectionState}, nil
	}
	return skipTo("exclude", "protection is stopped; the backups are kept"), nil
}

// readTargetInstance reads what a backup instance is now.
func (a azure) readTargetInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	t, err := targetOf(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	instance, err := a.readInstance(ctx, c, t.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is "+instance.CurrentProtectionState), factsOfInstance(instance)), nil
}

func (a azure) stopInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	instance, id, err := a.targetInstance(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	switch instance.CurrentProtectionState {
	case dataprotection.StateProtectionStopped:
		return skipTo("confirm-instance-stopped", "protection is stopped already"), nil
	case dataprotection.StateSoftDeleted, dataprotection.StateSoftDeleting:
		return operation.Outcome{}, unusable(instance)
	}
	submitted, err := a.dataProtection(c).StopProtection(ctx, id)
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "protection is being stopped"), nil
}

// targetInstance reads the instance that an earlier step found.
func (a azure) targetInstance(ctx context.Context, c step.Call) (dataprotection.Instance, dataprotection.InstanceID, error) {
	id, err := foundInstance(c)
	if err != nil {
		return dataprotection.Instance{}, id, err
	}
	instance, err := a.dataProtection(c).GetInstance(ctx, id)
	return instance, id, err
}

func (a azure) confirmInstanceStopped(ctx context.Context, c step.Call) (operation.Outcome, error) {
	instance, _, err := a.targetInstance(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if instance.CurrentProtectionState != dataprotection.StateProtectionStopped {
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "the instance is still " + instance.CurrentProtectionState}, nil
	}
	return next("protection is stopped; the backups are kept"), nil
}
