package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// serverSite is a Backup vault with its own flexible server to protect, a
// protected database of a retired server, and restore targets.
type serverSite struct {
	name     string
	vault    armsim.BackupVault
	flexible armsim.FlexibleServer
	retired  armsim.SingleServer
	target   armsim.SingleServer
	store    armsim.StorageAccount
}

const demoBackupVault = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"

const targetSubscription = "22222222-2222-2222-2222-222222222222"

// newServerSite adds a site to the world. The name consists of letters and
// digits.
func newServerSite(world *armsim.World, name string) serverSite {
	const region, day = "westeurope", 24 * time.Hour
	s := serverSite{
		name: name,
		vault: armsim.BackupVault{
			Subscription: armsim.DemoSubscription, ResourceGroup: "backups", Name: "bv" + name, Location: region, SoftDelete: "On",
			Policies: []armsim.BackupPolicy{
				{Name: "flexible", DatasourceTypes: []string{"Microsoft.DBforPostgreSQL/flexibleServers"}},
				{Name: "databases", DatasourceTypes: []string{"Microsoft.DBforPostgreSQL/servers/databases"}},
			},
		},
		flexible: armsim.FlexibleServer{Subscription: armsim.DemoSubscription, ResourceGroup: "servers", Name: "flex" + name, Location: region},
		retired:  armsim.SingleServer{Subscription: armsim.DemoSubscription, ResourceGroup: "servers", Name: "old" + name, Location: region, Databases: []string{"orders"}, Gone: true},
		target:   armsim.SingleServer{Subscription: targetSubscription, ResourceGroup: "targets", Name: "target" + name, Location: region, Databases: []string{"postgres"}},
		store: armsim.StorageAccount{
			Subscription: targetSubscription, ResourceGroup: "targets", Name: "store" + name, Location: region,
			BlobContainers: []armsim.BlobContainer{{Name: "restored"}},
		},
	}
	world.BackupVaults = append(world.BackupVaults, s.vault)
	world.FlexibleServers = append(world.FlexibleServers, s.flexible)
	world.SingleServers = append(world.SingleServers, s.retired, s.target)
	world.StorageAccounts = append(world.StorageAccounts, s.store)
	world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
		Vault: s.vault.ID(), Policy: "databases", Datasource: s.retired.DatabaseID("orders"), Instance: "orders-" + name,
		RecoveryPoints: []armsim.RecoveryPoint{
			{ID: s.point("archived"), Age: 200 * day, Store: "ArchiveStore"},
			{ID: s.point("older"), Age: 14 * day},
			{ID: s.point("latest"), Age: 7 * day},
		},
	})
	return s
}

// point returns the ID of one of the database's recovery points: 32 hex digits.
func (s serverSite) point(which string) string {
	sum := md5.Sum([]byte(s.name + which))
	return hex.EncodeToString(sum[:])
}

func (s serverSite) container() string {
	return "https://" + s.store.Name + ".blob.core.windows.net/restored"
}

// database returns the ID of the backup instance of the retired server's
// database.
func (s serverSite) database() string { return s.vault.ID() + "/backupInstances/orders-" + s.name }

func (s serverSite) protect() map[string]any {
	return map[string]any{"flow": "protect-postgres", "key": "protect-" + s.name, "parameters": map[string]any{
		"vaultId": s.vault.ID(), "serverId": s.flexible.ID(), "location": s.flexible.Location, "policy": "flexible",
	}}
}

// restore requests a restore of the latest backup of the database as files;
// more changes the parameters.
func (s serverSite) restore(key, prefix string, more map[string]any) map[string]any {
	parameters := map[string]any{
		"backupInstanceId": s.database(), "recoveryPoint": map[string]any{"latest": true},
		"asFiles": map[string]any{"containerUrl": s.container(), "prefix": prefix},
	}
	maps.Copy(parameters, more)
	maps.DeleteFunc(parameters, func(_ string, value any) bool { return value == nil })
	return map[string]any{"flow": "restore-postgres", "key": "restore-" + s.name + key, "parameters": parameters}
}

// asDatabase returns the parameters of a restore as database.
func (s serverSite) asDatabase(name string) map[string]any {
	return map[string]any{"asFiles": nil, "asDatabase": map[string]any{
		"serverId": s.target.ID(), "database": name, "credentialsSecretUri": "https://contoso.vault.azure.net/secrets/orders",
	}}
}

// about requests a flow of one backup instance.
func about(flow, key, instance string) map[string]any {
	return map[string]any{"flow": flow, "key": flow + key, "parameters": map[string]any{"backupInstanceId": instance}}
}

// allow returns the settings that allow restores to the targets of the sites,
// and the deletion of backups.
func allow(sites ...serverSite) map[string]string {
	var targets []string
	for _, s := range sites {
		targets = append(targets, s.container(), s.target.ID())
	}
	return map[string]string{"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(targets, ","), "AZBACKUPFLOW_ALLOW_DELETE": "true"}
}

func (s serverSite) holds(path string) bool {
	return strings.Contains(strings.ToLower(path), "/backupvaults/"+s.vault.Name+"/")
}

func (s serverSite) concerns(r *http.Request) bool { return s.holds(r.URL.Path) }

// instance returns a backup instance of the site in its current state.
func (l *local) instance(id string) armsim.BackupInstance {
	all := l.ARM.BackupInstances()
	if i := slices.IndexFunc(all, func(b armsim.BackupInstance) bool { return strings.EqualFold(b.ID, id) }); i >= 0 {
		return all[i]
	}
	return armsim.BackupInstance{}
}

// restoresTo returns the restores of the site that took effect.
func (l *local) restoresTo(s serverSite) (all []armsim.Restore) {
	for _, r := range l.ARM.Restores() {
		if r.Vault == s.vault.ID() {
			all = append(all, r)
		}
	}
	return all
}

// askedOf counts the requests of a kind about the site.
func (l *local) askedOf(s serverSite, kind string) (n int) {
	for _, r := range l.ARM.Requests() {
		if s.holds(r.Path) && r.Kind == kind {
			n++
		}
	}
	return n
}

// jobsOf counts the jobs of an operation at the site.
func (l *local) jobsOf(s serverSite, operation string) (n int) {
	for _, j := range l.ARM.Jobs() {
		if j.Vault == s.vault.ID() && j.Operation == operation {
			n++
		}
	}
	return n
}

// serverCase is a use case of PostgreSQL backups.
type serverCase struct {
	name string
	// change changes the site before the stack starts.
	change func(*armsim.World)
	run    func(*local, serverSite)
}

// runServerCases runs each case at its own site; all share one stack.
func runServerCases(t *testing.T, prefix string, cases []serverCase) {
	t.Helper()
	world := armsim.DemoWorld()
	sites := make([]serverSite, 0, len(cases))
	for i, c := range cases {
		sites = append(sites, newServerSite(&world, prefix+string(rune('a'+i))))
		if c.change != nil {
			c.change(&world)
		}
	}
	// This does not use startInTurn: the cases run in parallel, and a test that
	// waits for its turn could hold the place that they need to end.
	l := start(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: allow(sites...)})
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(l.in(t), sites[i])
		})
	}
}

// protectedServer protects the flexible server of the site and returns its
// instance.
func (l *local) protectedServer(s serverSite) string {
	l.t.Helper()
	id := l.succeeds(l.begin(s.protect())).Learned["backupInstanceId"]
	require.Equal(l.t, "ProtectionConfigured", l.instance(id).ProtectionState)
	return id
}
