package flow

import (
	"context"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// protectionChange describes how stop-protection and resume-protection change the
// protection of a target: as a protected item, or as a backup instance.
type protectionChange struct {
	// verb and done name the steps, such as stop and stopped; what names the
	// change for people.
	verb, done, what string
	// treats selects the flow's column of the tables of states. A target in a state
	// of the treatment finished shows the change.
	treats func(treatments) treatment
	// item is the step that changes a protected item; confirm returns a note about
	// an item that shows the change, and unconfirmed why one that does not show it
	// is an error; nil waits.
	item        step.Step
	confirm     func(step.Call, recoveryservices.ProtectedItem) (note string, err error)
	unconfirmed func(recoveryservices.ProtectedItem) *operation.Error
	// instance is the step that changes a backup instance.
	instance step.Step
	// note is for an instance that shows the change.
	note string
	// record is the last step, which informs automatic protection.
	record step.Step
}

// steps returns the steps of the change.
func (p protectionChange) steps(a azure) []step.Step {
	confirmed, instanceConfirmed := "confirm-"+p.done, "confirm-instance-"+p.done
	return []step.Step{
		a.findTargetStep(with(a.findTarget)),
		a.readItemStep(),
		p.item,
		a.awaitOperation("await-"+p.verb, operationWait{retry: p.item.Name, job: "await-" + p.verb + "-job", gone: confirmed, what: p.what}),
		awaitJob("await-"+p.verb+"-job", jobWait{reader: a.serviceJob(itemVault), retry: p.item.Name}),
		{
			Name: confirmed, Effect: step.Read, Calls: []string{"ProtectedItems_Get"}, Asks: "reads the protected item until it is " + p.done,
			Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return p.confirmItem(ctx, c, a) },
		},
		a.readInstanceStep(),
		p.instance,
		a.awaitOperation("await-instance-"+p.verb, operationWait{retry: p.instance.Name, what: p.what}),
		{
			Name: instanceConfirmed, Effect: step.Read, Calls: []string{"BackupInstances_Get"}, Asks: "reads the backup instance until it is " + p.done,
			Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return p.confirmInstance(ctx, c, a) },
		},
		p.record,
	}
}

func (p protectionChange) confirmItem(ctx context.Context, c step.Call, a azure) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	by := p.treats(treatItem(item))
	if err := rejectedItem(item, by, c.Now); err != nil {
		return operation.Outcome{}, err
	}
	if by == finished {
		note, err := p.confirm(c, item)
		if err != nil {
			return operation.Outcome{}, err
		}
		return skipTo(p.record.Name, note), nil
	}
	if err := p.unconfirmed(item); err != nil {
		return operation.Outcome{}, err
	}
	return waitAtJobPace("the item is still " + item.ProtectionState), nil
}

func (p protectionChange) confirmInstance(ctx context.Context, c step.Call, a azure) (operation.Outcome, error) {
	instance, _, err := a.targetInstance(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	by := p.treats(treatInstance(instance))
	if err := rejectedInstance(instance, by); err != nil {
		return operation.Outcome{}, err
	}
	if by != finished {
		return waitAtJobPace("the instance is still " + instance.CurrentProtectionState), nil
	}
	return next(p.note), nil
}

// changeOfItem and changeOfInstance make the call of a change. They return an
// Outcome instead of a call if there is nothing to change.
type (
	changeOfItem     func(context.Context, step.Call, recoveryservices.ProtectedItem, treatment) (lro.Submission, *operation.Outcome, error)
	changeOfInstance func(context.Context, step.Call, dataprotection.InstanceID, treatment) (lro.Submission, *operation.Outcome, error)
)

// changeItem returns the function of a step that changes a protected item.
// treats selects the flow's column of the table of states.
func (a azure) changeItem(note string, treats func(treatments) treatment, change changeOfItem) run {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		item, err := a.foundItem(ctx, c)
		if err != nil {
			return operation.Outcome{}, err
		}
		by := treats(treatItem(item))
		if err := rejectedItem(item, by, c.Now); err != nil {
			return operation.Outcome{}, err
		}
		submitted, instead, err := change(ctx, c, item, by)
		if err == nil && instead != nil {
			return *instead, nil
		}
		return accepted(submitted, err, note)
	}
}

// changeInstance is changeItem for backup instances.
func (a azure) changeInstance(note string, treats func(treatments) treatment, change changeOfInstance) run {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		instance, id, err := a.targetInstance(ctx, c)
		if err != nil {
			return operation.Outcome{}, err
		}
		by := treats(treatInstance(instance))
		if err := rejectedInstance(instance, by); err != nil {
			return operation.Outcome{}, err
		}
		submitted, instead, err := change(ctx, c, id, by)
		if err == nil && instead != nil {
			return *instead, nil
		}
		return accepted(submitted, err, note)
	}
}

// nothingToDo continues with the named step instead of a call.
func nothingToDo(name, note string) (lro.Submission, *operation.Outcome, error) {
	out := skipTo(name, note)
	return lro.Submission{}, &out, nil
}
