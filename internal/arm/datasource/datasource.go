// Package datasource reads the resources that can be protected: storage accounts
// with their file shares, virtual machines, and the datasources of Backup vaults.
// It reads what rules match: names, locations and tags. It knows no rules and
// writes nothing.
package datasource

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
)

// The ARM types.
const (
	TypeStorageAccount = "Microsoft.Storage/storageAccounts"
	TypeFileShare      = TypeStorageAccount + "/fileServices/shares"
	TypeFlexibleServer = kinds.DatasourceFlexibleServer
)

// storageVersion is the api-version of the calls of Microsoft.Storage.
const storageVersion = "2023-05-01"

// versionOf returns the api-version of reads and lists of an ARM type; ok is false
// for a type that this package does not read.
func versionOf(resourceType string) (apiVersion string, ok bool) {
	for name, v := range map[string]string{TypeStorageAccount: storageVersion, TypeVirtualMachine: computeVersion} {
		if strings.EqualFold(name, resourceType) {
			return v, true
		}
	}
	for _, k := range kinds.All() {
		if k.SourceVersion != "" && strings.EqualFold(k.SourceType, resourceType) {
			return k.SourceVersion, true
		}
	}
	return "", false
}

// Readable reports whether Get and List know an ARM type.
func Readable(resourceType string) bool {
	_, ok := versionOf(resourceType)
	return ok
}

// Client calls the APIs of the resources' providers.
type Client struct {
	arm *arm.Client
}

// New returns a client over the ARM client.
func New(c *arm.Client) *Client { return &Client{arm: c} }

// With returns a copy of the client whose calls have these options.
func (c *Client) With(o arm.CallOptions) *Client { return New(c.arm.With(o)) }

// Resource is a resource that can be protected.
type Resource struct {
	ID       string
	Name     string
	Location string
	Tags     map[string]string
	// Created is when the resource was created; zero if Azure does not report it.
	Created time.Time
	// Hierarchical is set for storage accounts with a hierarchical namespace (Data
	// Lake Storage Gen2).
	Hierarchical bool
	// ImagePublisher is the publisher of a virtual machine's marketplace image;
	// empty for other images and other resources.
	ImagePublisher string
}

type body struct {
	ID         string
	Name       string
	Location   string
	Tags       map[string]string
	SystemData struct{ CreatedAt azjson.Time }
	Properties struct {
		CreationTime, TimeCreated azjson.Time
		IsHnsEnabled              azjson.Text
		SecurityProfile           struct{ SecurityType azjson.Text }
		StorageProfile            struct {
			ImageReference struct{ Publisher azjson.Text }
		}
	}
}

func (b body) resource() Resource {
	r := Resource{
		ID: b.ID, Name: b.Name, Location: b.Location, Tags: b.Tags, Hierarchical: b.Properties.IsHnsEnabled.Bool(),
		ImagePublisher: string(b.Properties.StorageProfile.ImageReference.Publisher),
	}
	for _, at := range []azjson.Time{b.Properties.CreationTime, b.Properties.TimeCreated, b.SystemData.CreatedAt} {
		if r.Created.IsZero() {
			r.Created = at.Time
		}
	}
	return r
}

// version returns the query of a call.
func version(v string) url.Values { return url.Values{"api-version": {v}} }

// Get reads a resource by its resource ID. The type must be one that List knows.
//
// GET {resource}: Storage Accounts - Get Properties, Virtual Machines - Get,
// Disks - Get, Managed Clusters - Get, Servers - Get.
func (c *Client) Get(ctx context.Context, id string) (Resource, error) {
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return Resource{}, azerr.Malformed(err)
	}
	apiVersion, ok := versionOf(parsed.ResourceType.String())
	if !ok {
		return Resource{}, azerr.Malformed(errors.New("resources of type " + parsed.ResourceType.String() + " cannot be read"))
	}
	var b body
	if err := c.arm.Get(ctx, id, version(apiVersion), &b); err != nil {
		return Resource{}, err
	}
	return b.resource(), nil
}

// List lists the resources of an ARM type in a subscription, all pages: storage
// accounts, virtual machines, and the datasources of Backup vaults.
//
// GET /subscriptions/{s}/providers/{type}: Storage Accounts - List, Virtual
// Machines - List All, Disks - List, Managed Clusters - List, Servers - List.
func (c *Client) List(ctx context.Context, subscription, resourceType string) ([]Resource, error) {
	path, err := resourceid.Below("/subscriptions", subscription)
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	apiVersion, ok := versionOf(resourceType)
	if !ok {
		return nil, azerr.Malformed(errors.New("resources of type " + resourceType + " cannot be listed"))
	}
	bodies, err := arm.All[body](ctx, c.arm, path+"/providers/"+resourceType, version(apiVersion))
	if err != nil {
		return nil, fmt.Errorf("list the %s of subscription %s: %w", resourceType, subscription, err)
	}
	resources := make([]Resource, len(bodies))
	for i, b := range bodies {
		resources[i] = b.resource()
	}
	return resources, nil
}

// resourcesVersion is the api-version of the list of all resources.
const resourcesVersion = "2021-04-01"

// ListResources lists the resources of a subscription with their tags, all pages. It
// has no child resources, such as file shares.
//
// Resources - List: GET /subscriptions/{s}/resources.
func (c *Client) ListResources(ctx context.Context, subscription string) ([]Resource, error) {
	path, err := resourceid.Below("/subscriptions", subscription, "resources")
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	bodies, err := arm.All[body](ctx, c.arm, path, version(resourcesVersion))
	if err != nil {
		return nil, fmt.Errorf("list the resources of subscription %s: %w", subscription, err)
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
