package autoprotect

import (
	"strings"
	"time"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
)

// Resource holds the facts about a resource that rules match.
type Resource struct {
	// ID identifies the resource in decisions. It is its resource ID, or one below
	// the resource that contains it.
	ID            string
	Kind          Kind
	Subscription  string
	ResourceGroup string
	// SourceID is the resource ID of the resource itself, or of the storage account
	// or virtual machine that contains it.
	SourceID string
	// Account is the name of a storage account, Machine that of the virtual machine
	// of a database, Instance the database's instance or system.
	Account, Machine, Instance string
	// Name is the name of the share, machine, database, disk, account, cluster or
	// server.
	Name     string
	Location string
	// Tags are those of the source: shares and databases have none.
	Tags map[string]string
	// Created is when the source was created.
	Created time.Time
	// VaultID is the vault with which the virtual machine of a database is
	// registered; empty if any vault may protect the resource.
	VaultID string
	// ImagePublisher is the publisher of a machine's marketplace image; empty for
	// other images.
	ImagePublisher string
	// Read reports that the facts come from Azure, not from a user.
	Read bool
}

// newResource returns the Resource of a source. A storage account has no share
// name yet.
func newResource(kind Kind, r datasource.Resource) Resource {
	e := kind.entry()
	res := Resource{
		ID: r.ID + e.suffix, Kind: kind, SourceID: r.ID, Name: r.Name, Location: r.Location, Tags: r.Tags, Created: r.Created, ImagePublisher: r.ImagePublisher,
		Subscription: resourceid.NameAfter(r.ID, "subscriptions"), ResourceGroup: resourceid.NameAfter(r.ID, "resourceGroups"),
	}
	if e.source == datasource.TypeStorageAccount {
		res.Account = r.Name
	}
	if e.shares {
		res.Name = ""
	}
	if e.workload != "" {
		res.Machine, res.Name = r.Name, ""
	}
	return res
}

// withShare returns the named share of a storage account.
func (r Resource) withShare(name string) Resource {
	r.ID, r.Name = datasource.FileShareID(r.SourceID, name), name
	return r
}

// withDatabase returns a database of a virtual machine.
func (r Resource) withDatabase(d datasource.Database) Resource {
	r.ID, r.Instance, r.Name = d.ID(), d.Instance, d.Name
	return r
}

// protectedID returns the ID by which vaults and exclusions name the resource.
func (r Resource) protectedID() string {
	if r.Kind.entry().datasource != "" {
		return r.SourceID // a Backup vault names the account, not its blobs
	}
	return r.ID
}

// target identifies the resource that an event or a user names.
type target struct {
	// id is the resource ID of the source, spelled as received.
	id string
	// kinds are the kinds that such a source can have.
	kinds []entry
	// share is the name of a single share; empty means all shares of the account.
	share string
	// database is set for a single database.
	database *datasource.Database
}

// parseTarget parses a resource ID. It returns false for types that no rule can
// protect.
func parseTarget(id string) (t target, ok bool) {
	if d, isDatabase := datasource.ParseDatabaseID(id); isDatabase {
		return newTarget(target{id: d.MachineID, database: &d}, func(e entry) bool { return strings.EqualFold(string(e.workload), d.Workload) })
	}
	r, err := resourceid.Parse(id)
	if err != nil || r.SubscriptionID == "" || r.ResourceGroupName == "" {
		return t, false
	}
	if strings.EqualFold(r.ResourceType.String(), datasource.TypeFileShare) {
		return newTarget(target{id: r.Parent.Parent.String(), share: r.Name}, func(e entry) bool { return e.shares })
	}
	return newTarget(target{id: id}, func(e entry) bool {
		return strings.EqualFold(e.source, r.ResourceType.String()) && e.workload == ""
	})
}

func newTarget(t target, has func(entry) bool) (target, bool) {
	for _, e := range allKinds() {
		if has(e) {
			t.kinds = append(t.kinds, e)
		}
	}
	return t, len(t.kinds) > 0
}

// of returns the target with the kinds that the rules protect; ok is false if
// there are none.
func (t target) of(rules []Rule) (target, bool) {
	all := t
	all.kinds = nil
	for _, used := range usedKinds(rules) {
		for _, e := range t.kinds {
			if e.kind == used.kind {
				all.kinds = append(all.kinds, e)
			}
		}
	}
	return all, len(all.kinds) > 0
}

// resource returns the resource of a kind in a source. Without the name of a share
// or a database it stands for all of them.
func (t target) resource(kind Kind, source datasource.Resource) Resource {
	res := newResource(kind, source)
	if t.share != "" {
		res = res.withShare(t.share)
	}
	if t.database != nil {
		res = res.withDatabase(datasource.Database{MachineID: source.ID, Workload: t.database.Workload, Instance: t.database.Instance, Name: t.database.Name})
	}
	return res
}
