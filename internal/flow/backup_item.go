package flow

import (
	"context"
	"time"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/step"
)

const triggerStep = "trigger-backup"

// backupSteps returns the steps that start one on-demand backup of the protected
// item that an earlier step found, and follow it to the end of its job. body
// returns the request's body. Source: learn.microsoft.com, "Backups - Trigger".
func (a azure) backupSteps(body func(step.Call) (recoveryservices.BackupRequest, error)) []step.Step {
	job := a.serviceJob(itemVault)
	return append(a.onceSteps(onceCall{
		start: triggerStep, await: "await-backup", find: "find-backup-job", follow: "await-backup-job",
		what: "backup", ambiguous: "BackupUnclear", calls: []string{"Backups_Trigger"}, lists: []string{"BackupJobs_List"},
		send: func(ctx context.Context, c step.Call) (lro.Submission, error) {
			request, err := body(c)
			if err != nil {
				return lro.Submission{}, err
			}
			return a.recoveryServices(c).TriggerBackup(ctx, c.Operation.Learned[learnedItem], request, c.AttemptID)
		},
		candidates: a.backupJobs, job: job, cancel: "cancel-backup-job",
	}),
		a.cancelJob("cancel-backup-job", itemVault),
		awaitCanceled("await-cancellation", job),
	)
}

// backupJobs lists the backup jobs since about the time, and matches them with
// the item.
func (a azure) backupJobs(ctx context.Context, c step.Call, since time.Time) ([]candidate, error) {
	vault, err := itemVault(c)
	if err != nil {
		return nil, err
	}
	start, end := a.jobWindow(c, since)
	listed, err := a.recoveryServices(c).ListJobs(ctx, vault, recoveryservices.JobFilter{
		Operation: recoveryservices.OperationBackup, StartTime: start, EndTime: end,
	})
	if err != nil {
		return nil, err
	}
	var jobs []candidate
	for _, job := range listed {
		jobs = append(jobs, candidate{name: job.Name, activityID: job.ActivityID, start: job.StartTime, whose: ofItem(job, c.Operation.Learned)})
	}
	return jobs, nil
}
