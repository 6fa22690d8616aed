package recoveryservices

import (
	"context"
	"errors"
	"net/http"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

// JobFilter says which jobs to list; empty fields do not filter.
type JobFilter struct {
	// Operation is such as OperationBackup.
	Operation string
	// BackupManagementType is one of the Management constants.
	BackupManagementType string
	// Status is Azure's word: InProgress, Completed, Failed and so on.
	Status string
	// StartTime and EndTime bound when a job started. They go together, and
	// are widened to whole seconds.
	StartTime, EndTime time.Time
}

// jobTime is how the jobs' filter writes a time, in UTC, with the hours of half
// a day.
const jobTime = "2006-01-02 03:04:05 PM"

// odata writes the filter.
func (f JobFilter) odata() (string, error) {
	var terms []string
	if f.StartTime.IsZero() != f.EndTime.IsZero() {
		return "", errors.New("a job list's start and end time go together")
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
		{"operation", f.Operation}, {"backupManagementType", f.BackupManagementType}, {"status", f.Status},
	} {
		if term[1] != "" {
			terms = append(terms, equal(term[0], term[1]))
		}
	}
	return all(terms...), nil
}

// GetJob reads a job with its details. jobID is the bare GUID or the full
// resource id.
//
// JobDetails - Get: GET {vault}/backupJobs/{job}.
func (c *Client) GetJob(ctx context.Context, vault resourceid.VaultID, jobID string) (Job, error) {
	path, err := vaultPath(vault, "backupJobs", JobName(jobID))
	if err != nil {
		return Job{}, err
	}
	var body jobBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Job{}, err
	}
	return body.job(), nil
}

// ListJobs lists jobs, all pages. Listed jobs lack their PropertyBag.
//
// BackupJobs - List: GET {vault}/backupJobs.
func (c *Client) ListJobs(ctx context.Context, vault resourceid.VaultID, f JobFilter) ([]Job, error) {
	path, err := vaultPath(vault, "backupJobs")
	if err != nil {
		return nil, err
	}
	filter, err := f.odata()
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	items, err := arm.All[jobBody](ctx, c.arm, path, query(filter))
	if err != nil {
		return nil, err
	}
	jobs := make([]Job, len(items))
	for i, b := range items {
		jobs[i] = b.job()
	}
	return jobs, nil
}

// CancelJob asks a job to end. jobID is the bare GUID or the full resource id.
//
// JobCancellations - Trigger: POST {vault}/backupJobs/{job}/cancel, no body.
// Answers 202; the job itself tells whether it ends as Cancelled.
func (c *Client) CancelJob(ctx context.Context, vault resourceid.VaultID, jobID string) (lro.Submission, error) {
	path, err := vaultPath(vault, "backupJobs", JobName(jobID), "cancel")
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{Method: http.MethodPost, Path: path, Query: query("")})
}

// JobName is the bare GUID of a job that is named by it or by its resource id.
func JobName(jobID string) string {
	return resourceid.LastName(jobID)
}
