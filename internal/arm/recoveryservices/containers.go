package recoveryservices

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

// Registered is the registrationStatus of a container that is ready.
const Registered = "Registered"

// ProtectableContainer is a storage account that the vault could register.
type ProtectableContainer struct {
	// Name is the container's, to be used as it is.
	Name string
	// FriendlyName is the storage account's name.
	FriendlyName string
	// ContainerID is the storage account's resource id.
	ContainerID string
}

// Container is a storage account that is registered with the vault.
type Container struct {
	ID   string
	Name string
	// FriendlyName is the storage account's name.
	FriendlyName string
	// SourceResourceID is the storage account's resource id.
	SourceResourceID string
	// RegistrationStatus is Registered when the container is ready.
	RegistrationStatus string
	HealthStatus       string
}

type containerBody struct {
	ID         string
	Name       string
	Properties struct {
		FriendlyName       azjson.Text
		SourceResourceID   azjson.Text
		RegistrationStatus azjson.Text
		HealthStatus       azjson.Text
	}
}

func (b containerBody) container() Container {
	return Container{
		ID: b.ID, Name: b.Name,
		FriendlyName:       string(b.Properties.FriendlyName),
		SourceResourceID:   string(b.Properties.SourceResourceID),
		RegistrationStatus: string(b.Properties.RegistrationStatus),
		HealthStatus:       string(b.Properties.HealthStatus),
	}
}

// RefreshContainers makes the vault look for storage accounts with file shares.
//
// ProtectionContainers - Refresh: POST {vault}/backupFabrics/Azure/refreshContainers
// with a filter and no body. Done when the Location answers 204.
func (c *Client) RefreshContainers(ctx context.Context, vault resourceid.VaultID) (lro.Submission, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "refreshContainers")
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(equal("backupManagementType", ManagementAzureStorage)),
	})
}

// ListProtectableContainers lists the storage accounts that the vault has found
// and not registered, all pages.
//
// ProtectableContainers - List: GET {vault}/backupFabrics/Azure/protectableContainers.
func (c *Client) ListProtectableContainers(ctx context.Context, vault resourceid.VaultID) ([]ProtectableContainer, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "protectableContainers")
	if err != nil {
		return nil, err
	}
	type item struct {
		Name       string
		Properties struct {
			FriendlyName azjson.Text
			ContainerID  azjson.Text
		}
	}
	items, err := arm.All[item](ctx, c.arm, path, query(equal("backupManagementType", ManagementAzureStorage)))
	if err != nil {
		return nil, err
	}
	found := make([]ProtectableContainer, len(items))
	for i, b := range items {
		found[i] = ProtectableContainer{
			Name: b.Name, FriendlyName: string(b.Properties.FriendlyName), ContainerID: string(b.Properties.ContainerID),
		}
	}
	return found, nil
}

// ListRegisteredContainers lists the storage accounts that are registered with
// the vault, all pages; only those with the friendly name, which is the storage
// account's name, if it is not empty.
//
// BackupProtectionContainers - List: GET {vault}/backupProtectionContainers.
func (c *Client) ListRegisteredContainers(ctx context.Context, vault resourceid.VaultID, friendlyName string) ([]Container, error) {
	path, err := vaultPath(vault, "backupProtectionContainers")
	if err != nil {
		return nil, err
	}
	filter := []string{equal("backupManagementType", ManagementAzureStorage)}
	if friendlyName != "" {
		filter = append(filter, equal("friendlyName", friendlyName))
	}
	items, err := arm.All[containerBody](ctx, c.arm, path, query(all(append(filter, equal("status", Registered))...)))
	if err != nil {
		return nil, err
	}
	found := make([]Container, len(items))
	for i, b := range items {
		found[i] = b.container()
	}
	return found, nil
}

// GetContainer reads a registered container.
//
// ProtectionContainers - Get: GET {vault}/backupFabrics/Azure/protectionContainers/{container}.
func (c *Client) GetContainer(ctx context.Context, vault resourceid.VaultID, container string) (Container, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "protectionContainers", container)
	if err != nil {
		return Container{}, err
	}
	var body containerBody
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Container{}, err
	}
	return body.container(), nil
}

// RegisterStorageAccount registers a storage account with the vault. The
// container's name is that of ListProtectableContainers.
//
// ProtectionContainers - Register: PUT {vault}/backupFabrics/Azure/protectionContainers/{container}
// with an AzureStorageContainer. Done when the Location answers 200 with the
// container, registrationStatus Registered.
func (c *Client) RegisterStorageAccount(ctx context.Context, vault resourceid.VaultID, container, sourceResourceID string) (lro.Submission, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "protectionContainers", container)
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPut, Path: path, Query: query(""),
		Body: sdk.ProtectionContainerResource{Properties: &sdk.AzureStorageContainer{
			BackupManagementType: to.Ptr(sdk.BackupManagementTypeAzureStorage),
			SourceResourceID:     to.Ptr(sourceResourceID),
		}},
	})
}

// Inquire makes the vault look for the file shares of a registered storage
// account.
//
// ProtectionContainers - Inquire: POST {container}/inquire with a filter and no
// body. Done when the Location answers 204.
func (c *Client) Inquire(ctx context.Context, vault resourceid.VaultID, container string) (lro.Submission, error) {
	path, err := vaultPath(vault, "backupFabrics", fabric, "protectionContainers", container, "inquire")
	if err != nil {
		return lro.Submission{}, err
	}
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPost, Path: path, Query: query(equal("workloadType", workloadAzureFileShare)),
	})
}
