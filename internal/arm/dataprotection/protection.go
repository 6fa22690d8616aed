package dataprotection

import (
	"context"
	"net/http"

	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// DeleteInstance stops protection and deletes the backup data. A vault with soft
// delete keeps the data for its retention period.
//
// Backup Instances - Delete: DELETE {vault}/backupInstances/{instance}. It
// answers 202, or 204 if the instance does not exist; the Submission is then
// Done.
func (c *Client) DeleteInstance(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodDelete}, id.Vault, id.names()...)
}

// StopProtection stops backups and keeps the recovery points forever.
//
// Backup Instances - Stop Protection: POST {instance}/stopProtection, without
// the optional body. It answers 202 or 200. Read the instance until it is
// ProtectionStopped.
func (c *Client) StopProtection(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "stopProtection")
}

// SuspendBackups stops backups and keeps the recovery points according to the
// policy.
//
// Backup Instances - Suspend Backups: POST {instance}/suspendBackups, without
// the optional body. It answers 202 or 200. Read the instance until it is
// BackupsSuspended.
func (c *Client) SuspendBackups(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "suspendBackups")
}

// ResumeProtection undoes StopProtection and, as recorded, SuspendBackups.
//
// Backup Instances - Resume Protection: POST {instance}/resumeProtection, no
// body. It answers 202 or 200. Read the instance until it is
// ProtectionConfigured.
func (c *Client) ResumeProtection(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.act(ctx, id, "resumeProtection")
}

// act sends one of the POSTs without a body.
func (c *Client) act(ctx context.Context, id InstanceID, action string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPost}, id.Vault, id.names(action)...)
}

// UndeleteInstance brings back a soft-deleted backup instance with its backups.
// Its protection is then stopped.
//
// Deleted Backup Instances - Undelete: POST
// {vault}/deletedBackupInstances/{instance}/undelete. Recorded answers are 200
// at once, empty and without an operation; the Submission is then Done. The API
// description also has 202. 404 means that there is nothing to undelete.
func (c *Client) UndeleteInstance(ctx context.Context, id InstanceID) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPost}, id.Vault, "deletedBackupInstances", id.Name, "undelete")
}
