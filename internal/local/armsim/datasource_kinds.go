package armsim

import (
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
)

// Resource is a resource that Backup vaults protect: a managed disk, an AKS
// cluster or a MySQL flexible server. Storage accounts and PostgreSQL servers
// have lists of their own.
type Resource struct {
	// ID is the ARM ID of the resource.
	ID, Location string
	Tags         map[string]string
	// Denied denies Backup vaults access to the resource.
	Denied bool

	// Of a disk: made is zero for one of the start, system is set for one with an
	// operating system.
	deleting, system bool
	made             time.Time
}

// datasource is the source of a backup instance or the target of a restore.
type datasource struct {
	kind           kinds.Kind
	id, name       string
	server         string // ARM ID of the server of a database
	serverName     string
	group          string
	subscription   string
	location       string
	version        string
	gone           bool
	denied         bool
	databaseExists bool
}

// datasource returns the datasource of a type at a resource ID; without a type,
// of the first type that such a resource has. A database need not exist.
func (w *world) datasource(id, datasourceType string) (datasource, bool) {
	r, err := resourceid.Parse(id)
	if err != nil {
		return datasource{}, false
	}
	for _, k := range kinds.All() {
		if !strings.EqualFold(k.SourceType, r.ResourceType.String()) || datasourceType != "" && !strings.EqualFold(k.Type, datasourceType) {
			continue
		}
		d := datasource{kind: k, id: id, name: r.Name, group: r.ResourceGroupName, subscription: r.SubscriptionID}
		if k.Type == databaseType {
			return w.databaseOf(d)
		}
		return w.resourceOf(d)
	}
	return datasource{}, false
}

// resourceOf completes a datasource that is a resource of its own.
func (w *world) resourceOf(d datasource) (datasource, bool) {
	for _, f := range w.flexibleServers {
		if sameID(f.ID(), d.id) {
			d.location, d.version = f.Location, f.Version
			return d, true
		}
	}
	for _, a := range w.accounts {
		if sameID(a.ID(), d.id) {
			d.location = a.Location
			return d, true
		}
	}
	for _, r := range w.resources {
		if sameID(r.ID, d.id) {
			d.location, d.denied = r.Location, r.Denied
			return d, true
		}
	}
	return d, false
}

// databaseOf completes a database, whether it exists or not.
func (w *world) databaseOf(d datasource) (datasource, bool) {
	server, name, _ := cutLastFold(d.id, "/databases/")
	for _, s := range w.singleServers {
		if sameID(s.ID(), server) {
			d.name, d.server, d.serverName = name, s.ID(), s.Name
			d.location, d.version, d.gone, d.databaseExists = s.Location, s.Version, s.Gone, s.has(name)
			return d, true
		}
	}
	return d, false
}

func cutLastFold(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(strings.ToLower(s), strings.ToLower(sep))
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// addResource adds the resource that a restore has created.
func (w *world) addResource(id, location string) {
	w.resources = append(w.resources, &Resource{ID: id, Location: location})
}

// continuous reports whether the instance is backed up continuously: the blobs
// of a storage account under a policy without rules.
func (i *instance) continuous() bool {
	p := i.vault.policy(i.policy)
	return p != nil && p.Continuous
}

// store returns the data store of the instance's backups.
func (i *instance) store() string {
	if p := i.vault.policy(i.policy); p != nil && p.Store != "" {
		return p.Store
	}
	for _, r := range i.source.kind.Restores {
		if r.ByTime == i.continuous() {
			return r.Store
		}
	}
	return vaultStore
}

// window returns the times to which a continuous backup can be restored.
func (i *instance) window(now time.Time) (from, to time.Time) {
	const kept = 30 * 24 * time.Hour
	from = now.Add(-kept)
	if i.since.After(from) {
		from = i.since
	}
	return from, now
}
