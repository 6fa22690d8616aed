// Package drillplace makes, reads, marks and deletes the places of restore drills:
// file shares and blob containers of a storage account, and managed disks. It knows
// no drill: whether a place may be deleted is decided by the caller, who reads its
// mark first.
package drillplace

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
)

// The ARM types of places.
const (
	TypeFileShare = "Microsoft.Storage/storageAccounts/fileServices/shares"
	TypeContainer = "Microsoft.Storage/storageAccounts/blobServices/containers"
	TypeDisk      = "Microsoft.Compute/disks"
)

// The api-versions of the calls.
const (
	storageVersion = "2023-05-01"
	computeVersion = "2024-03-02"
)

// The names of the mark: metadata of shares and containers, whose names are those
// of C# identifiers, and a tag of disks.
const (
	MetadataName = "azbackupflowdrill"
	TagName      = "azbackupflow-drill"
)

// Place is a file share, a blob container or a disk that exists.
type Place struct {
	ID string
	// Mark names the drill that the place belongs to; empty if it has no mark.
	Mark string
	// Tags are the tags of a disk.
	Tags map[string]string
	// Bytes is the size: the approximate usage of a share, the capacity of a disk.
	// It is 0 for a container, whose size Resource Manager does not report.
	Bytes int64
	// State is the state of a disk, such as Unattached. Ready reports that Azure has
	// finished to make it.
	State string
	Ready bool
	// Created is when a disk was created; zero for others.
	Created time.Time
	// Modified is when a container was created, or its metadata changed; zero for
	// others.
	Modified time.Time
	// System is set for a disk with an operating system, Attached for one that a
	// machine uses, Deleting for one that Azure deletes.
	System, Attached, Deleting bool
}

// Client makes the calls.
type Client struct{ arm *arm.Client }

// New returns a client over the ARM client.
func New(c *arm.Client) *Client { return &Client{arm: c} }

type body struct {
	ID         string            `json:"id"`
	Tags       map[string]string `json:"tags"`
	ManagedBy  azjson.Text       `json:"managedBy"`
	Properties struct {
		Metadata          map[string]string `json:"metadata"`
		ShareUsageBytes   int64             `json:"shareUsageBytes"`
		DiskSizeBytes     int64             `json:"diskSizeBytes"`
		DiskSizeGB        int64             `json:"diskSizeGB"`
		DiskState         azjson.Text       `json:"diskState"`
		ProvisioningState azjson.Text       `json:"provisioningState"`
		TimeCreated       azjson.Time       `json:"timeCreated"`
		LastModifiedTime  azjson.Time       `json:"lastModifiedTime"`
		OSType            azjson.Text       `json:"osType"`
	} `json:"properties"`
}

// place converts the answer. Azure may return the names of metadata and tags in
// another casing.
func (b body) place() Place {
	p := b.Properties
	place := Place{
		ID: b.ID, Tags: b.Tags, Bytes: max(p.ShareUsageBytes, p.DiskSizeBytes), State: string(p.DiskState), Created: p.TimeCreated.Time,
		Ready: p.ProvisioningState == "" || strings.EqualFold(string(p.ProvisioningState), "Succeeded"), Modified: p.LastModifiedTime.Time,
		System: p.OSType != "", Attached: b.ManagedBy != "", Deleting: strings.EqualFold(string(p.ProvisioningState), "Deleting"),
	}
	if place.Bytes == 0 {
		place.Bytes = p.DiskSizeGB << 30
	}
	for name, value := range p.Metadata {
		if strings.EqualFold(name, MetadataName) {
			place.Mark = value
		}
	}
	for name, value := range b.Tags {
		if strings.EqualFold(name, TagName) {
			place.Mark = value
		}
	}
	return place
}

// typeOf returns the ARM type of a place in the spelling above; empty for others.
func typeOf(id string) string {
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return ""
	}
	for _, known := range []string{TypeFileShare, TypeContainer, TypeDisk} {
		if strings.EqualFold(parsed.ResourceType.String(), known) {
			return known
		}
	}
	return ""
}

// query returns the query of a call on a place.
func query(id string) (url.Values, error) {
	switch typeOf(id) {
	case TypeFileShare, TypeContainer:
		return url.Values{"api-version": {storageVersion}}, nil
	case TypeDisk:
		return url.Values{"api-version": {computeVersion}}, nil
	}
	return nil, azerr.Malformed(errNoPlace(id))
}

type errNoPlace string

func (e errNoPlace) Error() string {
	return "\"" + string(e) + "\" is not the resource ID of a file share, a blob container or a disk"
}

// Get reads a place. The usage of a share may not include recent changes.
//
// File Shares - Get with $expand=stats, Blob Containers - Get, Disks - Get.
func (c *Client) Get(ctx context.Context, id string) (Place, error) {
	q, err := query(id)
	if err != nil {
		return Place{}, err
	}
	if typeOf(id) == TypeFileShare {
		q.Set("$expand", "stats")
	}
	var b body
	if err := c.arm.Get(ctx, id, q, &b); err != nil {
		return Place{}, err
	}
	return b.place(), nil
}

// ListDisks lists the disks of a resource group, all pages.
//
// Disks - List By Resource Group: GET {group}/providers/Microsoft.Compute/disks.
func (c *Client) ListDisks(ctx context.Context, groupID string) ([]Place, error) {
	groupID = strings.TrimRight(groupID, "/")
	parsed, err := resourceid.Parse(groupID)
	if err != nil || !strings.EqualFold(parsed.ResourceType.String(), "Microsoft.Resources/resourceGroups") {
		return nil, azerr.Malformed(errNoGroup(groupID))
	}
	listed, err := arm.All[body](ctx, c.arm, groupID+"/providers/"+TypeDisk, url.Values{"api-version": {computeVersion}})
	if err != nil {
		return nil, err
	}
	disks := make([]Place, len(listed))
	for i, one := range listed {
		disks[i] = one.place()
	}
	return disks, nil
}

type errNoGroup string

func (e errNoGroup) Error() string {
	return "\"" + string(e) + "\" is not the resource ID of a resource group"
}

// Make creates a file share or a blob container with a mark. If it exists, Azure
// changes it: read it first.
//
// File Shares - Create, Blob Containers - Create: PUT {place}.
func (c *Client) Make(ctx context.Context, id, mark string) error {
	return c.write(ctx, http.MethodPut, id, map[string]any{"properties": map[string]any{"metadata": map[string]string{MetadataName: mark}}})
}

// Mark adds a mark to a container or a disk that has none. tags are those that the
// disk has: Azure replaces all of them.
//
// Blob Containers - Update, Disks - Update: PATCH {place}.
func (c *Client) Mark(ctx context.Context, id, mark string, tags map[string]string) error {
	if typeOf(id) != TypeDisk {
		return c.write(ctx, http.MethodPatch, id, map[string]any{"properties": map[string]any{"metadata": map[string]string{MetadataName: mark}}})
	}
	all := map[string]string{TagName: mark}
	for name, value := range tags {
		if !strings.EqualFold(name, TagName) { // it may be there without a value
			all[name] = value
		}
	}
	return c.write(ctx, http.MethodPatch, id, map[string]any{"tags": all})
}

// Delete deletes a place with everything in it. Azure may need some time: it is gone
// when Get answers 404.
//
// File Shares - Delete, Blob Containers - Delete, Disks - Delete: DELETE {place}.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.write(ctx, http.MethodDelete, id, nil)
}

func (c *Client) write(ctx context.Context, method, id string, body any) error {
	q, err := query(id)
	if err != nil {
		return err
	}
	_, err = c.arm.Do(ctx, arm.Request{Method: method, Path: id, Query: q, Body: body})
	return err
}

// BlobEndpoint returns the URL of the blob service of a storage account, which
// differs between clouds, with a slash at its end.
//
// Storage Accounts - Get Properties: GET {account}.
func (c *Client) BlobEndpoint(ctx context.Context, accountID string) (string, error) {
	var b struct {
		Properties struct {
			PrimaryEndpoints struct {
				Blob string `json:"blob"`
			} `json:"primaryEndpoints"`
		} `json:"properties"`
	}
	if err := c.arm.Get(ctx, accountID, url.Values{"api-version": {storageVersion}}, &b); err != nil {
		return "", err
	}
	return b.Properties.PrimaryEndpoints.Blob, nil
}
