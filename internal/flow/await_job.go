package flow

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// job holds the properties of a backup job of either provider.
type job struct {
	name string
	// what describes for people what the job does and to what.
	what string
	// status is Azure's own word, state its meaning.
	status string
	state  backupjob.State
	// progress is in percent; -1 is unknown.
	progress int
	// warnings of a job that completed.
	warnings []string
	// failure of a job that failed or was canceled.
	failure *operation.Error
	// next is the time until the next news of a running job; zero is unknown.
	next time.Duration
}

// jobReader reads the job that an operation follows. calls names its API
// operations.
type jobReader struct {
	calls []string
	read  func(context.Context, step.Call) (job, error)
}

// serviceJobCalls and instanceJobCalls name the API operations that read jobs:
// alone, or with the list that the vault's operations share.
func serviceJobCalls() []string  { return []string{"BackupJobs_List", "JobDetails_Get"} }
func instanceJobCalls() []string { return []string{"Jobs_List", "Jobs_Get"} }

// serviceJob reads the tracked job of a Recovery Services vault.
func (a azure) serviceJob(vault func(step.Call) (resourceid.VaultID, error)) jobReader {
	return jobReader{calls: serviceJobCalls(), read: a.readTracked(vault, a.listServiceJobs, a.readServiceJob)}
}

func (a azure) readServiceJob(ctx context.Context, c step.Call, vault resourceid.VaultID, name string) (job, error) {
	read, err := a.recoveryServices(c).GetJob(ctx, vault, name)
	if err != nil {
		return job{}, notVisible(err)
	}
	return job{
		name: read.Name, status: read.Status, state: read.State(), warnings: read.Warnings(), failure: read.Failure(),
		what: fmt.Sprintf("%s job %s of %s", read.Operation, read.Name, read.EntityFriendlyName), progress: read.Progress,
	}, nil
}

// instanceJob reads the tracked job of a Backup vault.
func (a azure) instanceJob(vault func(step.Call) (resourceid.VaultID, error)) jobReader {
	return jobReader{calls: instanceJobCalls(), read: a.readTracked(vault, a.listInstanceJobs, a.readInstanceJob)}
}

// instanceVault returns the vault of the instance that an earlier step found.
func instanceVault(c step.Call) (resourceid.VaultID, error) {
	id, err := foundInstance(c)
	return id.Vault, err
}

func (a azure) readInstanceJob(ctx context.Context, c step.Call, vault resourceid.VaultID, name string) (job, error) {
	read, err := a.dataProtection(c).GetJob(ctx, vault, name)
	if err != nil {
		return job{}, notVisible(err)
	}
	return job{
		name: read.Name, status: read.Status, state: read.State(), warnings: read.Warnings(), failure: read.Failure(),
		what: fmt.Sprintf("%s job %s of %s", read.OperationCategory, read.Name, read.DatasourceName), progress: read.Progress(),
	}, nil
}

// jobLister returns a list of a vault's jobs, to be shared by its operations.
type jobLister func(c step.Call, vault resourceid.VaultID) func(ctx context.Context, since time.Time) (jobs []jobcache.Job, calls int, err error)

// readTracked returns a function that reads the job that the operation follows:
// from the shared list, or by itself.
func (a azure) readTracked(
	vault func(step.Call) (resourceid.VaultID, error), list jobLister,
	alone func(ctx context.Context, c step.Call, vault resourceid.VaultID, name string) (job, error),
) func(context.Context, step.Call) (job, error) {
	return func(ctx context.Context, c step.Call) (job, error) {
		id, err := vault(c)
		if err != nil {
			return job{}, err
		}
		name, err := trackedJob(c)
		if err != nil {
			return job{}, err
		}
		return a.readShared(ctx, c, name, vaultJobs{
			vault: id.String(), list: list(c, id),
			alone: func(ctx context.Context) (job, error) { return alone(ctx, c, id, name) },
		})
	}
}

// trackedJob returns the ID of the job that the operation follows.
func trackedJob(c step.Call) (string, error) {
	if c.Operation.Tracking == nil || c.Operation.Tracking.JobID == "" {
		return "", fatal("JobUnknown", "the operation has no job ID at step "+c.Operation.Step)
	}
	return c.Operation.Tracking.JobID, nil
}

// codeJobNotVisible is the code of a job that Azure does not show.
const codeJobNotVisible = "JobNotVisible"

// notVisible turns "job not found" into NotYet: Azure names a job before it shows
// it.
func notVisible(err error) error {
	if azerr.IsNotFound(err) {
		return notYet(codeJobNotVisible, "Azure named the job but does not show it yet")
	}
	return err
}

// jobWait describes a step that waits for a job.
type jobWait struct {
	reader jobReader
	// retry is the step that started the job; it runs again if the job fails with
	// a retriable error. Empty means that a failed job ends the operation.
	retry string
	// undiscovered is the step that discovers the datasource again if the vault
	// no longer knows it; empty means retry.
	undiscovered string
	// last ends the operation with the job.
	last bool
	// onCancel is the step that cancels the job; see step.Step.
	onCancel string
	// failed handles a job that failed or was canceled; nil means retry.
	failed func(step.Call, job) operation.Outcome
}

// awaitJob returns a step that reads a job once. Done means done: the operation
// ends as its job does, with the job's own errors and recommended actions.
func awaitJob(name string, w jobWait) step.Step {
	s := step.Step{
		Name: name, Effect: step.Read, OnCancel: w.onCancel, AwaitsResult: true, FinishesOperation: w.last,
		Calls: w.reader.calls, Asks: "reads the job until it has ended",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			j, err := w.reader.read(ctx, c)
			if err != nil {
				return operation.Outcome{}, err
			}
			return w.interpret(c, j)
		},
	}
	if w.last {
		s.Then = "the operation ends as the job does, with the job's warnings, error and recommended action"
	}
	return s
}

func (w jobWait) interpret(c step.Call, j job) (operation.Outcome, error) {
	switch j.state {
	case backupjob.Completed, backupjob.CompletedWithWarnings:
		return jobCompleted(j, w.last), nil
	case backupjob.Failed, backupjob.Cancelled:
		switch {
		case w.failed != nil:
			return w.failed(c, j), nil
		case w.retry == "":
			return operation.Outcome{}, final(j.failure)
		}
		return backTo(orDiscover(j.failure, w.undiscovered, w.retry), j.failure), nil
	case backupjob.Running:
	}
	return jobRunning(j), nil
}

func jobRunning(j job) operation.Outcome {
	state := j.status
	if j.progress >= 0 {
		state = fmt.Sprintf("%s, %d %%", j.status, j.progress)
	}
	out := waitAtJobPace(fmt.Sprintf("%s (%s)", j.what, state))
	out.After = j.next
	return out
}

// jobCompleted continues after a job that has completed; last ends the operation.
func jobCompleted(j job, last bool) operation.Outcome {
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
