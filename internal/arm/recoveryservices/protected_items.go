package recoveryservices

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// Values of protectedItemType.
const (
	ItemAzureFileShare        = "AzureFileShareProtectedItem"
	ItemVirtualMachine        = "Microsoft.Compute/virtualMachines"
	ItemClassicVirtualMachine = "Microsoft.ClassicCompute/virtualMachines"
	ItemIaaSVM                = "AzureIaaSVMProtectedItem"
	ItemSQLDatabase           = "AzureVmWorkloadSQLDatabase"
	ItemSAPHanaDatabase       = "AzureVmWorkloadSAPHanaDatabase"
	ItemSAPHanaDBInstance     = "AzureVmWorkloadSAPHanaDBInstance"
	ItemSAPAseDatabase        = "AzureVmWorkloadSAPAseDatabase"
	ItemAzureVMWorkload       = "AzureVmWorkloadProtectedItem"
)

// Values of protectionState.
const (
	StateInvalid           = "Invalid"
	StateIRPending         = "IRPending"
	StateProtected         = "Protected"
	StateProtectionError   = "ProtectionError"
	StateProtectionPaused  = "ProtectionPaused"
	StateProtectionStopped = "ProtectionStopped"
	StateBackupsSuspended  = "BackupsSuspended"
)

// ProtectedItem is an item that a vault protects.
type ProtectedItem struct {
	ID   string
	Name string
	// ContainerName is read from the ID.
	ContainerName string
	// Type is the protectedItemType, one of the Item constants.
	Type string
	// FriendlyName is the name of the file share, virtual machine or database.
	FriendlyName string
	// SourceResourceID is the resource ID of the storage account or virtual
	// machine.
	SourceResourceID     string
	PolicyID             string
	ProtectionState      string
	ProtectionStatus     string
	BackupManagementType string
	WorkloadType         string
	LastBackupStatus     string
	// LastBackupTime is zero before the first backup.
	LastBackupTime time.Time
	// SoftDeleted reports that the item was deleted and its backups are still
	// kept.
	SoftDeleted bool
	// PurgedAfter is how long Azure still keeps the backups of a soft-deleted
	// item; zero if Azure does not report it.
	PurgedAfter time.Duration
	// LastRecoveryPoint is the time of the newest recovery point; zero if Azure
	// does not report it.
	LastRecoveryPoint time.Time
	// Parent is the instance of a database, such as MSSQLSERVER.
	Parent string
}

type protectedBody struct {
	ID         string
	Name       string
	Properties struct {
		ProtectedItemType            azjson.Text
		ContainerName                azjson.Text
		FriendlyName                 azjson.Text
		SourceResourceID             azjson.Text
		PolicyID                     azjson.Text
		ProtectionState              azjson.Text
		ProtectionStatus             azjson.Text
		BackupManagementType         azjson.Text
		WorkloadType                 azjson.Text
		LastBackupStatus             azjson.Text
		LastBackupTime               azjson.Time
		IsScheduledForDeferredDelete azjson.Text
		DeferredDeleteTimeRemaining  azjson.Text
		LastRecoveryPoint            azjson.Time
		ParentName                   azjson.Text
	}
}

func (b protectedBody) item() ProtectedItem {
	p := b.Properties
	container := resourceid.NameAfter(b.ID, "protectionContainers")
	if container == "" {
		container = string(p.ContainerName)
	}
	return ProtectedItem{
		ID: b.ID, Name: b.Name, ContainerName: container,
		Type:                 string(p.ProtectedItemType),
		FriendlyName:         string(p.FriendlyName),
		SourceResourceID:     string(p.SourceResourceID),
		PolicyID:             string(p.PolicyID),
		ProtectionState:      string(p.ProtectionState),
		ProtectionStatus:     string(p.ProtectionStatus),
		BackupManagementType: string(p.BackupManagementType),
		WorkloadType:         string(p.WorkloadType),
		LastBackupStatus:     string(p.LastBackupStatus),
		LastBackupTime:       p.LastBackupTime.Time,
		SoftDeleted:          p.IsScheduledForDeferredDelete.Bool(),
		PurgedAfter:          p.DeferredDeleteTimeRemaining.Duration(),
		LastRecoveryPoint:    p.LastRecoveryPoint.Time,
		Parent:               string(p.ParentName),
	}
}

// ListProtectedFileShares lists the file shares that the vault protects, all
// pages.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) ListProtectedFileShares(ctx context.Context, vault resourceid.VaultID) ([]ProtectedItem, error) {
	return c.ListProtectedItems(ctx, vault, workloadAzureFileShare)
}

// WorkloadTypes returns the workload types that ListProtectedItems accepts.
func WorkloadTypes() []string {
	return []string{workloadAzureFileShare, workloadVM, string(WorkloadSQL), string(WorkloadHana)}
}

// ListProtectedMachines lists the virtual machines that the vault protects, all
// pages.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) ListProtectedMachines(ctx context.Context, vault resourceid.VaultID) ([]ProtectedItem, error) {
	return c.ListProtectedItems(ctx, vault, workloadVM)
}

// FindProtectedFileShares lists the protected file shares of a name, in any
// storage account: a vault may protect thousands of others.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) FindProtectedFileShares(ctx context.Context, vault resourceid.VaultID, name string) ([]ProtectedItem, error) {
	filter := all(equal("backupManagementType", ManagementAzureStorage), equal("itemType", workloadAzureFileShare), equal("friendlyName", name))
	return vaultapi.List(ctx, c.api, protectedBody.item, filter, vault, "backupProtectedItems")
}

// ListProtectedItems lists the items that the vault protects, all pages. A
// workloadType (AzureFileShare, VM, SQLDataBase or SAPHanaDatabase) filters
// them.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) ListProtectedItems(ctx context.Context, vault resourceid.VaultID, workloadType string) ([]ProtectedItem, error) {
	filter := ""
	switch workloadType {
	case "":
	case workloadAzureFileShare:
		filter = all(equal("backupManagementType", ManagementAzureStorage), equal("itemType", workloadType))
	case workloadVM:
		filter = all(equal("backupManagementType", ManagementAzureIaasVM), equal("itemType", workloadType))
	default:
		filter = all(equal("backupManagementType", ManagementAzureWorkload), equal("itemType", workloadType))
	}
	return vaultapi.List(ctx, c.api, protectedBody.item, filter, vault, "backupProtectedItems")
}

// GetProtectedItem reads a protected item of any type by its resource ID.
//
// ProtectedItems - Get: GET {container}/protectedItems/{item}.
func (c *Client) GetProtectedItem(ctx context.Context, itemID string) (ProtectedItem, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return ProtectedItem{}, azerr.Malformed(err)
	}
	return vaultapi.Get(ctx, c.api, protectedBody.item, id.Vault, id.names()...)
}

// ProtectFileShare protects a file share with a policy. container and item are
// names that ListProtectableFileShares returned, sourceResourceID is its
// ParentContainerFabricID.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// an AzureFileShareProtectedItem. It is done when the Azure-AsyncOperation says
// Succeeded, with a ConfigureBackup job.
func (c *Client) ProtectFileShare(ctx context.Context, vault resourceid.VaultID, container, item, sourceResourceID, policyID string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPut,
		Body: sdk.ProtectedItemResource{Properties: &sdk.AzureFileshareProtectedItem{
			SourceResourceID: to.Ptr(sourceResourceID),
			PolicyID:         to.Ptr(policyID),
		}},
	}, vault, "backupFabrics", fabric, "protectionContainers", container, "protectedItems", item)
}
