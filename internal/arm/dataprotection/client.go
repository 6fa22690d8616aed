package dataprotection

import (
	"net/url"

	"azbackupflow/internal/arm"
)

// APIVersion is the one api-version of every call: that of the model types of
// armdataprotection v3.1.0.
const APIVersion = "2024-04-01"

// Client calls the Data Protection API.
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
