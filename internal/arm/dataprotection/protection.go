package dataprotection

import (
	"context"
	"net/http"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/lro"
)

// DeleteInstance stops protection and deletes the backup data; a vault with
// soft delete keeps it for a while.
//
// Backup Instances - Delete: DELETE {vault}/backupInstances/{instance}. Answers
// 202; 204, with which the Submission is Done, where there is no such instance.
func (c *Client) DeleteInstance(ctx context.Context, id InstanceID) (lro.Submission, error) {
	path, err := id.path()
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{Method: http.MethodDelete, Path: path, Query: query("")})
}

// StopProtection stops backups and keeps what there is forever.
//
// Backup Instances - Stop Protection: POST {instance}/stopProtection, without
// the optional body. Answers 202 or 200; read the instance until
// ProtectionStopped.
func (c *Client) StopProtection(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "stopProtection")
}

// SuspendBackups stops backups and keeps what there is as long as the policy
// says.
//
// Backup Instances - Suspend Backups: POST {instance}/suspendBackups, without
// the optional body. Answers 202 or 200; read the instance until
// BackupSchedulesSuspended.
func (c *Client) SuspendBackups(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "suspendBackups")
}

// ResumeProtection undoes StopProtection.
//
// Backup Instances - Resume Protection: POST {instance}/resumeProtection, no
// body. Answers 202 or 200; read the instance until ProtectionConfigured.
func (c *Client) ResumeProtection(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "resumeProtection")
}

// ResumeBackups undoes SuspendBackups.
//
// Backup Instances - Resume Backups: POST {instance}/resumeBackups, no body.
// Answers 202 or 200; read the instance until ProtectionConfigured.
func (c *Client) ResumeBackups(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "resumeBackups")
}

func (c *Client) act(ctx context.Context, id InstanceID, action string) (lro.Submission, error) {
	path, err := id.path(action)
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{Method: http.MethodPost, Path: path, Query: query("")})
}
