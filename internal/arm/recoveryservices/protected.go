package recoveryservices

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
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

// Values of protectionState that flows tell apart.
const (
	StateIRPending         = "IRPending"
	StateProtectionStopped = "ProtectionStopped"
	StateBackupsSuspended  = "BackupsSuspended"
)

// ProtectedItem is an item that the vault protects.
type ProtectedItem struct {
	ID   string
	Name string
	// ContainerName is the container's, read from the id.
	ContainerName string
	// Type is the protectedItemType, one of the Item constants.
	Type string
	// FriendlyName is the file share's, virtual machine's or database's name.
	FriendlyName string
	// SourceResourceID is the storage account's or virtual machine's id.
	SourceResourceID     string
	PolicyID             string
	ProtectionState      string
	ProtectionStatus     string
	BackupManagementType string
	WorkloadType         string
	LastBackupStatus     string
	// LastBackupTime is zero before the first backup.
	LastBackupTime time.Time
	// SoftDeleted: the item was deleted and its backups are kept for a while.
	SoftDeleted bool
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
	}
}

// ListProtectedFileShares lists the file shares that the vault protects, all
// pages.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) ListProtectedFileShares(ctx context.Context, vault resourceid.VaultID) ([]ProtectedItem, error) {
	return c.ListProtectedItems(ctx, vault, workloadAzureFileShare)
}

// ListProtectedItems lists the items that the vault protects, all pages; only
// those of a workload type (AzureFileShare, VM, SQLDataBase or SAPHanaDatabase)
// if it is not empty.
//
// BackupProtectedItems - List: GET {vault}/backupProtectedItems.
func (c *Client) ListProtectedItems(ctx context.Context, vault resourceid.VaultID, workloadType string) ([]ProtectedItem, error) {
	path, err := vaultPath(vault, "backupProtectedItems")
	if err != nil {
		return nil, err
	}
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
	items, err := arm.All[protectedBody](ctx, c.arm, path, query(filter))
	if err != nil {
		return nil, err
	}
	found := make([]ProtectedItem, len(items))
	for i, b := range items {
		found[i] = b.item()
	}
	return found, nil
}

// GetProtectedItem reads a protected item of any kind by its resource id.
//
// ProtectedItems - Get: GET {container}/protectedItems/{item}.
func (c *Client) GetProtectedItem(ctx context.Context, itemID string) (ProtectedItem, error) {
	path, err := itemPath(itemID)
	if err != nil {
		return ProtectedItem{}, err
	}
	var body protectedBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return ProtectedItem{}, err
	}
	return body.item(), nil
}

// ProtectFileShare puts a file share under a policy. Container and item are the
// names that ListProtectableFileShares gave, sourceResourceID is its
// ParentContainerFabricID.
//
// ProtectedItems - Create Or Update: PUT {container}/protectedItems/{item} with
// an AzureFileShareProtectedItem. Done when the Azure-AsyncOperation says
// Succeeded, with a ConfigureBackup job.
func (c *Client) ProtectFileShare(ctx context.Context, vault resourceid.VaultID, container, item, sourceResourceID, policyID string) (lro.Submission, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "protectionContainers", container, "protectedItems", item)
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPut, Path: path, Query: query(""),
		Body: sdk.ProtectedItemResource{Properties: &sdk.AzureFileshareProtectedItem{
			SourceResourceID: to.Ptr(sourceResourceID),
			PolicyID:         to.Ptr(policyID),
		}},
	})
}

// itemPath is the path of a protected item, with more names below it.
func itemPath(itemID string, more ...string) (string, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return "", azerr.Malformed(err)
	}
	return vaultPath(id.Vault, append([]string{"backupFabrics", id.Fabric, "protectionContainers", id.Container, "protectedItems", id.Item}, more...)...)
}
