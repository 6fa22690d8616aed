package datasource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// TypeDisk is the ARM type of managed disks.
const TypeDisk = "Microsoft.Compute/disks"

// diskVersion is the api-version of the calls about disks.
const diskVersion = "2024-03-02"

// GetDisk reads a managed disk by its resource ID.
//
// Disks - Get: GET {disk}.
func (c *Client) GetDisk(ctx context.Context, id string) (Resource, error) {
	return c.get(ctx, id, diskVersion)
}

// Tags returns the tags of a storage account, flexible server, virtual machine or
// disk; none if it does not exist.
func (c *Client) Tags(ctx context.Context, id string) (map[string]string, error) {
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return nil, azerr.Malformed(fmt.Errorf("%q is not a resource ID: %w", id, err))
	}
	var r Resource
	switch kind := parsed.ResourceType.String(); {
	case strings.EqualFold(kind, TypeStorageAccount):
		r, err = c.GetStorageAccount(ctx, id)
	case strings.EqualFold(kind, TypeFlexibleServer):
		r, err = c.GetFlexibleServer(ctx, id)
	case strings.EqualFold(kind, TypeDisk):
		r, err = c.GetDisk(ctx, id)
	case strings.EqualFold(kind, TypeVirtualMachine):
		var v VirtualMachine
		v, err = c.GetVirtualMachine(ctx, id)
		r = v.Resource
	default:
		return nil, azerr.Malformed(fmt.Errorf("the tags of %s cannot be read: its type is %s", id, kind))
	}
	var answer *operation.Error
	if errors.As(err, &answer) && answer.HTTPStatus == 404 {
		return nil, nil
	}
	return r.Tags, err
}
