package flow

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// itemRestore describes the restore of a protected item of a Recovery Services
// vault. All of them choose a recovery point, start once, and read what came out
// of the job: Azure's operation only reports that the job exists.
type itemRestore struct {
	// send returns the request of the restore. It checks again that the operator
	// allows the target.
	send func(context.Context, step.Call) (recoveryservices.Restore, error)
	// sameTarget reports whether a job's details are those of this restore: two
	// restores of one item differ only in their targets.
	sameTarget func(step.Call, recoveryservices.Job) match
	// result reads what came out of the job.
	result func(step.Call, recoveryservices.Job) (facts map[string]string, warnings []string)
}

// steps returns the steps that start the restore and follow it.
func (r itemRestore) steps(a azure) []step.Step {
	job := a.serviceJob(itemVault)
	once := a.onceSteps(onceCall{
		start: "restore", await: "await-restore", find: "find-restore-job", follow: "await-restore-job", result: "read-result",
		what: "restore", ambiguous: "RestoreUnclear", calls: []string{"Restores_Trigger"}, lists: []string{"BackupJobs_List", "JobDetails_Get"},
		send: func(ctx context.Context, c step.Call) (lro.Submission, error) {
			request, err := r.send(ctx, c)
			if err != nil {
				return lro.Submission{}, err
			}
			known := c.Operation.Learned
			return a.recoveryServices(c).TriggerRestore(ctx, known[learnedItem], known[learnedRecoveryPoint], request, c.AttemptID)
		},
		candidates: a.restoreJobs(r.sameTarget), job: job, cancel: "cancel-restore-job",
	})
	return append(once, step.Step{
		Name: "read-result", Effect: step.Read, AwaitsResult: true, FinishesOperation: true, Calls: []string{"JobDetails_Get"},
		Asks: "reads the job with its details", Then: "the operation ends, with what came out of the restore",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) { return a.readResult(ctx, c, r) },
	},
		a.cancelJob("cancel-restore-job", itemVault),
		awaitCanceled("await-cancellation", job),
	)
}

// readResult ends the operation with what came out of its job.
func (a azure) readResult(ctx context.Context, c step.Call, r itemRestore) (operation.Outcome, error) {
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	job, err := a.recoveryServices(c).GetJob(ctx, vault, c.Operation.Learned[learnedJob])
	if err != nil {
		return operation.Outcome{}, err
	}
	facts, warnings := r.result(c, job)
	out := learn(finish("the restore of "+c.Operation.Learned[learnedName]+" is done"), facts)
	out.Warnings = warnings
	return out, nil
}

// restoreJobs lists the restore jobs since about the time, and matches them with
// the item and the target. Listed jobs do not contain their target, so each job
// of the item is read.
func (a azure) restoreJobs(sameTarget func(step.Call, recoveryservices.Job) match) candidates {
	return func(ctx context.Context, c step.Call, since time.Time) ([]candidate, error) {
		vault, err := itemVault(c)
		if err != nil {
			return nil, err
		}
		start, end := a.jobWindow(c, since)
		client := a.recoveryServices(c)
		listed, err := client.ListJobs(ctx, vault, recoveryservices.JobFilter{
			Operation: recoveryservices.OperationRestore, StartTime: start, EndTime: end,
		})
		if err != nil {
			return nil, err
		}
		var jobs []candidate
		for _, job := range listed {
			whose := ofItem(job, c.Operation.Learned)
			if whose != otherItem && !strings.EqualFold(job.ActivityID, c.AttemptID) {
				read, err := client.GetJob(ctx, vault, job.Name)
				if err != nil {
					return nil, err
				}
				whose = min(whose, sameTarget(c, read))
			}
			jobs = append(jobs, candidate{name: job.Name, activityID: job.ActivityID, start: job.StartTime, whose: whose})
		}
		return jobs, nil
	}
}

// readRestoredItemStep returns the step that reads the item to restore. kinds are
// the types of items that the flow restores, what names them for people.
func (a azure) readRestoredItemStep(what string, kinds ...string) step.Step {
	return step.Step{
		Name: "read-item", Effect: step.Read, Calls: []string{"ProtectedItems_Get"},
		Asks: "reads the protected item", Then: "an item that is not a " + what + ", or that is soft-deleted, is rejected",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			item, err := a.foundItem(ctx, c)
			if err != nil {
				return operation.Outcome{}, err
			}
			if item.SoftDeleted {
				return operation.Outcome{}, itemSoftDeleted(item, c.Now)
			}
			for _, kind := range kinds {
				if item.Type == kind {
					facts := factsOf(item)
					delete(facts, learnedItem) // it stays as it was requested: only its casing differs
					facts[learnedParent] = item.Parent
					return learn(next(item.FriendlyName+" is a "+what), facts), nil
				}
			}
			return operation.Outcome{}, fatal("ItemTypeDoesNotFit", fmt.Sprintf("%s is a %s, not a %s", item.FriendlyName, item.Type, what),
				"Use the flow that restores items of its type.")
		},
	}
}

// learnedParent is the instance of a database.
const learnedParent = "instance"

// itemPointChoice holds what a request names to restore.
type itemPointChoice struct {
	RecoveryPoint
	// archive selects recovery points that are only in the archive tier.
	archive bool
}

// pickItemPointStep returns the step that chooses the recovery point. choice
// reads what the request names.
func (a azure) pickItemPointStep(choice func(step.Call) (itemPointChoice, error)) step.Step {
	return step.Step{
		Name: "pick-recovery-point", Effect: step.Read, Calls: []string{"ItemRecoveryPoints_List", "ItemRecoveryPoints_Get"},
		Asks: "reads or lists the recovery points", Then: "without a usable recovery point that fits, the operation fails. The operation keeps its ID and time",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			wanted, err := choice(c)
			if err != nil {
				return operation.Outcome{}, err
			}
			point, err := a.pickItemPoint(ctx, c, wanted)
			if err != nil {
				return operation.Outcome{}, err
			}
			at := point.Time.UTC().Format(time.RFC3339)
			return learn(next(fmt.Sprintf("recovery point %s of %s%s", point.Name, at, wanted.from())), map[string]string{
				learnedRecoveryPoint: point.Name, learnedRecoveryPointTime: at,
			}), nil
		},
	}
}

// pickItemPoint returns the recovery point that the request names, or the newest
// usable one that fits. The entry that stands for a log chain is not a backup:
// it is never chosen.
func (a azure) pickItemPoint(ctx context.Context, c step.Call, wanted itemPointChoice) (recoveryservices.RecoveryPoint, error) {
	client, item := a.recoveryServices(c), c.Operation.Learned[learnedItem]
	if wanted.ID != "" {
		point, err := client.GetRecoveryPoint(ctx, item, wanted.ID)
		switch {
		case azerr.IsNotFound(err):
			return point, noItemPoint("recovery point " + wanted.ID + " does not exist")
		case err == nil && !wanted.usable(point, c.Now):
			return point, noItemPoint("recovery point " + wanted.ID + " cannot be restored: " + wanted.notUsable(point, c.Now))
		}
		return point, err
	}
	points, err := client.ListRecoveryPoints(ctx, item)
	if err != nil {
		return recoveryservices.RecoveryPoint{}, err
	}
	for _, point := range points {
		if wanted.usable(point, c.Now) && (wanted.LatestBefore == nil || !point.Time.After(*wanted.LatestBefore)) {
			return point, nil
		}
	}
	return recoveryservices.RecoveryPoint{}, noItemPoint(fmt.Sprintf("none of the %d recovery points is usable and old enough%s", len(points), wanted.from()))
}

// usable reports whether the request can restore the recovery point.
func (w itemPointChoice) usable(p recoveryservices.RecoveryPoint, now time.Time) bool {
	if w.archive {
		return p.Archived(now)
	}
	return p.Restorable(now)
}

// notUsable returns why the request cannot restore the recovery point.
func (w itemPointChoice) notUsable(p recoveryservices.RecoveryPoint, now time.Time) string {
	switch {
	case w.archive && p.Restorable(now):
		return "it is not in the archive tier alone; send the request without parameters.rehydration"
	case !w.archive && p.Archived(now):
		return "it is only in the archive tier; add parameters.rehydration"
	}
	return "it is expired, deleted, being moved, or stands for a log chain"
}

// from names the tier for people; empty for the readable ones.
func (w itemPointChoice) from() string {
	if w.archive {
		return ", from the archive tier"
	}
	return ""
}

// pointPattern is a single segment of a URL. It is wider than Azure's IDs.
const pointPattern = `[A-Za-z0-9_-][A-Za-z0-9_.-]*`

var pointID = regexp.MustCompile(schema.Whole(pointPattern))

func noItemPoint(message string) *operation.Error {
	return fatal("NoRecoveryPoint", message, "List the recovery points: `az backup recoverypoint list`. Check parameters.recoveryPoint.")
}

// itemPoint checks the choice of a recovery point of a protected item.
func (c *checks) itemPoint(r RecoveryPoint) {
	c.recoveryPoint(r)
	if strings.EqualFold(r.ID, recoveryservices.RangeRecoveryPoint) {
		c.add("recoveryPoint.id", r.ID+" stands for the log chain of a database, not for one backup", "the ID of a recovery point")
	}
	if r.ID != "" && !pointID.MatchString(r.ID) {
		c.add("recoveryPoint.id", fmt.Sprintf("%q is not the ID of a recovery point", r.ID), "letters and digits, as `az backup recoverypoint list` shows them")
	}
}
