package recoveryservices

import (
	"context"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// ProtectableFileShare is a file share that the vault has discovered.
type ProtectableFileShare struct {
	ID string
	// Name is the item's name, such as azurefileshare;<hash>. Use it unchanged.
	Name string
	// ContainerName is read from the ID.
	ContainerName string
	// FriendlyName is the file share's name.
	FriendlyName string
	// ParentContainerFabricID is the storage account's resource ID.
	ParentContainerFabricID string
	// ProtectionState is NotProtected, Protecting, Protected and so on.
	ProtectionState string
}

// ListProtectableFileShares lists the unprotected file shares of registered
// storage accounts, all pages. It does not list a new share before its storage
// account was inquired.
//
// BackupProtectableItems - List: GET {vault}/backupProtectableItems.
func (c *Client) ListProtectableFileShares(ctx context.Context, vault resourceid.VaultID) ([]ProtectableFileShare, error) {
	filter := all(equal("backupManagementType", ManagementAzureStorage), equal("workloadType", workloadAzureFileShare))
	return vaultapi.List(ctx, c.api, protectableBody.fileShare, filter, vault, "backupProtectableItems")
}

type protectableBody struct {
	ID         string
	Name       string
	Properties struct {
		FriendlyName            azjson.Text
		ParentContainerFabricID azjson.Text
		ProtectionState         azjson.Text
	}
}

func (b protectableBody) fileShare() ProtectableFileShare {
	return ProtectableFileShare{
		ID: b.ID, Name: b.Name,
		ContainerName:           resourceid.NameAfter(b.ID, "protectionContainers"),
		FriendlyName:            string(b.Properties.FriendlyName),
		ParentContainerFabricID: string(b.Properties.ParentContainerFabricID),
		ProtectionState:         string(b.Properties.ProtectionState),
	}
}
