package schedule

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// Vaults lists the items of vaults.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
	// Datasources reads the tags of the resources that are backed up.
	Datasources *datasource.Client
}

// selectable is an item that can be backed up, with what selections compare.
type selectable struct {
	Item
	policyID, sourceID string
}

// Items returns the items of a selection. It makes one paged list call, and with
// tags one for each subscription and type of the resources that are backed up. It
// omits items whose protection is stopped, suspended or deleted, because they
// cannot be backed up.
func (v Vaults) Items(ctx context.Context, s Selection) ([]Item, error) {
	found, err := v.selectable(ctx, s)
	if err != nil {
		return nil, err
	}
	var selected []selectable
	for _, i := range found {
		if s.matches(i.Name, i.policyID) {
			selected = append(selected, i)
		}
	}
	return v.withTags(ctx, s, selected)
}

// selectable lists the items of the selection's vault and type.
func (v Vaults) selectable(ctx context.Context, s Selection) ([]selectable, error) {
	if vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.RecoveryServicesVault); err == nil {
		return v.protectedItems(ctx, vault, s)
	}
	vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.BackupVault)
	if err != nil {
		return nil, fmt.Errorf("parse vault ID %q: %w", s.VaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	var items []selectable
	for _, i := range instances {
		if i.CurrentProtectionState != dataprotection.StateProtectionConfigured || s.Type != "" && !strings.EqualFold(i.DatasourceType, s.Type) {
			continue
		}
		items = append(items, selectable{Item{ID: i.ID, Instance: true, Name: cmp.Or(i.FriendlyName, i.Name)}, i.PolicyID, i.DatasourceID})
	}
	return items, nil
}

func (v Vaults) protectedItems(ctx context.Context, vault resourceid.VaultID, s Selection) ([]selectable, error) {
	protected, err := v.RecoveryServices.ListProtectedItems(ctx, vault, s.Type)
	if err != nil {
		return nil, fmt.Errorf("list the protected items of vault %s: %w", vault.Name, err)
	}
	var items []selectable
	for _, i := range protected {
		stopped := i.SoftDeleted || i.ProtectionState == recoveryservices.StateProtectionStopped || i.ProtectionState == recoveryservices.StateBackupsSuspended
		if !stopped {
			items = append(items, selectable{Item{ID: i.ID, Name: cmp.Or(i.FriendlyName, i.Name)}, i.PolicyID, i.SourceResourceID})
		}
	}
	return items, nil
}

// withTags returns the items whose resources have the tags of the selection. An item
// whose resource was deleted is omitted. If the app may not read a resource, the
// selection fails: an item that is omitted silently would not be backed up.
func (v Vaults) withTags(ctx context.Context, s Selection, found []selectable) ([]Item, error) {
	tags := sourceTags{vaults: v, lists: map[string]map[string]datasource.Resource{}}
	var items []Item
	for _, i := range found {
		if s.Tags.Any() {
			of, known, err := tags.of(ctx, i.sourceID)
			if err != nil {
				return nil, fmt.Errorf("read the tags of %s: %w", i.sourceID, err)
			}
			if !known || s.Tags.Mismatch(of) != "" {
				continue
			}
		}
		items = append(items, i.Item)
	}
	return items, nil
}

// sourceTags reads the tags of resources, by lists of a subscription and type.
type sourceTags struct {
	vaults Vaults
	lists  map[string]map[string]datasource.Resource
}

// of returns the tags of a resource; known is false if the resource does not exist,
// or is of a type without tags that the app knows.
func (t sourceTags) of(ctx context.Context, id string) (tags map[string]string, known bool, err error) {
	parsed, err := resourceid.Parse(id)
	if err != nil || !datasource.Readable(parsed.ResourceType.String()) {
		return nil, false, nil
	}
	key := strings.ToLower(parsed.SubscriptionID + "/" + parsed.ResourceType.String())
	list, read := t.lists[key]
	if !read {
		resources, err := t.vaults.Datasources.List(ctx, parsed.SubscriptionID, parsed.ResourceType.String())
		if err != nil {
			return nil, false, err
		}
		list = map[string]datasource.Resource{}
		for _, r := range resources {
			list[strings.ToLower(r.ID)] = r
		}
		t.lists[key] = list
	}
	if r, ok := list[strings.ToLower(id)]; ok {
		return r.Tags, true, nil
	}
	// A list leaves out what the app may not read, without an error.
	r, err := t.vaults.Datasources.Get(ctx, id)
	if azerr.IsNotFound(err) {
		return nil, false, nil
	}
	return r.Tags, err == nil, err
}
