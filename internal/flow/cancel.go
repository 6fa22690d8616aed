package flow

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// cancelJob asks Azure to cancel the job that the operation follows. Azure
// refuses where the job has gone too far; then its end is waited for, and said
// honestly. Source: JobCancellations - Trigger.
func (a azure) cancelJob(name string, vault func(step.Call) (resourceid.VaultID, error)) step.Step {
	return step.Step{Name: name, Effect: step.Repeatable, OnCancel: name, Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		id, err := vault(c)
		if err != nil {
			return operation.Outcome{}, err
		}
		known, err := trackedJob(c)
		if err != nil {
			return operation.Outcome{}, err
		}
		_, err = a.recoveryServices(c).CancelJob(ctx, id, known)
		var refused *operation.Error
		if errors.As(err, &refused) && refused.Class == operation.Fatal {
			return next("Azure does not cancel job " + known + ": " + refused.Message), nil
		}
		if err != nil {
			return operation.Outcome{}, err
		}
		return operation.Outcome{Kind: operation.Advance, Note: "job " + known + " is being canceled"}, nil
	}}
}

// awaitCancelled follows a job whose cancellation was asked for to its end,
// whichever that is.
func awaitCancelled(name string, read jobReader) step.Step {
	return step.Step{Name: name, Effect: step.Read, OnCancel: name, Run: func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		j, err := read(ctx, c)
		if err != nil {
			return operation.Outcome{}, err
		}
		switch j.state {
		case backupjob.Cancelled:
			out := ended(j, true)
			out.Kind, out.Note = operation.Stop, j.what+" was canceled"
			return out, nil
		case backupjob.Completed, backupjob.CompletedWithWarnings:
			out := ended(j, true)
			out.Warnings = append(out.Warnings, "too late to cancel: the job completed")
			return out, nil
		case backupjob.Failed:
			return operation.Outcome{}, final(j.failure)
		case backupjob.Running:
		}
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, After: j.next, Note: fmt.Sprintf("%s (%s)", j.what, j.status)}, nil
	}}
}
