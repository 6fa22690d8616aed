// Package datasource reads the resources that can be protected: storage accounts
// with their file shares, and PostgreSQL flexible servers. It reads what rules
// match: names, locations and tags. It knows no rules and writes nothing.
package datasource

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
)

// The ARM types.
const (
	TypeStorageAccount = "Microsoft.Storage/storageAccounts"
	TypeFileShare      = TypeStorageAccount + "/fileServices/shares"
	TypeFlexibleServer = "Microsoft.DBforPostgreSQL/flexibleServers"
)

// The api-version of each provider's calls.
const (
	storageVersion    = "2023-05-01"
	postgreSQLVersion = "2024-08-01"
)

// Client calls the APIs of the resources' providers.
type Client struct {
	arm *arm.Client
}

// New returns a client over the ARM client.
func New(c *arm.Client) *Client { return &Client{arm: c} }

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client { return New(c.arm.With(o)) }

// Resource is a storage account or a flexible server.
type Resource struct {
	ID       string
	Name     string
	Location string
	Tags     map[string]string
	// Created is when the resource was created; zero if Azure does not report it.
	Created time.Time
}

type body struct {
	ID         string
	Name       string
	Location   string
	Tags       map[string]string
	SystemData struct{ CreatedAt azjson.Time }
	Properties struct{ CreationTime azjson.Time }
}

func (b body) resource() Resource {
	r := Resource{ID: b.ID, Name: b.Name, Location: b.Location, Tags: b.Tags, Created: b.Properties.CreationTime.Time}
	if r.Created.IsZero() {
		r.Created = b.SystemData.CreatedAt.Time
	}
	return r
}

// version returns the query of a call.
func version(v string) url.Values { return url.Values{"api-version": {v}} }

// GetStorageAccount reads a storage account by its resource ID.
//
// Storage Accounts - Get Properties: GET {account}.
func (c *Client) GetStorageAccount(ctx context.Context, id string) (Resource, error) {
	return c.get(ctx, id, storageVersion)
}

// GetFlexibleServer reads a PostgreSQL flexible server by its resource ID.
//
// Servers - Get: GET {server}.
func (c *Client) GetFlexibleServer(ctx context.Context, id string) (Resource, error) {
	return c.get(ctx, id, postgreSQLVersion)
}

func (c *Client) get(ctx context.Context, id, apiVersion string) (Resource, error) {
	var b body
	if err := c.arm.Get(ctx, id, version(apiVersion), &b); err != nil {
		return Resource{}, err
	}
	return b.resource(), nil
}

// ListStorageAccounts lists the storage accounts of a subscription, all pages.
//
// Storage Accounts - List: GET /subscriptions/{s}/providers/Microsoft.Storage/storageAccounts.
func (c *Client) ListStorageAccounts(ctx context.Context, subscription string) ([]Resource, error) {
	return c.list(ctx, subscription, TypeStorageAccount, storageVersion)
}

// ListFlexibleServers lists the PostgreSQL flexible servers of a subscription,
// all pages.
//
// Servers - List: GET /subscriptions/{s}/providers/Microsoft.DBforPostgreSQL/flexibleServers.
func (c *Client) ListFlexibleServers(ctx context.Context, subscription string) ([]Resource, error) {
	return c.list(ctx, subscription, TypeFlexibleServer, postgreSQLVersion)
}

func (c *Client) list(ctx context.Context, subscription, kind, apiVersion string) ([]Resource, error) {
	path, err := resourceid.Below("/subscriptions", subscription)
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	bodies, err := arm.All[body](ctx, c.arm, path+"/providers/"+kind, version(apiVersion))
	if err != nil {
		return nil, fmt.Errorf("list the %s of subscription %s: %w", kind, subscription, err)
	}
	resources := make([]Resource, len(bodies))
	for i, b := range bodies {
		resources[i] = b.resource()
	}
	return resources, nil
}

// ListFileShares lists the names of a storage account's file shares, all pages,
// without deleted shares and snapshots.
//
// File Shares - List: GET {account}/fileServices/default/shares.
func (c *Client) ListFileShares(ctx context.Context, accountID string) ([]string, error) {
	shares, err := arm.All[struct{ Name string }](ctx, c.arm, accountID+"/fileServices/default/shares", version(storageVersion))
	if err != nil {
		return nil, fmt.Errorf("list the file shares of %s: %w", accountID, err)
	}
	names := make([]string, len(shares))
	for i, s := range shares {
		names[i] = s.Name
	}
	return names, nil
}

// FileShareID returns the resource ID of a storage account's file share.
func FileShareID(accountID, share string) string {
	return accountID + "/fileServices/default/shares/" + share
}
