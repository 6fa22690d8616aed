package dataprotection

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// Values of a rehydration's priority.
const (
	PriorityStandard = "Standard"
	PriorityHigh     = "High"
)

// RestoreRequest holds the options of a restore.
type RestoreRequest struct {
	// RecoveryPointID is the recovery point, PointInTime the time of a continuous
	// backup; set exactly one.
	RecoveryPointID string
	PointInTime     time.Time
	// SourceDataStoreType is one of the Store constants.
	SourceDataStoreType string
	// SourceResourceID is the backed-up datasource; optional.
	SourceResourceID string
	// RestoreLocation is the target's region.
	RestoreLocation string
	// UserAssignedIdentityID is the identity of the vault to use; empty means the
	// system-assigned identity.
	UserAssignedIdentityID string
	// Rehydration is required with StoreArchive and not allowed otherwise.
	Rehydration *Rehydration
	// Database, Files or Resource is the target; set exactly one.
	Database *DatabaseTarget
	Files    *FilesTarget
	Resource *ResourceTarget
}

// Rehydration copies a recovery point from the archive to the vault store.
type Rehydration struct {
	// Priority is PriorityStandard or PriorityHigh.
	Priority string
	// RetentionDuration is how long the copy is kept, in ISO 8601, such as P15D.
	RetentionDuration string
}

// DatabaseTarget is the database that the restore creates. It must not exist
// yet.
type DatabaseTarget struct {
	Datasource Datasource
	// DatasourceSet is the database's server.
	DatasourceSet *Datasource
	// SecretURI is the Key Vault secret with the target's credentials.
	SecretURI string
}

// FilesTarget is the blob container that the restore writes files to.
type FilesTarget struct {
	// URL is the container's URL.
	URL string
	// FilePrefix is the prefix of the file names.
	FilePrefix string
	// TargetResourceID is the container's resource ID. It is required if the
	// vault does not restore across subscriptions, because the URL does not
	// contain the subscription.
	TargetResourceID string
}

// ResourceTarget is a resource that the restore creates or writes to: a disk, a
// storage account or a cluster.
type ResourceTarget struct {
	Datasource Datasource
	// DatasourceSet is nil for kinds that do not name it.
	DatasourceSet *Datasource
	// Ranges, Paths or Cluster select parts; without any, everything is restored.
	Ranges  []BlobRange
	Paths   []BlobPath
	Cluster *ClusterRestore
}

// body returns the request body of a restore. Its validation wraps it in
// another object.
func (r RestoreRequest) body() (sdk.AzureBackupRestoreRequestClassification, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	store := to.Ptr(sdk.SourceDataStoreType(r.SourceDataStoreType))
	switch {
	case !r.PointInTime.IsZero():
		return &sdk.AzureBackupRecoveryTimeBasedRestoreRequest{
			RecoveryPointTime: to.Ptr(r.PointInTime.UTC().Format(recoveryPointTime)), SourceDataStoreType: store, SourceResourceID: optional(r.SourceResourceID),
			RestoreTargetInfo: r.target(), IdentityDetails: identity(r.UserAssignedIdentityID),
		}, nil
	case r.Rehydration == nil:
		return &sdk.AzureBackupRecoveryPointBasedRestoreRequest{
			RecoveryPointID: to.Ptr(r.RecoveryPointID), SourceDataStoreType: store, SourceResourceID: optional(r.SourceResourceID),
			RestoreTargetInfo: r.target(), IdentityDetails: identity(r.UserAssignedIdentityID),
		}, nil
	}
	return &sdk.AzureBackupRestoreWithRehydrationRequest{
		RecoveryPointID: to.Ptr(r.RecoveryPointID), SourceDataStoreType: store, SourceResourceID: optional(r.SourceResourceID),
		RestoreTargetInfo: r.target(), IdentityDetails: identity(r.UserAssignedIdentityID),
		RehydrationPriority:          to.Ptr(sdk.RehydrationPriority(r.Rehydration.Priority)),
		RehydrationRetentionDuration: to.Ptr(r.Rehydration.RetentionDuration),
	}, nil
}

// target returns the target of the request body.
func (r RestoreRequest) target() sdk.RestoreTargetInfoBaseClassification {
	if d := r.Database; d != nil {
		return &sdk.RestoreTargetInfo{
			RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: optional(r.RestoreLocation),
			DatasourceInfo: d.Datasource.member(), DatasourceSetInfo: d.DatasourceSet.set(),
			DatasourceAuthCredentials: secret(d.SecretURI),
		}
	}
	if r.Resource != nil {
		return r.Resource.target(r.RestoreLocation)
	}
	return &sdk.RestoreFilesTargetInfo{
		RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: optional(r.RestoreLocation),
		TargetDetails: &sdk.TargetDetails{
			RestoreTargetLocationType: to.Ptr(sdk.RestoreTargetLocationTypeAzureBlobs),
			URL:                       to.Ptr(r.Files.URL), FilePrefix: to.Ptr(r.Files.FilePrefix),
			TargetResourceArmID: optional(r.Files.TargetResourceID),
		},
	}
}

// ValidateRestore checks whether a restore would be accepted.
//
// Backup Instances - Validate For Restore: POST {instance}/validateRestore with
// the request wrapped in restoreRequestObject. It answers 202 and is done when
// the Azure-AsyncOperation is Succeeded or Failed. There is no job.
func (c *Client) ValidateRestore(ctx context.Context, id InstanceID, r RestoreRequest) (lro.Submission, error) {
	body, err := r.body()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Body: sdk.ValidateRestoreRequestObject{RestoreRequestObject: body},
	}, id.Vault, id.names("validateRestore")...)
}

// Restore starts a restore. A second call starts a second restore. attemptID is
// sent as x-ms-client-request-id; according to recordings, the job that starts
// has it as its ActivityID. Otherwise only the target distinguishes two restores
// of one instance.
//
// Backup Instances - Trigger Restore: POST {instance}/restore with the request.
// It answers 202. The Azure-AsyncOperation, and the Location at the top of its
// body, name the job by its full resource ID.
func (c *Client) Restore(ctx context.Context, id InstanceID, r RestoreRequest, attemptID string) (lro.Submission, error) {
	body, err := r.body()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Body: body, ClientRequestID: attemptID,
	}, id.Vault, id.names("restore")...)
}
