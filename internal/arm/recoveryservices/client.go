package recoveryservices

import (
	"fmt"
	"net/url"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/resourceid"
)

// APIVersion is the one api-version of every call: that of the model types of
// armrecoveryservicesbackup v4.2.0.
const APIVersion = "2025-02-01"

// fabric is the only backup fabric of Azure's own workloads.
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
	arm *arm.Client
}

// New makes a client over the ARM client.
func New(c *arm.Client) *Client { return &Client{arm: c} }

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client { return New(c.arm.With(o)) }

// query is the query of every call; an empty filter is left out.
func query(filter string) url.Values {
	q := url.Values{"api-version": {APIVersion}}
	if filter != "" {
		q.Set("$filter", filter)
	}
	return q
}

// equal is one term of an OData filter.
func equal(name, value string) string {
	return fmt.Sprintf("%s eq '%s'", name, strings.ReplaceAll(value, "'", "''"))
}

// all joins the terms of an OData filter.
func all(terms ...string) string { return strings.Join(terms, " and ") }

// vaultPath returns the path of a resource below a vault.
func vaultPath(v resourceid.VaultID, names ...string) (string, error) {
	path, err := v.Path(names...)
	if err != nil {
		return "", azerr.Malformed(err)
	}
	return path, nil
}
