package arm

import (
	"context"
	"net/url"
)

// ResourceGuardProxy is a vault's link to a Resource Guard: multi-user
// authorization is on. Both kinds of vaults have them alike.
type ResourceGuardProxy struct {
	ID   string
	Name string
	// ResourceGuardID is the guard's resource id.
	ResourceGuardID string
	// CriticalOperations are the operations that need its approval, such as
	// Microsoft.DataProtection/backupVaults/backupInstances/delete.
	CriticalOperations []string
}

// ResourceGuardProxies lists a vault's links to Resource Guards, all pages.
func (c *Client) ResourceGuardProxies(ctx context.Context, path string, query url.Values) ([]ResourceGuardProxy, error) {
	type item struct {
		ID         string
		Name       string
		Properties struct {
			ResourceGuardResourceID       Text
			ResourceGuardOperationDetails []struct{ VaultCriticalOperation Text }
		}
	}
	items, err := All[item](ctx, c, path, query)
	if err != nil {
		return nil, err
	}
	found := make([]ResourceGuardProxy, len(items))
	for i, b := range items {
		found[i] = ResourceGuardProxy{ID: b.ID, Name: b.Name, ResourceGuardID: string(b.Properties.ResourceGuardResourceID)}
		for _, d := range b.Properties.ResourceGuardOperationDetails {
			found[i].CriticalOperations = append(found[i].CriticalOperations, string(d.VaultCriticalOperation))
		}
	}
	return found, nil
}
