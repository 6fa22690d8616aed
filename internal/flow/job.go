package flow

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// job is what the flows need to know of a backup job, whichever provider runs
// it.
type job struct {
	name string
	// what the job does and to what, for a person.
	what string
	// status is Azure's own word, state what it means.
	status string
	state  backupjob.State
	// warnings of a job that completed.
	warnings []string
	// failure of a job that failed or was cancelled.
	failure *operation.Error
	// next is when there will be news of a job that runs; zero is not known.
	next time.Duration
}

// jobReader reads the job that an operation follows.
type jobReader func(context.Context, step.Call) (job, error)

// serviceJob reads a Recovery Services job of the vault that the step names.
func (a azure) serviceJob(vault func(step.Call) (resourceid.VaultID, error)) jobReader {
	return func(ctx context.Context, c step.Call) (job, error) {
		id, err := vault(c)
		if err != nil {
			return job{}, err
		}
		known, err := trackedJob(c)
		if err != nil {
			return job{}, err
		}
		return a.together(ctx, c, known, vaultJobs{
			vault: id.String(), list: a.listServiceJobs(c, id),
			alone: func(ctx context.Context) (job, error) { return a.serviceJobAlone(ctx, c, id, known) },
		})
	}
}

func (a azure) serviceJobAlone(ctx context.Context, c step.Call, vault resourceid.VaultID, id string) (job, error) {
	read, err := a.recoveryServices(c).GetJob(ctx, vault, id)
	if err != nil {
		return job{}, notVisible(err)
	}
	return job{
		name: read.Name, status: read.Status, state: read.State(), warnings: read.Warnings(), failure: read.Failure(),
		what: fmt.Sprintf("%s job %s of %s", read.Operation, read.Name, read.EntityFriendlyName),
	}, nil
}

// instanceJob reads a Data Protection job of the vault of the instance that
// was found.
func (a azure) instanceJob(ctx context.Context, c step.Call) (job, error) {
	id, err := foundInstance(c)
	if err != nil {
		return job{}, err
	}
	known, err := trackedJob(c)
	if err != nil {
		return job{}, err
	}
	return a.vaultJob(ctx, c, id.Vault, known)
}

// vaultJob reads a job of a Backup vault.
func (a azure) vaultJob(ctx context.Context, c step.Call, vault resourceid.VaultID, id string) (job, error) {
	return a.together(ctx, c, id, vaultJobs{
		vault: vault.String(), list: a.listInstanceJobs(c, vault),
		alone: func(ctx context.Context) (job, error) { return a.vaultJobAlone(ctx, c, vault, id) },
	})
}

func (a azure) vaultJobAlone(ctx context.Context, c step.Call, vault resourceid.VaultID, id string) (job, error) {
	read, err := a.dataProtection(c).GetJob(ctx, vault, id)
	if err != nil {
		return job{}, notVisible(err)
	}
	return job{
		name: read.Name, status: read.Status, state: read.State(), warnings: read.Warnings(), failure: read.Failure(),
		what: fmt.Sprintf("%s job %s of %s", read.OperationCategory, read.Name, read.DatasourceName),
	}, nil
}

// trackedJob is the id of the job that the operation follows.
func trackedJob(c step.Call) (string, error) {
	if c.Operation.Tracking == nil || c.Operation.Tracking.JobID == "" {
		return "", fatal("JobUnknown", "no job to follow is known at step "+c.Operation.Step)
	}
	return c.Operation.Tracking.JobID, nil
}

// notVisible turns "no such job" into "not yet": Azure names a job before it
// shows it.
func notVisible(err error) error {
	if isNotFound(err) {
		return notYet("JobNotVisible", "Azure named the job but does not show it yet")
	}
	return err
}

// awaitedJob says how a job is followed.
type awaitedJob struct {
	read jobReader
	// retry is the step that asked for the job, to ask again when the job fails
	// in a way worth it; empty means that a failed job is the end.
	retry string
	// last ends the operation with the job.
	last bool
	// onCancel is the step that cancels the job; see step.Step.
	onCancel string
}

// awaitJob looks once at the job that an earlier step started. Done means
// done: the job's end is the operation's, with the job's own errors and
// recommended actions.
func awaitJob(name string, to awaitedJob) step.Step {
	return step.Step{Name: name, Effect: step.Read, OnCancel: to.onCancel, AwaitsResult: true, FinishesOperation: to.last, Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		j, err := to.read(ctx, c)
		if err != nil {
			return operation.Outcome{}, err
		}
		switch j.state {
		case backupjob.Completed, backupjob.CompletedWithWarnings:
			return ended(j, to.last), nil
		case backupjob.Failed, backupjob.Cancelled:
			if to.retry == "" {
				return operation.Outcome{}, final(j.failure)
			}
			return backTo(to.retry, j.failure), nil
		case backupjob.Running:
		}
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, After: j.next, Note: fmt.Sprintf("%s (%s)", j.what, j.status)}, nil
	}}
}

// ended goes on from a job that has completed.
func ended(j job, last bool) operation.Outcome {
	out := learn(next(j.what+" completed"), map[string]string{learnedJob: j.name})
	if last {
		out.Kind = operation.Finish
	}
	if j.state == backupjob.CompletedWithWarnings {
		out.Note += " with warnings"
		out.Warnings = j.warnings
		if len(out.Warnings) == 0 {
			out.Warnings = []string{out.Note + " that Azure did not name"}
		}
	}
	out.Tracking = &operation.Tracking{}
	return out
}

// final makes an error the end, whatever its class: nothing can be asked again.
func final(err *operation.Error) *operation.Error {
	last := *err
	last.Class = operation.Fatal
	return &last
}
