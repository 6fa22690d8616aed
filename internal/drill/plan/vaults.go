package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/schedule"
)

// Vaults lists the items of vaults. It implements Lister.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
	// Sources reads the tags of what is backed up.
	Sources *datasource.Client
}

// candidate is an item with the resource that is backed up.
type candidate struct {
	item   schedule.Item
	source string
}

// Items returns the items of a selection. It makes one paged list call, and with tags
// one call for each source. It includes items whose protection is stopped: their
// backups can be restored. It omits soft-deleted items.
func (v Vaults) Items(ctx context.Context, s drill.Selection) ([]schedule.Item, error) {
	list := v.instances
	if vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.RecoveryServicesVault); err == nil {
		list = func(ctx context.Context, s drill.Selection) ([]candidate, error) {
			return v.protectedItems(ctx, vault, s)
		}
	}
	candidates, err := list(ctx, s)
	if err != nil {
		return nil, err
	}
	candidates = slices.DeleteFunc(candidates, func(c candidate) bool { return !matches(s, c.item.Name) })
	if len(s.Tags) > 0 {
		if candidates, err = v.tagged(ctx, candidates, s); err != nil {
			return nil, err
		}
	}
	items := make([]schedule.Item, len(candidates))
	for i, c := range candidates {
		items[i] = c.item
	}
	return items, nil
}

// matches reports whether a selection includes a name.
func matches(s drill.Selection, name string) bool {
	match := func(pattern string) bool { return declaration.MatchFold(pattern, name) }
	return (len(s.Names) == 0 || slices.ContainsFunc(s.Names, match)) && !slices.ContainsFunc(s.Except, match)
}

func (v Vaults) protectedItems(ctx context.Context, vault resourceid.VaultID, s drill.Selection) ([]candidate, error) {
	protected, err := v.RecoveryServices.ListProtectedItems(ctx, vault, string(s.Type))
	if err != nil {
		return nil, fmt.Errorf("list the protected items of vault %s: %w", vault.Name, err)
	}
	var all []candidate
	for _, i := range protected {
		if !i.SoftDeleted {
			all = append(all, candidate{schedule.Item{ID: i.ID, Name: cmp.Or(i.FriendlyName, i.Name)}, i.SourceResourceID})
		}
	}
	return all, nil
}

func (v Vaults) instances(ctx context.Context, s drill.Selection) ([]candidate, error) {
	vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.BackupVault)
	if err != nil {
		return nil, fmt.Errorf("parse vault ID %q: %w", s.VaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	var all []candidate
	for _, i := range instances {
		if strings.EqualFold(i.DatasourceType, string(s.Type)) {
			all = append(all, candidate{schedule.Item{ID: i.ID, Instance: true, Name: cmp.Or(i.FriendlyName, i.Name)}, i.DatasourceID})
		}
	}
	return all, nil
}

// maxParallelReads limits the concurrent reads of sources.
const maxParallelReads = 8

// tagged returns the candidates whose sources have all tags of the selection. It reads
// each source once. A source that is deleted has no tags.
func (v Vaults) tagged(ctx context.Context, candidates []candidate, s drill.Selection) ([]candidate, error) {
	var sources []string
	index := map[string]int{}
	for _, c := range candidates {
		if _, known := index[normalized(c.source)]; !known {
			index[normalized(c.source)] = len(sources)
			sources = append(sources, c.source)
		}
	}
	tags := make([]map[string]string, len(sources))
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxParallelReads)
	for i, source := range sources {
		group.Go(func() (err error) {
			tags[i], err = v.Sources.Tags(ctx, source)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("read the tags of what vault %s protects: %w", resourceid.LastName(s.VaultID), err)
	}
	var all []candidate
	for _, c := range candidates {
		c.item.Tags = tags[index[normalized(c.source)]]
		if hasTags(c.item.Tags, s.Tags) {
			all = append(all, c)
		}
	}
	return all, nil
}

// hasTags reports whether a resource has all wanted tags. Azure ignores the case of
// names of tags, and not that of values.
func hasTags(tags, want map[string]string) bool {
	for name, value := range want {
		found := false
		for other, otherValue := range tags {
			found = found || strings.EqualFold(name, other) && value == otherValue
		}
		if !found {
			return false
		}
	}
	return true
}
