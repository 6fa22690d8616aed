package flow

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// TrackJob asks for a job that something else started, such as a scheduled
// backup or a restore from the portal, to be followed to its end.
type TrackJob struct {
	// JobID is the job's resource id, of a Recovery Services or Backup vault.
	JobID string `json:"jobId"`
}

// trackJobFlow follows jobs that something else started.
const trackJobFlow = "track-job"

const wantJob = "/subscriptions/{id}/resourceGroups/{group}/providers/{Microsoft.RecoveryServices/vaults or Microsoft.DataProtection/backupVaults}/{name}/backupJobs/{job}"

func checkTrackJob(raw json.RawMessage) (json.RawMessage, error) {
	var p TrackJob
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	if _, _, ok := cutJob(p.JobID); !ok {
		c.add("jobId", "is not the resource id of a backup job", wantJob)
	}
	return c.done(p)
}

// cutJob splits a job's resource id into its vault's and its own name.
func cutJob(id string) (vault, name string, ok bool) {
	parsed, err := resourceid.Parse(id)
	if err != nil || parsed.Parent == nil || parsed.SubscriptionID == "" || parsed.ResourceGroupName == "" {
		return "", "", false
	}
	kind := strings.ToLower(parsed.ResourceType.String())
	known := kind == "microsoft.recoveryservices/vaults/backupjobs" || kind == "microsoft.dataprotection/backupvaults/backupjobs"
	return parsed.Parent.String(), parsed.Name, known
}

func (a azure) trackJob() step.Flow {
	return step.Flow{
		Name: trackJobFlow, Version: 1,
		Summary:  "follow a job that something else started to its end",
		Deadline: 4 * 24 * time.Hour,
		Check:    checkTrackJob,
		Steps: []step.Step{
			{Name: "find-job", Effect: step.Read, Run: a.findTrackedJob},
			awaitJob("await-job", awaitedJob{read: a.serviceJob(jobVault), last: true}),
			awaitJob("await-instance-job", awaitedJob{read: a.trackedInstanceJob, last: true}),
		},
	}
}

// findTrackedJob tells by the id which provider runs the job. Canceling this
// operation stops following the job; the job is someone else's.
func (a azure) findTrackedJob(_ context.Context, c step.Call) (operation.Outcome, error) {
	id, err := trackedJobID(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, name, _ := cutJob(id)
	out := skipTo("await-job", "a job of a Recovery Services vault")
	if _, err := resourceid.ParseVaultID(vault, resourceid.RecoveryServicesVault); err != nil {
		out = skipTo("await-instance-job", "a job of a Backup vault")
	}
	out.Tracking = &operation.Tracking{SubmittedAt: c.Now, JobID: name}
	return out, nil
}

func trackedJobID(c step.Call) (string, error) {
	var p TrackJob
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return "", fatal("ParametersUnreadable", err.Error())
	}
	return p.JobID, nil
}

func jobVault(c step.Call) (resourceid.VaultID, error) {
	id, err := trackedJobID(c)
	if err != nil {
		return resourceid.VaultID{}, err
	}
	vault, _, _ := cutJob(id)
	return resourceid.ParseVaultID(vault, resourceid.RecoveryServicesVault)
}

// trackedInstanceJob reads a job of the Backup vault that the request named.
func (a azure) trackedInstanceJob(ctx context.Context, c step.Call) (job, error) {
	id, err := trackedJobID(c)
	if err != nil {
		return job{}, err
	}
	vault, name, _ := cutJob(id)
	parsed, err := resourceid.ParseVaultID(vault, resourceid.BackupVault)
	if err != nil {
		return job{}, fatal("ParametersUnreadable", err.Error())
	}
	return a.vaultJob(ctx, c, parsed, name)
}
