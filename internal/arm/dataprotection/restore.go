package dataprotection

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/dataprotection/armdataprotection/v3"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
)

// Values of a rehydration's priority.
const (
	PriorityStandard = "Standard"
	PriorityHigh     = "High"
)

// RestoreRequest is what a recovery point is restored with: as a database or as
// files, one of the two.
type RestoreRequest struct {
	RecoveryPointID string
	// SourceDataStoreType is StoreVault or StoreArchive.
	SourceDataStoreType string
	// SourceResourceID is the datasource that was backed up; optional.
	SourceResourceID string
	// RestoreLocation is the target's region.
	RestoreLocation string
	// Rehydration goes with StoreArchive, and only with it.
	Rehydration *Rehydration
	// Database or Files is the target.
	Database *DatabaseTarget
	Files    *FilesTarget
}

// Rehydration is how a recovery point comes back from the archive.
type Rehydration struct {
	// Priority is PriorityStandard or PriorityHigh.
	Priority string
	// RetentionDuration is how long it stays in the vault store, in ISO 8601,
	// such as P15D.
	RetentionDuration string
}

// DatabaseTarget is a database that the restore makes. It must not exist.
type DatabaseTarget struct {
	Datasource Datasource
	// DatasourceSet is the database's server.
	DatasourceSet *Datasource
	// SecretURI is the Key Vault secret with the target's credentials.
	SecretURI string
}

// FilesTarget is a container of blobs that the restore writes files to.
type FilesTarget struct {
	// URL is the container's.
	URL string
	// FilePrefix is what the files' names begin with.
	FilePrefix string
	// TargetResourceID is the container's resource id; needed where the vault
	// does not restore across subscriptions and the URL does not tell the
	// subscription.
	TargetResourceID string
}

// body is the request object: bare in a restore, wrapped in its validation.
func (r RestoreRequest) body() (sdk.AzureBackupRestoreRequestClassification, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	store := to.Ptr(sdk.SourceDataStoreType(r.SourceDataStoreType))
	if r.Rehydration == nil {
		return &sdk.AzureBackupRecoveryPointBasedRestoreRequest{
			RecoveryPointID: to.Ptr(r.RecoveryPointID), SourceDataStoreType: store, SourceResourceID: given(r.SourceResourceID),
			RestoreTargetInfo: r.target(),
		}, nil
	}
	return &sdk.AzureBackupRestoreWithRehydrationRequest{
		RecoveryPointID: to.Ptr(r.RecoveryPointID), SourceDataStoreType: store, SourceResourceID: given(r.SourceResourceID),
		RestoreTargetInfo:            r.target(),
		RehydrationPriority:          to.Ptr(sdk.RehydrationPriority(r.Rehydration.Priority)),
		RehydrationRetentionDuration: to.Ptr(r.Rehydration.RetentionDuration),
	}, nil
}

func (r RestoreRequest) target() sdk.RestoreTargetInfoBaseClassification {
	if d := r.Database; d != nil {
		return &sdk.RestoreTargetInfo{
			RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: given(r.RestoreLocation),
			DatasourceInfo: d.Datasource.member(), DatasourceSetInfo: d.DatasourceSet.set(),
			DatasourceAuthCredentials: secret(d.SecretURI),
		}
	}
	return &sdk.RestoreFilesTargetInfo{
		RecoveryOption: to.Ptr(sdk.RecoveryOptionFailIfExists), RestoreLocation: given(r.RestoreLocation),
		TargetDetails: &sdk.TargetDetails{
			RestoreTargetLocationType: to.Ptr(sdk.RestoreTargetLocationTypeAzureBlobs),
			URL:                       to.Ptr(r.Files.URL), FilePrefix: to.Ptr(r.Files.FilePrefix),
			TargetResourceArmID: given(r.Files.TargetResourceID),
		},
	}
}

// ValidateRestore asks whether a restore could be made.
//
// Backup Instances - Validate For Restore: POST {instance}/validateRestore with
// the request wrapped in restoreRequestObject. Answers 202; done when the
// Azure-AsyncOperation says Succeeded or Failed. There is no job.
func (c *Client) ValidateRestore(ctx context.Context, id InstanceID, r RestoreRequest) (lro.Submission, error) {
	path, err := id.path("validateRestore")
	if err != nil {
		return lro.Submission{}, err
	}
	body, err := r.body()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(""), Body: sdk.ValidateRestoreRequestObject{RestoreRequestObject: body},
	})
}

// Restore starts a restore. It must not be made twice: attemptID is sent as
// x-ms-client-request-id, and as far as recordings show the job that starts
// carries it as its ActivityID. Two restores of one instance are else told apart
// by their target only.
//
// Backup Instances - Trigger Restore: POST {instance}/restore with the bare
// request. Answers 202; the Azure-AsyncOperation, and the Location at its top,
// name the job by its full resource id.
func (c *Client) Restore(ctx context.Context, id InstanceID, r RestoreRequest, attemptID string) (lro.Submission, error) {
	path, err := id.path("restore")
	if err != nil {
		return lro.Submission{}, err
	}
	body, err := r.body()
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(""), Body: body, ClientRequestID: attemptID,
	})
}
