package flow

import (
	"context"
	"slices"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// protectionChange describes how a flow changes the protection of a target: as a
// protected item, or as a backup instance.
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
	// itemDone and instanceDone, if set, decide whether the target shows the change,
	// in place of treats.
	itemDone     func(step.Call, recoveryservices.ProtectedItem) (note string, ok bool, err error)
	instanceDone func(step.Call, dataprotection.Instance) (note string, ok bool, err error)
	// itemChecks and instanceChecks run between the read and the change.
	itemChecks, instanceChecks []step.Step
	// record is the step that follows a confirmed change, such as the one that
	// informs automatic protection. Without a name, the change ends the operation.
	record step.Step
}

// steps returns the steps of the change.
func (p protectionChange) steps(a azure) []step.Step {
	all := append([]step.Step{a.findTargetStep(with(a.findTarget))}, ofItems(a.readItemStep())...)
	all = append(append(all, p.itemSteps(a)...), ofInstances(a.readInstanceStep())...)
	all = append(all, p.instanceSteps(a)...)
	if p.record.Name != "" {
		all = append(all, p.record)
	}
	return all
}

// itemSteps returns the steps that change a protected item that was read.
func (p protectionChange) itemSteps(a azure) []step.Step {
	confirmed := "confirm-" + p.done
	return ofItems(append(slices.Clone(p.itemChecks),
		p.item,
		a.awaitOperation("await-"+p.verb, operationWait{retry: p.item.Name, job: "await-" + p.verb + "-job", gone: confirmed, what: p.what}),
		awaitJob("await-"+p.verb+"-job", jobWait{reader: a.serviceJob(itemVault), retry: p.item.Name}),
		step.Step{
			Name: confirmed, Effect: step.Read, Calls: []string{"ProtectedItems_Get"}, Asks: "reads the protected item until it is " + p.done,
			Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return p.confirmItem(ctx, c, a) },
		})...)
}

// instanceSteps returns the steps that change a backup instance that was read.
func (p protectionChange) instanceSteps(a azure) []step.Step {
	return ofInstances(append(slices.Clone(p.instanceChecks),
		p.instance,
		a.awaitOperation("await-instance-"+p.verb, operationWait{retry: p.instance.Name, what: p.what}),
		step.Step{
			Name: "confirm-instance-" + p.done, Effect: step.Read, Calls: []string{"BackupInstances_Get"}, Asks: "reads the backup instance until it is " + p.done,
			Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return p.confirmInstance(ctx, c, a) },
		})...)
}

// confirmedWith continues after a confirmed change.
func (p protectionChange) confirmedWith(note string) operation.Outcome {
	if p.record.Name == "" {
		return finish(note)
	}
	return skipTo(p.record.Name, note)
}

func (p protectionChange) confirmItem(ctx context.Context, c step.Call, a azure) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if p.itemDone != nil {
		return p.confirmed(p.itemDone(c, item))(item.ProtectionState)
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
		return p.confirmedWith(note), nil
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
	if p.instanceDone != nil {
		return p.confirmed(p.instanceDone(c, instance))(instance.CurrentProtectionState)
	}
	by := p.treats(treatInstance(instance))
	if err := rejectedInstance(instance, by); err != nil {
		return operation.Outcome{}, err
	}
	if by != finished {
		return waitAtJobPace("the instance is still " + instance.CurrentProtectionState), nil
	}
	return p.confirmedWith(p.note), nil
}

// confirmed returns a function that continues if the target shows the change, and
// waits in its state otherwise.
func (p protectionChange) confirmed(note string, ok bool, err error) func(state string) (operation.Outcome, error) {
	return func(state string) (operation.Outcome, error) {
		switch {
		case err != nil:
			return operation.Outcome{}, err
		case !ok:
			return waitAtJobPace("the target is still " + state), nil
		}
		return p.confirmedWith(note), nil
	}
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
