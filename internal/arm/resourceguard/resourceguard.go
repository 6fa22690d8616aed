// Package resourceguard lists the Resource Guards of a vault. Both providers
// offer the same call below their vaults. The package does not know which
// operations need an approval.
package resourceguard

import (
	"context"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// Proxy is a vault's link to a Resource Guard. A vault that has one requires
// multi-user authorization.
type Proxy struct {
	ID   string
	Name string
	// ResourceGuardID is the resource ID of the Resource Guard.
	ResourceGuardID string
	// CriticalOperations are the operations that need an approval on the Resource
	// Guard, such as Microsoft.DataProtection/backupVaults/backupInstances/delete.
	CriticalOperations []string
}

// List returns the vault's links to Resource Guards, all pages.
func List(ctx context.Context, api vaultapi.API, vault resourceid.VaultID) ([]Proxy, error) {
	return vaultapi.List(ctx, api, body.proxy, "", vault, "backupResourceGuardProxies")
}

type body struct {
	ID         string
	Name       string
	Properties struct {
		ResourceGuardResourceID       azjson.Text
		ResourceGuardOperationDetails []struct{ VaultCriticalOperation azjson.Text }
	}
}

func (b body) proxy() Proxy {
	p := Proxy{ID: b.ID, Name: b.Name, ResourceGuardID: string(b.Properties.ResourceGuardResourceID)}
	for _, d := range b.Properties.ResourceGuardOperationDetails {
		p.CriticalOperations = append(p.CriticalOperations, string(d.VaultCriticalOperation))
	}
	return p
}
