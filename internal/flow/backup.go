package flow

import (
	"context"
	"time"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/step"
)

const triggerStep = "trigger-backup"

// backupSteps start one on-demand backup of the protected item that an earlier
// step found, and follow it to the job's end. body says what to ask for.
// Source: learn.microsoft.com, "Backups - Trigger".
func (a azure) backupSteps(body func(step.Call) (recoveryservices.BackupRequest, error)) []step.Step {
	return append(a.onceSteps(started{
		start: triggerStep, await: "await-backup", find: "find-backup-job", follow: "await-backup-job",
		what: "backup", code: "BackupUnclear",
		ask: func(ctx context.Context, c step.Call) (lro.Submission, error) {
			request, err := body(c)
			if err != nil {
				return lro.Submission{}, err
			}
			return a.recoveryServices(c).TriggerBackup(ctx, c.Operation.Learned[learnedItem], request, c.AttemptID)
		},
		candidates: a.backupJobs,
		read:       a.serviceJob(itemVault),
		cancel:     "cancel-backup-job",
	}),
		// Only where a cancel was requested while the job ran.
		a.cancelJob("cancel-backup-job", itemVault),
		awaitCancelled("await-cancellation", a.serviceJob(itemVault)),
	)
}

// backupJobs lists the backup jobs that began since shortly before the time
// given, and says which of them are the item's.
func (a azure) backupJobs(ctx context.Context, c step.Call, since time.Time) ([]candidate, error) {
	vault, err := itemVault(c)
	if err != nil {
		return nil, err
	}
	listed, err := a.recoveryServices(c).ListJobs(ctx, vault, recoveryservices.JobFilter{
		Operation: recoveryservices.OperationBackup,
		StartTime: since.Add(-time.Minute), EndTime: c.Now.Add(time.Minute),
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
