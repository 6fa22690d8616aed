package recoveryservices

import (
	"context"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
)

// ProtectableFileShare is a file share that the vault has found.
type ProtectableFileShare struct {
	ID string
	// Name is the item's, such as azurefileshare;<hash>, to be used as it is.
	Name string
	// ContainerName is the container's, read from the id.
	ContainerName string
	// FriendlyName is the file share's name.
	FriendlyName string
	// ParentContainerFabricID is the storage account's resource id.
	ParentContainerFabricID string
	// ProtectionState is NotProtected, Protecting, Protected and so on.
	ProtectionState string
}

// ListProtectableFileShares lists the file shares of registered storage
// accounts that are not protected, all pages. A new share is missing until its
// storage account was inquired.
//
// BackupProtectableItems - List: GET {vault}/backupProtectableItems.
func (c *Client) ListProtectableFileShares(ctx context.Context, vault resourceid.VaultID) ([]ProtectableFileShare, error) {
	path, err := vaultPath(vault, "backupProtectableItems")
	if err != nil {
		return nil, err
	}
	type item struct {
		ID         string
		Name       string
		Properties struct {
			FriendlyName            azjson.Text
			ParentContainerFabricID azjson.Text
			ProtectionState         azjson.Text
		}
	}
	items, err := arm.All[item](ctx, c.arm, path,
		query(all(equal("backupManagementType", ManagementAzureStorage), equal("workloadType", workloadAzureFileShare))))
	if err != nil {
		return nil, err
	}
	found := make([]ProtectableFileShare, len(items))
	for i, b := range items {
		found[i] = ProtectableFileShare{
			ID: b.ID, Name: b.Name,
			ContainerName:           resourceid.NameAfter(b.ID, "protectionContainers"),
			FriendlyName:            string(b.Properties.FriendlyName),
			ParentContainerFabricID: string(b.Properties.ParentContainerFabricID),
			ProtectionState:         string(b.Properties.ProtectionState),
		}
	}
	return found, nil
}
