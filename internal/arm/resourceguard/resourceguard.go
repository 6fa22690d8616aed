// Package resourceguard lists the Resource Guards of a vault. Both providers
// offer the same call, below their own vaults.
package resourceguard

import (
	"context"
	"net/url"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azjson"
)

// Proxy is a vault's link to a Resource Guard. A vault that has one requires
// multi-user authorization.
type Proxy struct {
	ID   string
	Name string
	// ResourceGuardID is the guard's resource ID.
	ResourceGuardID string
	// CriticalOperations are the operations that need the guard's approval,
	// such as Microsoft.DataProtection/backupVaults/backupInstances/delete.
	CriticalOperations []string
}

// List returns the links in the collection with this path, all pages.
func List(ctx context.Context, c *arm.Client, path string, query url.Values) ([]Proxy, error) {
	type item struct {
		ID         string
		Name       string
		Properties struct {
			ResourceGuardResourceID       azjson.Text
			ResourceGuardOperationDetails []struct{ VaultCriticalOperation azjson.Text }
		}
	}
	items, err := arm.All[item](ctx, c, path, query)
	if err != nil {
		return nil, err
	}
	found := make([]Proxy, len(items))
	for i, b := range items {
		found[i] = Proxy{ID: b.ID, Name: b.Name, ResourceGuardID: string(b.Properties.ResourceGuardResourceID)}
		for _, d := range b.Properties.ResourceGuardOperationDetails {
			found[i].CriticalOperations = append(found[i].CriticalOperations, string(d.VaultCriticalOperation))
		}
	}
	return found, nil
}
