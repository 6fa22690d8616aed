package e2e

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// stacks limits the number of concurrent stacks of these tests: each has six
// listeners and three processes.
var stacks = make(chan struct{}, 3) // shared by all tests of this folder

// startInTurn starts a stack when there is room for one more. A test that calls
// it must not have parallel subtests: they would wait for a place among the
// running tests, which may all be waiting for a stack.
func startInTurn(t *testing.T, c stack.Config) *local {
	t.Helper()
	stacks <- struct{}{}
	t.Cleanup(func() { <-stacks })
	return start(t, c)
}

// withoutSweep returns the settings for tests that count requests. At their
// speed, operations on a busy machine are soon so late that the sweep would
// wake them, and some reads would be made twice.
func withoutSweep() map[string]string {
	return map[string]string{"SweepSchedule": "0 0 0 1 1 *"}
}

// in returns the same stack for a subtest, which then fails on its own.
func (l *local) in(t *testing.T) *local {
	t.Helper()
	return &local{Stack: l.Stack, t: t}
}

// site is a vault with its own storage account and file share. Faults at one
// site do not affect another, so that many cases share one stack.
type site struct {
	vault   armsim.Vault
	account armsim.StorageAccount
	share   string
}

// stage is the state of a site before its case begins.
type stage int

const (
	undiscovered stage = iota // the vault does not know the storage account
	registered                // the account is registered, its share unprotected
	protected                 // the share is protected with the policy daily
)

// newSite adds a site to the world. The name consists of letters and digits.
func newSite(world *armsim.World, name string, at stage) site {
	s := site{
		vault: armsim.Vault{
			Subscription: armsim.DemoSubscription, ResourceGroup: "vaults", Name: "vault-" + name,
			// A vault discovers the storage accounts of its own region.
			Location: "region-" + name,
			Policies: []armsim.Policy{
				{Name: "daily", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"},
				{Name: "weekly", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"},
				{Name: "machines", BackupManagementType: "AzureIaasVM", WorkLoadType: "VM"},
			},
		},
		share: "share-" + name,
	}
	share := armsim.Share{Name: s.share}
	s.account = armsim.StorageAccount{
		Subscription: armsim.DemoSubscription, ResourceGroup: "accounts", Name: name, Location: s.vault.Location,
	}
	if at >= registered {
		s.account.RegisteredWith = s.vault.ID()
	}
	if at == protected {
		share.Policy = "daily"
	}
	s.account.Shares = []armsim.Share{share}
	world.Vaults = append(world.Vaults, s.vault)
	world.StorageAccounts = append(world.StorageAccounts, s.account)
	return s
}

// object returns an object within a request.
func object(r map[string]any, name string) map[string]any {
	o, _ := r[name].(map[string]any)
	return o
}

// protect requests protection of the site's share, and a backup.
func (s site) protect() map[string]any {
	r := protect("protect-" + s.account.Name)
	maps.Copy(object(r, "parameters"), map[string]any{
		"vaultId": s.vault.ID(), "storageAccountId": s.account.ID(), "fileShare": s.share, "policy": "daily",
	})
	return r
}

// backup requests a backup of the site's share.
func (s site) backup() map[string]any {
	r := backup("backup-"+s.account.Name, s.account.ID(), s.share)
	object(object(r, "parameters"), "fileShare")["vaultId"] = s.vault.ID()
	return r
}

// concerns reports whether a request is about the vault of the site.
func (s site) concerns(r *http.Request) bool { return s.holds(r.URL.Path) }

func (s site) holds(path string) bool {
	return strings.Contains(strings.ToLower(path), "/vaults/"+strings.ToLower(s.vault.Name)+"/")
}

// goesWrong applies an effect to the next request of a kind at the site.
func (l *local) goesWrong(s site, kind string, e armsim.Effect) {
	l.ARM.Inject(armsim.Rule{Kind: kind, Match: s.concerns, Times: 1, Effect: e})
}

// requestsOf returns the requests about the site that the simulator received,
// of one kind or of all.
func (l *local) requestsOf(s site, kind string) []armsim.Request {
	var all []armsim.Request
	for _, r := range l.ARM.Requests() {
		if s.holds(r.Path) && (kind == "" || r.Kind == kind) {
			all = append(all, r)
		}
	}
	return all
}

// writesOf counts the write requests about the site.
func (l *local) writesOf(s site) int {
	n := 0
	for _, r := range l.requestsOf(s, "") {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// backupsOf returns the backups of the site's share that Azure started.
func (l *local) backupsOf(s site) []armsim.Backup {
	var all []armsim.Backup
	for _, b := range l.ARM.Backups() {
		if b.Vault == s.vault.ID() {
			all = append(all, b)
		}
	}
	return all
}

// policyOf returns the policy that protects the site's share, empty if
// unprotected.
func (l *local) policyOf(s site) string {
	for _, i := range l.ARM.ProtectedItems() {
		if i.Vault == s.vault.ID() && i.FriendlyName == s.share {
			return i.Policy
		}
	}
	return ""
}

// backedUpOnce asserts that the operation succeeded, that the share is
// protected as requested, and that exactly one backup was triggered: the one
// whose job the operation followed.
func (l *local) backedUpOnce(s site, id string) {
	l.t.Helper()
	done := l.succeeds(id)
	require.Equal(l.t, "daily", l.policyOf(s))
	made := l.backupsOf(s)
	require.Len(l.t, made, 1)
	require.Equal(l.t, made[0].JobID, done.JobID)
}

// met returns the first event of the history whose error has the code.
func met(events []api.Event, code string) (api.Event, bool) {
	for _, ev := range events {
		if ev.Err != nil && ev.Err.Code == code {
			return ev, true
		}
	}
	return api.Event{}, false
}

// say formats a history for the message of a failed assertion.
func say(events []api.Event) string {
	var b strings.Builder
	for _, ev := range events {
		b.WriteString(ev.At.Format("15:04:05.000 ") + ev.Step + ": " + ev.What + "\n")
	}
	return b.String()
}
