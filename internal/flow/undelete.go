package flow

import (
	"context"
	"reflect"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// Undelete brings back a soft-deleted protected item or backup instance.
type Undelete struct {
	ResumeProtection
	// Resume also resumes the protection.
	Resume bool `json:"resume,omitempty"`
}

func checkUndelete(c *checks, p *Undelete) {
	checkResumeProtection(c, &p.ResumeProtection)
	if p.Policy != "" && !p.Resume {
		c.add("policy", "is set, but resume is not", "resume set to true, or no policy")
	}
}

func undeleteParameters() schema.Parameters {
	s := resumeParameters()
	s.Type = reflect.TypeFor[Undelete]()
	s.Fields = s.Fields.With(schema.Fields{"resume": {Meaning: "`true`: also resume the protection. Default: the backups are kept and no new ones are made"}})
	s.Rules["allOf"] = []schema.Object{{"if": schema.Given("policy"), "then": schema.Is("resume", true)}}
	return s
}

// undelete brings back what was soft-deleted.
// Sources: ProtectedItems - Create Or Update with isRehydrate, Deleted Backup
// Instances - Undelete.
func (a azure) undelete() Definition {
	resume := a.resumeChange()
	resumes := whose(func(p Undelete) bool { return p.Resume })
	steps := append([]step.Step{a.findTargetStep(with(a.findTarget))}, ofItems(a.readItemStep())...)
	steps = append(append(steps, a.undeleteChange().itemSteps(a)...), ofInstances(a.readUndeletedStep())...)
	steps = append(append(steps, a.undeleteChange().instanceSteps(a)...), a.chooseResumeStep())
	steps = append(steps, onlyIf(resumes, append(append(resume.itemSteps(a), resume.instanceSteps(a)...), resume.record)...)...)
	return Definition{
		Flow: step.Flow{
			Name: "undelete", Version: 1, Item: targetKey,
			Summary:    "bring back a soft-deleted protected item or backup instance with its backups, and resume its protection on request",
			Deadline:   24 * time.Hour,
			Priority:   operation.PriorityProtect,
			Check:      check(checkUndelete),
			GuardedFor: a.resumeIsGuarded(check(checkUndelete)),
			Steps:      steps,
		},
		Role:       roles.Protect,
		Parameters: undeleteParameters,
		Intro: "Brings back a protected item or a backup instance that was deleted and that the vault still keeps. Azure brings it back as " +
			"`ProtectionStopped`; with `resume`, the flow then resumes its protection. An item that is not soft-deleted is left as it is.",
		Notes: "Without `resume`, the datasource stays excluded from automatic protection. A policy is treated as by `resume-protection`.",
		Examples: []Example{{
			File: "undelete", About: "empdb11", Key: "undelete-empdb11", Deadline: "P1D", Labels: team("databases"),
			Cost:       "a database, and its protection resumed",
			Parameters: Undelete{ResumeProtection: ResumeProtection{Target: Target{BackupInstanceID: exampleInstance}}, Resume: true},
			After:      []string{"delete-protection"},
		}},
	}
}

// undeleteChange describes how a deletion is undone.
func (a azure) undeleteChange() protectionChange {
	return protectionChange{
		verb: "undelete", done: "undeleted", what: "undoing the deletion",
		item: step.Step{
			Name: "undelete-item", Effect: step.Repeatable, Run: a.undeleteItem,
			Calls: []string{"ProtectedItems_Get", "ProtectedItems_CreateOrUpdate"},
			Asks:  "writes the item as restored from its deletion", Then: "an item that is not soft-deleted continues with `choose-resume`",
		},
		itemDone: func(_ step.Call, i recoveryservices.ProtectedItem) (string, bool, error) {
			return "the item and its backups are back", !i.SoftDeleted, nil
		},
		instance: step.Step{
			Name: "undelete-instance", Effect: step.Repeatable, Run: a.undeleteInstance, Calls: []string{"DeletedBackupInstances_Undelete"},
			Asks: "undoes the deletion of the backup instance", Then: "Azure usually answers at once, without an operation to follow",
		},
		instanceDone: func(_ step.Call, i dataprotection.Instance) (string, bool, error) {
			return "the backup instance and its backups are back", treatInstance(i).remove != finished, nil
		},
		record: a.chooseResumeStep(),
	}
}

// readUndeletedStep returns the step that reads the soft-deleted instance.
func (a azure) readUndeletedStep() step.Step {
	return step.Step{
		Name: "read-instance", Effect: step.Read, Run: with(a.readUndeleted), Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
		Asks: "reads the backup instance among the deleted ones", Then: "one that is not deleted continues with `choose-resume`",
	}
}

func (a azure) readUndeleted(ctx context.Context, c step.Call, p Undelete) (operation.Outcome, error) {
	id, err := dataprotection.ParseInstanceID(p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	deleted, err := a.dataProtection(c).GetDeletedInstance(ctx, id)
	switch {
	case azerr.IsNotFound(err):
		live, err := a.readInstance(ctx, c, p.BackupInstanceID)
		if err != nil {
			return operation.Outcome{}, err
		}
		return learn(skipTo("choose-resume", live.FriendlyName+" is not deleted"), factsOfInstance(live)), nil
	case err != nil:
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(deleted.Instance)
	facts[learnedInstance] = id.String() // the deleted one has another ID
	return learn(next(deleted.FriendlyName+" is soft-deleted"+purgedOn(deleted.ScheduledPurgeTime)), facts), nil
}

// undeleteInstance undoes the deletion. Azure answers 404 if there is nothing to
// undo: an earlier attempt succeeded, or the backups were purged.
func (a azure) undeleteInstance(ctx context.Context, c step.Call) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).UndeleteInstance(ctx, id)
	if azerr.IsNotFound(err) {
		instance, err := a.readInstance(ctx, c, id.String())
		if err != nil {
			return operation.Outcome{}, err
		}
		return skipTo("confirm-instance-undeleted", instance.FriendlyName+" is no longer deleted"), nil
	}
	return accepted(submitted, err, "the deletion is being undone")
}

// chooseResumeStep returns the step that ends the operation unless the request
// resumes the protection.
func (a azure) chooseResumeStep() step.Step {
	return step.Step{
		Name: "choose-resume", Effect: step.Read, Asks: "calls nothing", Then: "without `resume`, the operation ends here",
		Run: with(func(_ context.Context, c step.Call, p Undelete) (operation.Outcome, error) {
			switch {
			case !p.Resume:
				return finish("the backups are kept; protection is stopped"), nil
			case c.Operation.Learned[learnedInstance] != "":
				return skipTo("resume-instance", "the request resumes the protection"), nil
			}
			return skipTo("resume-item", "the request resumes the protection"), nil
		}),
	}
}

// undeleteItem undoes the deletion of a protected item.
func (a azure) undeleteItem(ctx context.Context, c step.Call) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if !item.SoftDeleted {
		return skipTo("choose-resume", item.FriendlyName+" is not deleted"), nil
	}
	submitted, err := a.recoveryServices(c).Undelete(ctx, item)
	return accepted(submitted, err, "the deletion is being undone")
}
