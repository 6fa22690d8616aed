package dataprotection

import (
	"context"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// JobFilter filters a list of jobs. Empty fields do not filter. The API cannot
// filter: every page is read, and jobs that do not match are dropped.
type JobFilter struct {
	// BackupInstanceID is the instance's resource ID.
	BackupInstanceID string
	// OperationCategory is such as CategoryRestore.
	OperationCategory string
	// StartedSince matches jobs that started at that time or later, and jobs whose
	// start time cannot be read.
	StartedSince time.Time
}

// matches reports whether the filter includes a job.
func (f JobFilter) matches(j Job) bool {
	return (f.BackupInstanceID == "" || resourceid.Equal(f.BackupInstanceID, j.BackupInstanceID)) &&
		(f.OperationCategory == "" || strings.EqualFold(f.OperationCategory, j.OperationCategory)) &&
		(j.StartTime.IsZero() || !j.StartTime.Before(f.StartedSince))
}

// GetJob reads a job with its details. jobID is the GUID or the full resource
// ID, in any casing.
//
// Jobs - Get: GET {vault}/backupJobs/{job}.
func (c *Client) GetJob(ctx context.Context, vault resourceid.VaultID, jobID string) (Job, error) {
	return vaultapi.Get(ctx, c.api, jobBody.job, vault, "backupJobs", resourceid.LastName(jobID))
}

// ListJobs lists the vault's jobs that match the filter, all pages. Azure
// guarantees no order. Listed jobs lack the details that GetJob reads: errors,
// recovery points, target and subtasks.
//
// Jobs - List: GET {vault}/backupJobs.
func (c *Client) ListJobs(ctx context.Context, vault resourceid.VaultID, f JobFilter) ([]Job, error) {
	jobs, err := vaultapi.List(ctx, c.api, jobBody.job, "", vault, "backupJobs")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(j Job) bool { return !f.matches(j) }), nil
}
