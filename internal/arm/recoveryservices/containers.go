package recoveryservices

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v4"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// Registered is the registrationStatus of a registered container.
const Registered = "Registered"

// ProtectableContainer is a storage account that can be registered with the
// vault.
type ProtectableContainer struct {
	// Name is the container's name. Use it unchanged.
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
	// RegistrationStatus is Registered once the registration has finished.
	RegistrationStatus string
	HealthStatus       string
}

type protectableContainerBody struct {
	Name       string
	Properties struct {
		FriendlyName azjson.Text
		ContainerID  azjson.Text
	}
}

func (b protectableContainerBody) container() ProtectableContainer {
	return ProtectableContainer{
		Name: b.Name, FriendlyName: string(b.Properties.FriendlyName), ContainerID: string(b.Properties.ContainerID),
	}
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

// RefreshContainers makes the vault discover storage accounts with file shares.
//
// ProtectionContainers - Refresh: POST {vault}/backupFabrics/Azure/refreshContainers
// with a filter and no body. It is done when the Location answers 204.
func (c *Client) RefreshContainers(ctx context.Context, vault resourceid.VaultID) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Filter: equal("backupManagementType", ManagementAzureStorage),
	}, vault, "backupFabrics", fabric, "refreshContainers")
}

// ListProtectableContainers lists the storage accounts that the vault has
// discovered but not registered, all pages.
//
// ProtectableContainers - List: GET {vault}/backupFabrics/Azure/protectableContainers.
func (c *Client) ListProtectableContainers(ctx context.Context, vault resourceid.VaultID) ([]ProtectableContainer, error) {
	return vaultapi.List(ctx, c.api, protectableContainerBody.container, equal("backupManagementType", ManagementAzureStorage),
		vault, "backupFabrics", fabric, "protectableContainers")
}

// ListRegisteredContainers lists the storage accounts that are registered with
// the vault, all pages. A friendlyName, which is the name of a storage account,
// filters them.
//
// BackupProtectionContainers - List: GET {vault}/backupProtectionContainers.
func (c *Client) ListRegisteredContainers(ctx context.Context, vault resourceid.VaultID, friendlyName string) ([]Container, error) {
	terms := []string{equal("backupManagementType", ManagementAzureStorage)}
	if friendlyName != "" {
		terms = append(terms, equal("friendlyName", friendlyName))
	}
	terms = append(terms, equal("status", Registered))
	return vaultapi.List(ctx, c.api, containerBody.container, all(terms...), vault, "backupProtectionContainers")
}

// GetContainer reads a registered container.
//
// ProtectionContainers - Get: GET {vault}/backupFabrics/Azure/protectionContainers/{container}.
func (c *Client) GetContainer(ctx context.Context, vault resourceid.VaultID, container string) (Container, error) {
	return vaultapi.Get(ctx, c.api, containerBody.container, vault, "backupFabrics", fabric, "protectionContainers", container)
}

// RegisterStorageAccount registers a storage account with the vault. container
// is a name that ListProtectableContainers returned.
//
// ProtectionContainers - Register: PUT {vault}/backupFabrics/Azure/protectionContainers/{container}
// with an AzureStorageContainer. It is done when the Location answers 200 with the
// container, registrationStatus Registered.
func (c *Client) RegisterStorageAccount(ctx context.Context, vault resourceid.VaultID, container, sourceResourceID string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPut,
		Body: sdk.ProtectionContainerResource{Properties: &sdk.AzureStorageContainer{
			BackupManagementType: to.Ptr(sdk.BackupManagementTypeAzureStorage),
			SourceResourceID:     to.Ptr(sourceResourceID),
		}},
	}, vault, "backupFabrics", fabric, "protectionContainers", container)
}

// Inquire makes the vault discover the file shares of a registered storage
// account.
//
// ProtectionContainers - Inquire: POST {container}/inquire with a filter and no
// body. It is done when the Location answers 204.
func (c *Client) Inquire(ctx context.Context, vault resourceid.VaultID, container string) (lro.Submission, error) {
	return c.api.Start(ctx, vaultapi.Call{
		Method: http.MethodPost, Filter: equal("workloadType", workloadAzureFileShare),
	}, vault, "backupFabrics", fabric, "protectionContainers", container, "inquire")
}
