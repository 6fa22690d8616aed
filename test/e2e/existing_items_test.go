package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// situation is the state of the vault when a request arrives.
type situation struct {
	name string
	from stage
	// change changes the request: the protect request of the site, or the backup
	// request if the site is protected.
	change  func(site, map[string]any)
	prepare func(*local, site)
	status  api.Status
	// code is the code of the error, message a part of its text.
	code, message string
	writes        int
	check         func(*local, site, api.Operation)
}

// with sets parameters of a request.
func with(name string, value any) func(site, map[string]any) {
	return func(_ site, r map[string]any) { object(r, "parameters")[name] = value }
}

// asProtect turns the request of a protected site into a protect request.
func asProtect(s site, r map[string]any) { maps.Copy(r, s.protect()) }

func situations() []situation {
	noBackup := func(s site, r map[string]any) {
		asProtect(s, r)
		delete(object(r, "parameters"), "firstBackup")
	}
	return []situation{
		{
			name: "protected already under the requested policy", from: protected, change: noBackup,
			status: api.Succeeded,
		},
		{
			name: "protected already, and backed up now", from: protected, change: asProtect,
			status: api.Succeeded, writes: 1,
		},
		{
			name: "protected under another policy", from: protected,
			change: func(s site, r map[string]any) { asProtect(s, r); with("policy", "weekly")(s, r) },
			status: api.Failed, code: "ProtectedByAnotherPolicy", message: "backupPolicies/daily",
			check: func(l *local, s site, _ api.Operation) { require.Equal(l.t, "daily", l.policyOf(s)) },
		},
		{
			name: "a policy for virtual machines", from: registered, change: with("policy", "machines"),
			status: api.Failed, code: "PolicyDoesNotFit", message: "AzureIaasVM",
		},
		{
			name: "a policy that does not exist", from: registered, change: with("policy", "yearly"),
			status: api.Failed, code: "PolicyNotFound", message: "yearly",
		},
		{
			name: "a policy by its resource id", from: registered,
			change: func(s site, r map[string]any) {
				with("policy", strings.ToUpper(s.vault.ID())+"/backuppolicies/daily")(s, r)
			},
			status: api.Succeeded, writes: 3,
		},
		{
			name: "a vault that does not exist", from: registered,
			change: func(s site, r map[string]any) { with("vaultId", s.vault.ID()+"-gone")(s, r) },
			status: api.Failed, code: "PolicyNotFound", message: "-gone",
		},
		{
			name: "a storage account that is already registered", from: registered,
			status: api.Succeeded, writes: 3,
			check: func(l *local, s site, _ api.Operation) {
				require.Empty(l.t, l.requestsOf(s, "POST refreshContainers"))
				require.Empty(l.t, l.requestsOf(s, "PUT protectionContainers"))
			},
		},
		{
			// The account of the site is in resource group accounts, its vault in
			// vaults.
			name: "a storage account in another resource group than the vault", from: undiscovered,
			status: api.Succeeded, writes: 5,
			check: func(l *local, s site, v api.Operation) {
				require.Contains(l.t, v.Learned["containerName"], "accounts;"+s.account.Name)
			},
		},
		{
			name: "a file share that appears only later", from: registered,
			change: with("fileShare", "appears"),
			prepare: func(l *local, s site) {
				// Azure creates the share while the vault discovers it for the first time.
				l.ARM.Inject(armsim.Rule{Kind: "GET backupProtectableItems", Match: s.concerns, Times: 1, Effect: armsim.Callback(
					func(http.ResponseWriter, *http.Request) bool {
						return l.ARM.CreateShare(s.account.ID(), armsim.Share{Name: "appears"}) != nil
					})})
			},
			status: api.Succeeded, writes: 4,
			check: func(l *local, s site, _ api.Operation) { require.Len(l.t, l.requestsOf(s, "POST inquire"), 2) },
		},
		{
			name: "a file share that does not exist", from: registered, change: with("fileShare", "nowhere"),
			status: api.Failed, code: "FileShareNotVisible", message: "nowhere", writes: 13,
		},
		{
			name: "a backup of a share that is not protected", from: registered,
			change: func(s site, r map[string]any) { maps.Copy(r, s.backup()) },
			status: api.Failed, code: "NotProtected", message: "share-",
		},
		{
			name: "a backup of an item that does not exist", from: protected,
			change: func(s site, r map[string]any) {
				r["parameters"] = map[string]any{"itemId": s.vault.ID() + "/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;accounts;" + s.account.Name + "/protectedItems/AzureFileShare;nobody"}
			},
			status: api.Failed, code: "NotProtected", message: "AzureFileShare;nobody",
		},
		{
			name: "a share whose protection was stopped", from: protected, prepare: listedAs("ProtectionStopped", false),
			status: api.Failed, code: "ProtectionStopped", message: "share-",
		},
		{
			name: "a share that is soft-deleted", from: protected, change: asProtect, prepare: listedAs("Protected", true),
			status: api.Failed, code: "ItemSoftDeleted", message: "share-",
		},
	}
}

// listedAs makes the vault list and show its item in another state.
func listedAs(state string, deleted bool) func(*local, site) {
	return func(l *local, s site) {
		for _, i := range l.ARM.ProtectedItems() {
			if i.Vault != s.vault.ID() {
				continue
			}
			item := map[string]any{
				"id": i.ID, "name": i.Name, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
				"properties": map[string]any{
					"friendlyName": s.share, "protectedItemType": "AzureFileShareProtectedItem", "backupManagementType": "AzureStorage",
					"workloadType": "AzureFileShare", "sourceResourceId": s.account.ID(), "policyId": s.vault.ID() + "/backupPolicies/daily",
					"protectionState": state, "isScheduledForDeferredDelete": deleted,
				},
			}
			one, err := json.Marshal(item)
			require.NoError(l.t, err)
			list := fmt.Sprintf(`{"value":[%s]}`, one)
			l.ARM.Inject(armsim.Rule{Kind: "GET backupProtectedItems", Match: s.concerns, Effect: armsim.Answer(http.StatusOK, list, nil)})
			l.ARM.Inject(armsim.Rule{Kind: "GET protectedItems", Match: s.concerns, Effect: armsim.Answer(http.StatusOK, string(one), nil)})
		}
	}
}

// TestExistingItems_AreKeptAndReported sends requests for resources that
// already exist, differ from the request, or do not exist. The flow checks
// before it changes anything, and reports what it finds.
func TestExistingItems_AreKeptAndReported(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i, c := range situations() {
		sites = append(sites, newSite(&world, fmt.Sprintf("items%02d", i), c.from))
	}
	l := startInTurn(t, stack.Config{SpeedFactor: 600, World: &world, Settings: withoutSweep()})
	var ids []string
	for i, c := range situations() {
		if c.prepare != nil {
			c.prepare(l, sites[i])
		}
		request := sites[i].protect()
		if c.from == protected {
			request = sites[i].backup()
		}
		if c.change != nil {
			c.change(sites[i], request)
		}
		ids = append(ids, l.begin(request))
	}
	for i, c := range situations() { //nolint:paralleltest // all of them run on one stack already
		t.Run(c.name, func(t *testing.T) {
			l, s := l.in(t), sites[i]
			v := l.await(ids[i])
			require.Equalf(t, c.status, v.Status, "%+v\n%s", v.Error, say(l.history(ids[i])))
			require.Equal(t, c.writes, l.writesOf(s))
			if c.code != "" {
				require.Equal(t, c.code, v.Error.Code)
				require.Contains(t, v.Error.Message, c.message)
				require.NotEmpty(t, v.Error.RecommendedAction)
			}
			if c.check != nil {
				c.check(l, s, v)
			}
		})
	}
}
