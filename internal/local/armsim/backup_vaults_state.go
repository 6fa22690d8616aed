package armsim

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// Providers, as the API documents spell them.
const (
	recoveryServices = "Microsoft.RecoveryServices"
	dataProtection   = "Microsoft.DataProtection"
	storageProvider  = "Microsoft.Storage"
	postgreSQL       = "Microsoft.DBforPostgreSQL"
	computeProvider  = "Microsoft.Compute"
)

// Types of PostgreSQL datasources, which are also their resource types.
const (
	flexibleServerType = kinds.DatasourceFlexibleServer
	singleServerType   = "Microsoft.DBforPostgreSQL/servers"
	databaseType       = kinds.DatasourceDatabase
)

// Data stores of recovery points.
const (
	vaultStore       = kinds.StoreVault
	archiveStore     = kinds.StoreArchive
	operationalStore = kinds.StoreOperational
)

const (
	softDeleteOff         = "Off"
	softDeleteDisabled    = "Disabled" // of a Recovery Services vault
	immutabilityDisabled  = "Disabled"
	defaultSoftDeleteDays = 14
)

// backupVault is a Backup vault with its contents.
type backupVault struct {
	BackupVault
	instances []*instance
	deleted   []*instance // soft-deleted
	jobs      []*instanceJob
}

// singleServer is a single server with its databases, including those that
// restores have created.
type singleServer struct {
	SingleServer
	databases []string
}

// addBackupVaults adds the Backup vaults of the seed and the instances that
// they protect.
func (w *world) addBackupVaults(seed World, now time.Time, ids *random) error {
	for _, v := range seed.BackupVaults {
		if w.findBackupVault(v.ID()) != nil {
			return fmt.Errorf("backup vault %s is listed twice", v.ID())
		}
		if v.Immutability == "" {
			v.Immutability = immutabilityDisabled
		}
		if v.SoftDelete == "" {
			v.SoftDelete = softDeleteOff
		}
		if v.SoftDeleteDays == 0 {
			v.SoftDeleteDays = defaultSoftDeleteDays
		}
		w.backupVaults = append(w.backupVaults, &backupVault{BackupVault: v})
	}
	for _, f := range seed.FlexibleServers {
		if f.Version == "" {
			f.Version = "15"
		}
		w.flexibleServers = append(w.flexibleServers, f)
	}
	for _, s := range seed.SingleServers {
		if s.Version == "" {
			s.Version = "11"
		}
		w.singleServers = append(w.singleServers, &singleServer{SingleServer: s, databases: append([]string(nil), s.Databases...)})
	}
	for _, r := range seed.Resources {
		w.resources = append(w.resources, &r)
	}
	for _, p := range seed.ProtectedDatasources {
		if err := w.addProtected(p, now, ids); err != nil {
			return fmt.Errorf("backup instance %s: %w", p.Instance, err)
		}
	}
	return nil
}

// addProtected adds a backup instance of the seed.
func (w *world) addProtected(p ProtectedDatasource, now time.Time, ids *random) error {
	v := w.findBackupVault(p.Vault)
	if v == nil {
		return fmt.Errorf("there is no backup vault %q", p.Vault)
	}
	d, known := w.datasource(p.Datasource, p.Type)
	if !known || d.kind.Type == databaseType && !d.databaseExists {
		return fmt.Errorf("there is no datasource %q", p.Datasource)
	}
	if !v.policyFits(p.Policy, d.kind.Type) {
		return fmt.Errorf("the vault has no policy %q for %s", p.Policy, d.kind.Type)
	}
	if v.instance(p.Instance) != nil {
		return fmt.Errorf("vault %s has it twice", v.Name)
	}
	i := &instance{vault: v, name: p.Instance, friendly: d.friendly(), source: d, policy: p.Policy, state: protectionConfigured, provisioning: provisioned, since: now}
	if p.State != "" {
		i.state = p.State
	}
	i.properties = i.described()
	if p.SnapshotGroup != "" {
		i.parameters = map[string]any{"dataStoreParametersList": []any{map[string]any{
			"objectType": "AzureOperationalStoreParameters", "dataStoreType": operationalStore, "resourceGroupId": p.SnapshotGroup,
		}}}
	}
	for _, r := range p.RecoveryPoints {
		point := &recoveryPoint{
			id: r.ID, storeID: ids.guid(), time: now.Add(-r.Age), store: r.Store, policy: p.Policy, version: r.ServerVersion,
			friendlyName: r.FriendlyName, properties: r.Properties, storeDetails: r.StoreDetails,
		}
		if point.store == "" {
			point.store = d.kind.Restores[0].Store
		}
		if point.version == "" {
			point.version = d.version
		}
		i.points = append(i.points, point)
	}
	i.remember(p.Past, now, ids)
	v.instances = append(v.instances, i)
	return nil
}

func (w *world) findBackupVault(id string) *backupVault {
	for _, v := range w.backupVaults {
		if strings.EqualFold(v.ID(), id) {
			return v
		}
	}
	return nil
}

func (s *singleServer) has(database string) bool {
	for _, d := range s.databases {
		if strings.EqualFold(d, database) {
			return true
		}
	}
	return false
}

// friendly returns the default friendly name of an instance, in the form of the
// API documents' examples for databases.
func (d datasource) friendly() string {
	if d.kind.Type == databaseType {
		return d.serverName + `\` + d.name
	}
	return d.name
}

// blobContainer returns the container that a URL names.
func (w *world) blobContainer(account, container string) (BlobContainer, bool) {
	for _, a := range w.accounts {
		if !strings.EqualFold(a.Name, account) {
			continue
		}
		for _, b := range a.BlobContainers {
			if b.Name == container {
				return b, true
			}
		}
	}
	return BlobContainer{}, false
}

func (v *backupVault) instance(name string) *instance { return named(v.instances, name) }

func named(all []*instance, name string) *instance {
	for _, i := range all {
		if strings.EqualFold(i.name, name) {
			return i
		}
	}
	return nil
}

func (v *backupVault) policy(name string) *BackupPolicy {
	for n, p := range v.Policies {
		if strings.EqualFold(p.Name, name) {
			return &v.Policies[n]
		}
	}
	return nil
}

func (v *backupVault) policyID(name string) string { return v.ID() + "/backupPolicies/" + name }

// policyFits reports whether the vault has a policy of this name for a
// datasource type.
func (v *backupVault) policyFits(name, kind string) bool {
	p := v.policy(name)
	if p == nil {
		return false
	}
	for _, t := range p.DatasourceTypes {
		if strings.EqualFold(t, kind) {
			return true
		}
	}
	return false
}
