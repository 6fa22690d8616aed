package recoveryservices

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// JobFilter filters a list of jobs. Empty fields do not filter.
type JobFilter struct {
	// Operation is such as OperationBackup. It is not sent: Azure's filter compares
	// the whole name, and jobs of workloads are named "Backup (Full)".
	Operation string
	// BackupManagementType is one of the Management constants.
	BackupManagementType string
	// Status is InProgress, Completed, Failed and so on.
	Status string
	// StartTime and EndTime limit when a job started. Set both or none. They are
	// widened to whole seconds.
	StartTime, EndTime time.Time
}

// jobTime is the time format of the filter: in UTC, on a 12-hour clock.
const jobTime = "2006-01-02 03:04:05 PM"

// odata returns the OData filter.
func (f JobFilter) odata() (string, error) {
	var terms []string
	if f.StartTime.IsZero() != f.EndTime.IsZero() {
		return "", errors.New("a filter of jobs needs both a start and an end time, or neither")
	}
	if !f.StartTime.IsZero() {
		end := f.EndTime.UTC().Truncate(time.Second)
		if end.Before(f.EndTime) {
			end = end.Add(time.Second)
		}
		terms = append(terms,
			equal("startTime", f.StartTime.UTC().Truncate(time.Second).Format(jobTime)), equal("endTime", end.Format(jobTime)))
	}
	for _, term := range [][2]string{
		{"backupManagementType", f.BackupManagementType}, {"status", f.Status},
	} {
		if term[1] != "" {
			terms = append(terms, equal(term[0], term[1]))
		}
	}
	return all(terms...), nil
}

// GetJob reads a job with its details. jobID is the GUID or the full resource
// ID.
//
// JobDetails - Get: GET {vault}/backupJobs/{job}.
func (c *Client) GetJob(ctx context.Context, vault resourceid.VaultID, jobID string) (Job, error) {
	return vaultapi.Get(ctx, c.api, jobBody.job, vault, "backupJobs", resourceid.LastName(jobID))
}

// ListJobs lists jobs, all pages. Listed jobs have no PropertyBag.
//
// BackupJobs - List: GET {vault}/backupJobs.
func (c *Client) ListJobs(ctx context.Context, vault resourceid.VaultID, f JobFilter) ([]Job, error) {
	filter, err := f.odata()
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	jobs, err := vaultapi.List(ctx, c.api, jobBody.job, filter, vault, "backupJobs")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(j Job) bool { return f.Operation != "" && !j.Runs(f.Operation) }), nil
}

// CancelJob requests the cancellation of a job. jobID is the GUID or the full
// resource ID.
//
// JobCancellations - Trigger: POST {vault}/backupJobs/{job}/cancel, no body.
// It answers 202. Read the job to learn whether it ends as Cancelled.
func (c *Client) CancelJob(ctx context.Context, vault resourceid.VaultID, jobID string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPost}, vault, "backupJobs", resourceid.LastName(jobID), "cancel")
}
