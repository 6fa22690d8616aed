package flow

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// TrackJob follows a job that something else started, such as a scheduled backup
// or a restore from the portal.
type TrackJob struct {
	// JobID is the job's resource ID, of a Recovery Services or Backup vault.
	JobID string `json:"jobId"`
}

const (
	trackJobFlow = "track-job"

	wantJob = "/subscriptions/{id}/resourceGroups/{group}/providers/{Microsoft.RecoveryServices/vaults or Microsoft.DataProtection/backupVaults}/{name}/backupJobs/{job}"
)

func checkTrackJob(c *checks, p *TrackJob) {
	if _, _, ok := cutJob(p.JobID); !ok {
		c.add("jobId", "is not the resource ID of a backup job", wantJob)
	}
}

func trackJobParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[TrackJob](),
		Fields: schema.Fields{"jobId": {
			Required: true, Meaning: "resource ID of a job of a Recovery Services vault or a Backup vault",
			Rule: schema.Matches(schema.ResourceID(recoveryVaultType+"/backupJobs"), schema.ResourceID(backupVaultType+"/backupJobs")),
		}},
	}
}

// cutJob splits a job's resource ID into its vault's ID and its name.
func cutJob(id string) (vault, name string, ok bool) {
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.Parent == nil || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" {
		return "", "", false
	}
	kind := parsed.ResourceType.String()
	known := strings.EqualFold(kind, recoveryVaultType+"/backupJobs") || strings.EqualFold(kind, backupVaultType+"/backupJobs")
	return parsed.Parent.String(), parsed.Name, known
}

func (a azure) trackJob() Definition {
	return Definition{
		Flow: step.Flow{
			Name: trackJobFlow, Version: 1,
			Summary:  "follow a job that something else started to its end",
			Deadline: 4 * 24 * time.Hour,
			Check:    check(checkTrackJob),
			Steps: []step.Step{
				{
					Name: "find-job", Effect: step.Read, Run: with(findTrackedJob),
					Asks: "calls nothing; the ID contains the provider", Then: "a job of a Backup vault continues with `await-instance-job`",
				},
				awaitJob("await-job", jobWait{reader: a.existingServiceJob(), last: true}),
				awaitJob("await-instance-job", jobWait{reader: a.existingInstanceJob(), last: true}),
			},
		},
		Role:       roles.Read,
		Parameters: trackJobParameters,
		Intro: "Follows a job that something else started, such as a scheduled backup or a restore from the portal. The operation ends as the " +
			"job does. Canceling the operation stops following the job and does not cancel the job.",
		Examples: []Example{{
			File: trackJobFlow, About: "the job of vm1", Key: "track-vm1", Deadline: "P4D", Labels: team("machines"),
			Parameters: TrackJob{JobID: exampleVault + "/backupJobs/eeda2c9e-9bc2-4c51-a021-6cb73a172460"},
			JobOf:      "backup-now-vm", Cost: "a job by its ID",
		}},
	}
}

// findTrackedJob derives from the ID which provider runs the job.
func findTrackedJob(_ context.Context, c step.Call, p TrackJob) (operation.Outcome, error) {
	vault, name, _ := cutJob(p.JobID)
	out := skipTo("await-job", noteServiceJob)
	if _, err := resourceid.ParseVaultID(vault, resourceid.RecoveryServicesVault); err != nil {
		out = skipTo("await-instance-job", noteInstanceJob)
	}
	out.Tracking = &operation.Tracking{SubmittedAt: c.Now, JobID: name}
	return out, nil
}

func (a azure) existingServiceJob() jobReader {
	vault := trackedVault(resourceid.RecoveryServicesVault)
	return mustExist(a.serviceJob(vault), vault)
}

func (a azure) existingInstanceJob() jobReader {
	vault := trackedVault(resourceid.BackupVault)
	return mustExist(a.instanceJob(vault), vault)
}

// Notes of the step find-job. An operation that waits for one of them has not seen
// its job yet.
const (
	noteServiceJob  = "a job of a Recovery Services vault"
	noteInstanceJob = "a job of a Backup vault"
)

// mustExist returns a reader that fails at once if there is no job: the request
// names it, so it exists already, and a mistyped ID never will. A job that was seen
// before is waited for. Where many operations wait for jobs of the vault, the job is
// looked up in their list first, so that many starts do not use up the quota of reads.
func mustExist(r jobReader, vault func(step.Call) (resourceid.VaultID, error)) jobReader {
	return jobReader{calls: r.calls, read: func(ctx context.Context, c step.Call) (job, error) {
		read, err := r.read(ctx, c)
		var missing *operation.Error
		if !errors.As(err, &missing) || missing.Code != codeJobNotVisible || wasSeen(c.Operation) {
			return read, err
		}
		id, wrong := vault(c)
		if wrong != nil {
			return read, wrong
		}
		return read, fatal("JobNotFound", "vault "+id.Name+" has no job "+c.Operation.Tracking.JobID,
			"Check parameters.jobId: az backup job list, or az dataprotection job list, shows the jobs of the vault. Then start again with the right ID.")
	}}
}

// wasSeen reports whether an earlier read found the job of the operation.
func wasSeen(op operation.Operation) bool {
	return op.WaitingFor != noteServiceJob && op.WaitingFor != noteInstanceJob && !strings.Contains(op.WaitingFor, statusNotListed)
}

// trackedVault returns the vault of the requested job.
func trackedVault(of resourceid.VaultType) func(step.Call) (resourceid.VaultID, error) {
	return func(c step.Call) (resourceid.VaultID, error) {
		p, err := parametersOf[TrackJob](c)
		if err != nil {
			return resourceid.VaultID{}, err
		}
		vault, _, _ := cutJob(p.JobID)
		id, err := resourceid.ParseVaultID(vault, of)
		if err != nil {
			return id, unreadable(err)
		}
		return id, nil
	}
}
