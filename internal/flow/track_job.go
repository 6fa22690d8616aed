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
	return mustExist(a.serviceJob(vault), vault, a.readServiceJob)
}

func (a azure) existingInstanceJob() jobReader {
	vault := trackedVault(resourceid.BackupVault)
	return mustExist(a.instanceJob(vault), vault, a.readInstanceJob)
}

// Notes of the step find-job. An operation that waits for one of them has not read
// its job yet.
const (
	noteServiceJob  = "a job of a Recovery Services vault"
	noteInstanceJob = "a job of a Backup vault"
)

// mustExist returns a reader whose first read reads the job itself and fails at
// once if there is none. The request names the job, so it exists already, and a
// mistyped ID never will. A job that was read before is waited for.
func mustExist(
	r jobReader, vault func(step.Call) (resourceid.VaultID, error),
	alone func(ctx context.Context, c step.Call, vault resourceid.VaultID, name string) (job, error),
) jobReader {
	return jobReader{calls: r.calls, read: func(ctx context.Context, c step.Call) (job, error) {
		if waits := c.Operation.WaitingFor; waits != noteServiceJob && waits != noteInstanceJob {
			return r.read(ctx, c)
		}
		id, err := vault(c)
		if err != nil {
			return job{}, err
		}
		name, err := trackedJob(c)
		if err != nil {
			return job{}, err
		}
		read, err := alone(ctx, c, id, name)
		var missing *operation.Error
		if errors.As(err, &missing) && missing.Class == operation.NotYet {
			return read, fatal("JobNotFound", "vault "+id.Name+" has no job "+name,
				"Check parameters.jobId: az backup job list, or az dataprotection job list, shows the jobs of the vault. Then start again with the right ID.")
		}
		return read, err
	}}
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
