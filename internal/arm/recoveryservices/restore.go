package recoveryservices

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/vaultapi"
)

// OperationRestore is the operation of a restore's job. A workload's job is
// named "Restore (Full)" once it has completed.
const OperationRestore = "Restore"

// Values of recoveryType.
const (
	restoreOriginal  = sdk.RecoveryTypeOriginalLocation
	restoreAlternate = sdk.RecoveryTypeAlternateLocation
	restoreDisks     = sdk.RecoveryTypeRestoreDisks
)

// Restore is the content of a restore request: a FileShareRestore, a
// MachineRestore or a DatabaseRestore.
type Restore interface {
	properties(recoveryPoint string) (sdk.RestoreRequestClassification, error)
}

// TriggerRestore starts a restore of a recovery point. A second call starts a
// second restore. attemptID is sent as x-ms-client-request-id; according to
// recordings, the job that starts has it as its ActivityID. The operation only
// reports that the job exists: the job alone reports whether the restore
// worked.
//
// Restores - Trigger: POST {item}/recoveryPoints/{point}/restore. Answers 202;
// the Azure-AsyncOperation names the job.
func (c *Client) TriggerRestore(ctx context.Context, itemID, recoveryPoint string, r Restore, attemptID string) (lro.Submission, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	properties, err := r.properties(recoveryPoint)
	if err != nil {
		return lro.Submission{}, azerr.Malformed(err)
	}
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Body: sdk.RestoreRequestResource{Properties: properties}, ClientRequestID: attemptID,
	}, id.Vault, id.names("recoveryPoints", recoveryPoint, "restore")...)
}

// FileShareRestore restores a file share, or some of its files.
type FileShareRestore struct {
	// SourceResourceID is the storage account of the protected share.
	SourceResourceID string
	// Conflict is Overwrite, Skip, CreateCopy or FailOnConflict: what happens to
	// files that exist in the target.
	Conflict string
	// Target is another share; nil restores into the share itself.
	Target *ShareTarget
	// Files are the files and folders to restore; empty restores the whole share.
	Files []RestoredFile
}

// ShareTarget is the file share that a restore writes to. It must exist.
type ShareTarget struct{ StorageAccountID, Share string }

// RestoredFile is a file or a folder of the share.
type RestoredFile struct {
	// Path is relative to the share, without a slash at its beginning.
	Path   string
	Folder bool
	// TargetFolder is the folder of the target share; empty for the share itself.
	TargetFolder string
}

func (r FileShareRestore) properties(string) (sdk.RestoreRequestClassification, error) {
	p := &sdk.AzureFileShareRestoreRequest{
		RecoveryType: to.Ptr(restoreOriginal), RestoreRequestType: to.Ptr(sdk.RestoreRequestTypeFullShareRestore),
		SourceResourceID: to.Ptr(r.SourceResourceID), CopyOptions: to.Ptr(sdk.CopyOptions(r.Conflict)),
	}
	if r.Target != nil {
		p.RecoveryType = to.Ptr(restoreAlternate)
		p.TargetDetails = &sdk.TargetAFSRestoreInfo{Name: to.Ptr(r.Target.Share), TargetResourceID: to.Ptr(r.Target.StorageAccountID)}
	}
	for _, f := range r.Files {
		p.RestoreRequestType = to.Ptr(sdk.RestoreRequestTypeItemLevelRestore)
		one := &sdk.RestoreFileSpecs{Path: to.Ptr(f.Path), FileSpecType: to.Ptr("File")}
		if f.Folder {
			one.FileSpecType = to.Ptr("Directory")
		}
		if f.TargetFolder != "" {
			one.TargetFolderPath = to.Ptr(f.TargetFolder)
		}
		p.RestoreFileSpecs = append(p.RestoreFileSpecs, one)
	}
	return p, nil
}
