package dataprotection

import (
	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// APIVersion is the api-version of the calls: that of the model types of
// armdataprotection v3.1.0. Kinds with newer bodies
// have their own.
const APIVersion = "2024-04-01"

// Client calls the Data Protection API.
type Client struct {
	api vaultapi.API
}

// New returns a client over the ARM client.
func New(c *arm.Client) *Client {
	return &Client{api: vaultapi.New(c, resourceid.BackupVault, APIVersion)}
}

// At returns a copy of the client whose calls have another api-version, such as
// that of a Kind.
func (c *Client) At(version string) *Client { return &Client{api: c.api.At(version)} }

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client { return &Client{api: c.api.With(o)} }
