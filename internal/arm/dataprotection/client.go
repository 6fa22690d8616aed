package dataprotection

import (
	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// APIVersion is the api-version of every call: that of the model types of
// armdataprotection v3.1.0.
const APIVersion = "2024-04-01"

// Client calls the Data Protection API.
type Client struct {
	api vaultapi.API
}

// New returns a client over the ARM client.
func New(c *arm.Client) *Client {
	return &Client{api: vaultapi.New(c, resourceid.BackupVault, APIVersion)}
}

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client { return &Client{api: c.api.With(o)} }
