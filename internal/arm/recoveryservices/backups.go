package recoveryservices

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// Values of a backup request's objectType.
const (
	BackupAzureFileShare = "AzureFileShareBackupRequest"
	BackupIaasVM         = "IaasVMBackupRequest"
	BackupAzureWorkload  = "AzureWorkloadBackupRequest"
)

// BackupRequest holds the options of an on-demand backup.
type BackupRequest struct {
	// ObjectType is one of the Backup constants and must match the item.
	ObjectType string
	// BackupType is Full, Differential, Log, CopyOnlyFull, Incremental,
	// SnapshotFull or SnapshotCopyOnlyFull; for AzureWorkload only.
	BackupType string
	// EnableCompression is for AzureWorkload only.
	EnableCompression *bool
	// RecoveryPointExpiryTimeInUTC is when the backup expires; zero uses the
	// retention of the policy.
	RecoveryPointExpiryTimeInUTC time.Time
	// ETag, Location and Tags belong to the resource; all are optional.
	ETag     string
	Location string
	Tags     map[string]string
}

// TriggerBackup starts an on-demand backup of a protected item. A second call
// starts a second backup. attemptID is sent as x-ms-client-request-id; according
// to recordings, the job that starts has it as its ActivityID.
//
// Backups - Trigger: POST {container}/protectedItems/{item}/backup with a
// BackupRequestResource. Answers 202; the Azure-AsyncOperation names the job.
func (c *Client) TriggerBackup(ctx context.Context, itemID string, r BackupRequest, attemptID string) (lro.Submission, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	body, err := r.resource()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{Method: http.MethodPost, Body: body, ClientRequestID: attemptID}, id.Vault, id.names("backup")...)
}

// resource returns the request body.
func (r BackupRequest) resource() (sdk.BackupRequestResource, error) {
	var body sdk.BackupRequestResource
	var expiry *time.Time
	if !r.RecoveryPointExpiryTimeInUTC.IsZero() {
		expiry = to.Ptr(r.RecoveryPointExpiryTimeInUTC.UTC())
	}
	if r.ObjectType != BackupAzureWorkload && (r.BackupType != "" || r.EnableCompression != nil) {
		return body, errors.New("backupType and enableCompression are for " + BackupAzureWorkload + " only")
	}
	switch r.ObjectType {
	case BackupAzureFileShare:
		body.Properties = &sdk.AzureFileShareBackupRequest{RecoveryPointExpiryTimeInUTC: expiry}
	case BackupIaasVM:
		body.Properties = &sdk.IaasVMBackupRequest{RecoveryPointExpiryTimeInUTC: expiry}
	case BackupAzureWorkload:
		w := &sdk.AzureWorkloadBackupRequest{EnableCompression: r.EnableCompression, RecoveryPointExpiryTimeInUTC: expiry}
		if r.BackupType != "" {
			w.BackupType = to.Ptr(sdk.BackupType(r.BackupType))
		}
		body.Properties = w
	default:
		return body, fmt.Errorf("objectType %q is not one of %s, %s, %s", r.ObjectType, BackupAzureFileShare, BackupIaasVM, BackupAzureWorkload)
	}
	if r.ETag != "" {
		body.ETag = to.Ptr(r.ETag)
	}
	if r.Location != "" {
		body.Location = to.Ptr(r.Location)
	}
	if len(r.Tags) > 0 {
		body.Tags = make(map[string]*string, len(r.Tags))
		for k, v := range r.Tags {
			body.Tags[k] = to.Ptr(v)
		}
	}
	return body, nil
}
