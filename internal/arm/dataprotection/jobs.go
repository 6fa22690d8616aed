package dataprotection

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
)

// JobFilter says which jobs to keep of a list; empty fields do not filter. The
// API filters nothing: every page is read, and what does not fit is dropped.
type JobFilter struct {
	// BackupInstanceID is the instance's resource id.
	BackupInstanceID string
	// OperationCategory is such as CategoryRestore.
	OperationCategory string
	// StartedSince keeps jobs that started at that time or later.
	StartedSince time.Time
}

func (f JobFilter) keeps(j Job) bool {
	return (f.BackupInstanceID == "" || resourceid.Equal(f.BackupInstanceID, j.BackupInstanceID)) &&
		(f.OperationCategory == "" || strings.EqualFold(f.OperationCategory, j.OperationCategory)) &&
		!j.StartTime.Before(f.StartedSince)
}

// GetJob reads a job with its details. jobID is the bare GUID or the full
// resource id, in any casing: operations name the latter.
//
// Jobs - Get: GET {vault}/backupJobs/{job}.
func (c *Client) GetJob(ctx context.Context, vault resourceid.VaultID, jobID string) (Job, error) {
	path, err := vaultPath(vault, "backupJobs", resourceid.LastName(jobID))
	if err != nil {
		return Job{}, err
	}
	var body jobBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Job{}, err
	}
	return body.job(), nil
}

// ListJobs lists the vault's jobs that the filter keeps, all pages, in no order
// that Azure promises. Listed jobs lack the details that GetJob reads: errors,
// recovery points, target and subtasks.
//
// Jobs - List: GET {vault}/backupJobs.
func (c *Client) ListJobs(ctx context.Context, vault resourceid.VaultID, f JobFilter) ([]Job, error) {
	path, err := vaultPath(vault, "backupJobs")
	if err != nil {
		return nil, err
	}
	var found []Job
	err = c.arm.List(ctx, path, query(""), func(item json.RawMessage) error {
		var body jobBody
		if err := json.Unmarshal(item, &body); err != nil {
			return err
		}
		if j := body.job(); f.keeps(j) {
			found = append(found, j)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
