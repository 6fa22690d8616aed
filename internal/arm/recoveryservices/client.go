package recoveryservices

import (
	"fmt"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

const (
	// APIVersion is the api-version of Azure Backup's calls: that of the model
	// types of armrecoveryservicesbackup v4.2.0.
	APIVersion = "2025-02-01"
	// VaultAPIVersion is the api-version of the call that reads the vault
	// itself, which belongs to another API (Microsoft.RecoveryServices, Vaults -
	// Get). The Azure CLI was recorded with it.
	VaultAPIVersion = "2024-04-01"
)

// fabric is the only backup fabric of Azure workloads.
const fabric = "Azure"

// Values of backupManagementType.
const (
	ManagementAzureStorage  = "AzureStorage"
	ManagementAzureIaasVM   = "AzureIaasVM"
	ManagementAzureWorkload = "AzureWorkload"
)

// Values of workloadType and itemType: file shares, virtual machines.
const (
	workloadAzureFileShare = "AzureFileShare"
	workloadVM             = "VM"
)

// Client calls the Recovery Services API.
type Client struct {
	api vaultapi.API
	// vaults reads the vaults themselves.
	vaults vaultapi.API
}

// New returns a client over the ARM client.
func New(c *arm.Client) *Client {
	return &Client{
		api:    vaultapi.New(c, resourceid.RecoveryServicesVault, APIVersion),
		vaults: vaultapi.New(c, resourceid.RecoveryServicesVault, VaultAPIVersion),
	}
}

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client {
	return &Client{api: c.api.With(o), vaults: c.vaults.With(o)}
}

// equal returns one term of an OData filter.
func equal(name, value string) string {
	return fmt.Sprintf("%s eq '%s'", name, strings.ReplaceAll(value, "'", "''"))
}

// all joins the terms of an OData filter.
func all(terms ...string) string { return strings.Join(terms, " and ") }
