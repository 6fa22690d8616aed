package flow

import (
	"context"
	"errors"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// cancelJob returns a step that cancels the job that the operation follows. Azure
// rejects the cancellation of a job that has progressed too far; the operation
// then waits for the job's end. Source: JobCancellations - Trigger.
func (a azure) cancelJob(name string, vault func(step.Call) (resourceid.VaultID, error)) step.Step {
	return step.Step{
		Name: name, Effect: step.Repeatable, OnCancel: name, Runs: whenCanceled, Calls: []string{"JobCancellations_Trigger"},
		Asks: "cancels the job", Then: "only if the operation was canceled while the job was running",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			id, err := vault(c)
			if err != nil {
				return operation.Outcome{}, err
			}
			job, err := trackedJob(c)
			if err != nil {
				return operation.Outcome{}, err
			}
			_, err = a.recoveryServices(c).CancelJob(ctx, id, job)
			var rejected *operation.Error
			if errors.As(err, &rejected) && rejected.Class == operation.Fatal {
				return next("Azure does not cancel job " + job + ": " + rejected.Message), nil
			}
			if err != nil {
				return operation.Outcome{}, err
			}
			return operation.Outcome{Kind: operation.Advance, Note: "job " + job + " is being canceled"}, nil
		},
	}
}

// awaitCanceled returns a step that follows a job to its end after its
// cancellation was requested.
func awaitCanceled(name string, reader jobReader) step.Step {
	return step.Step{
		Name: name, Effect: step.Read, OnCancel: name, Runs: whenCanceled, Calls: reader.calls,
		Asks: "reads the job until it has ended", Then: "ends as `Canceled`; if the job was faster, as the job does, with a warning",
		Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			j, err := reader.read(ctx, c)
			if err != nil {
				return operation.Outcome{}, err
			}
			switch j.state {
			case backupjob.Cancelled:
				out := jobCompleted(j, true)
				out.Kind, out.Note = operation.Stop, j.what+" was canceled"
				return out, nil
			case backupjob.Completed, backupjob.CompletedWithWarnings:
				out := jobCompleted(j, true)
				out.Warnings = append(out.Warnings, "too late to cancel: the job completed")
				return out, nil
			case backupjob.Failed:
				return operation.Outcome{}, final(j.failure)
			case backupjob.Running:
			}
			return jobRunning(j), nil
		},
	}
}
