package scan_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
)

const day = 24 * time.Hour

// rig is a scanner over a simulated Azure, whose clock moves with each call.
type rig struct {
	t     testing.TB
	sim   *armsim.Simulator
	store *memory.Store
	clock *clockwork.FakeClock
	// perCall is how long a call of Azure takes.
	perCall time.Duration

	mu     sync.Mutex
	drills []evidence.Evidence
	// opened counts the documents that were opened. openErr is the error of that,
	// listErr that of listing them; unverified means that another key signed them.
	opened     int
	openErr    error
	listErr    error
	unverified bool
	config     scan.Config
	rules      autoprotect.Config
}

// breakRules replaces the rules with ones that cannot be parsed.
func (r *rig) breakRules(why error) {
	r.t.Helper()
	r.rules.Rules, r.rules.RulesErr = nil, why
	var err error
	r.config.Rules, err = autoprotect.New(r.rules)
	require.NoError(r.t, err)
	r.config.Vaults = []string{filesVault}
}

// GetToken implements azcore.TokenCredential.
func (r *rig) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: r.sim.Token(), ExpiresOn: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// rows are the cached parts in a store in memory.
type rows struct {
	state.SharedRows
	store *memory.Store
}

func (r rows) List(ctx context.Context) iter.Seq2[scan.Row, error] {
	return func(yield func(scan.Row, error) bool) {
		for row, err := range r.store.ListShared(ctx, r.Kind) {
			if !yield(scan.Row(row), err) {
				return
			}
		}
	}
}

// noStarts starts nothing: a report only reads.
type noStarts struct{ t testing.TB }

func (n noStarts) Start(context.Context, request.Request, engine.Origin) (operation.Operation, bool, error) {
	n.t.Error("a report started an operation")
	return operation.Operation{}, false, nil
}

func newRig(t testing.TB, world armsim.World, rulesFile string, vaults ...string) *rig {
	t.Helper()
	r := &rig{t: t, store: memory.New(), clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)), perCall: 100 * time.Millisecond}
	var err error
	r.sim, err = armsim.New(armsim.Config{World: &world, Now: r.clock.Now, Quotas: armsim.AzureQuotas()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.sim.Close()) })
	limiter, err := ratelimit.New(ratelimit.Config{Now: r.clock.Now, Store: state.SharedRows{Store: r.store, Kind: "ratelimit"}})
	require.NoError(t, err)
	client, err := arm.New(arm.Config{
		Endpoint: r.sim.Endpoint(), Credential: r, Now: r.clock.Now, Limiter: limiter,
		Observe: func(ctx context.Context, _, _ string) (context.Context, func(int, error)) {
			return ctx, func(int, error) { r.clock.Advance(r.perCall) }
		},
	})
	require.NoError(t, err)
	vaultReader, err := inventory.New(inventory.Config{ARM: client, Now: r.clock.Now})
	require.NoError(t, err)
	var declared []autoprotect.Rule
	if rulesFile != "" {
		declared, err = autoprotect.Parse("protection.yaml", []byte(rulesFile), nil)
		require.NoError(t, err)
	}
	r.rules = autoprotect.Config{
		Rules: declared, Datasources: datasource.New(client), Vaults: autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)},
		Records: r.store, Engine: noStarts{t}, Tenant: "test", Now: r.clock.Now, Sleep: r.sleep, Log: slog.New(slog.DiscardHandler),
	}
	rules, err := autoprotect.New(r.rules)
	require.NoError(t, err)
	r.config = scan.Config{
		Vaults: vaults, Inventory: vaultReader, Rules: rules, Datasources: datasource.New(client), Exclusions: r.store.ListExclusions,
		Archive: r, Rows: rows{state.SharedRows{Store: r.store, Kind: "readiness"}, r.store}, Now: r.clock.Now, Sleep: r.sleep, Log: slog.New(slog.DiscardHandler),
	}
	return r
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.clock.Advance(d)
	return ctx.Err()
}

// List implements scan.Archive.
func (r *rig) List(_ context.Context, q archive.Query) (page archive.Page, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listErr != nil {
		return page, r.listErr
	}
	all := slices.Clone(r.drills)
	slices.SortStableFunc(all, func(a, b evidence.Evidence) int { return b.Started.Compare(a.Started) })
	from := 0
	if q.After != "" {
		from, err = strconv.Atoi(q.After)
		require.NoError(r.t, err)
	}
	to := min(from+q.Limit, len(all))
	for _, e := range all[from:to] {
		page.Entries = append(page.Entries, archive.Entry{ID: e.ID, ItemID: e.Item.ID, Started: e.Started, Result: e.Result})
	}
	if to < len(all) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

// Open implements scan.Archive.
func (r *rig) Open(_ context.Context, e archive.Entry) (archive.Document, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened++
	if r.openErr != nil {
		return archive.Document{}, r.openErr
	}
	i := slices.IndexFunc(r.drills, func(d evidence.Evidence) bool { return d.ID == e.ID })
	return archive.Document{Entry: e, Evidence: r.drills[i], Verified: !r.unverified}, nil
}

// drilled adds evidence of a drill of an item.
func (r *rig) drilled(itemID string, result evidence.Result, age time.Duration) {
	at := r.clock.Now().Add(-age)
	r.drills = append(r.drills, evidence.Evidence{ID: fmt.Sprintf("drill%d", len(r.drills)), Item: evidence.Item{ID: itemID}, Started: at, Result: result})
}

func (r *rig) scanner() *scan.Scanner {
	r.t.Helper()
	s, err := scan.New(r.config)
	require.NoError(r.t, err)
	return s
}

// complete repeats a request, as the command does, until the report is complete. A
// new scanner makes each report: nothing depends on the memory of a process.
func (r *rig) complete(q scan.Request) (report api.Readiness, requests int) {
	r.t.Helper()
	if q.MaxProofAge == 0 {
		q.MaxProofAge = 365 * day
	}
	for requests = 1; requests < 1000; requests++ {
		began := r.clock.Now()
		report, err := r.scanner().Report(r.t.Context(), q)
		require.NoError(r.t, err)
		require.Less(r.t, r.clock.Now().Sub(began), 30*time.Second, "an invocation is short")
		if report.Scan.Complete {
			require.Zero(r.t, report.Scan.RetryAfterSeconds)
			return report, requests
		}
		require.Positive(r.t, report.Scan.RetryAfterSeconds)
		r.clock.Advance(time.Duration(report.Scan.RetryAfterSeconds) * time.Second)
	}
	require.FailNow(r.t, "the report is never complete")
	return report, requests
}

// calls returns the calls that Azure received, and requires that it throttled none
// that each list of a vault was read once, and no other more often than most.
func (r *rig) calls(most int) int {
	r.t.Helper()
	n := 0
	byList := map[string]int{}
	for _, q := range r.sim.Requests() {
		if strings.HasSuffix(q.Kind, " token") {
			continue
		}
		n++
		require.Equal(r.t, "GET", q.Method, q.Path)
		require.NotEqual(r.t, 429, q.Status, q.Path)
		byList[strings.ToLower(q.Path)]++
	}
	for path, count := range byList {
		if strings.Contains(path, "/vaults/") || strings.Contains(path, "/backupvaults/") {
			require.Equal(r.t, 1, count, path)
		}
		require.LessOrEqual(r.t, count, most, path)
	}
	return n
}

// The estate of TestReport_IsRightForEachOf5000Resources: each subscription has a
// Recovery Services vault with 60 file shares in 6 storage accounts, and a Backup
// vault with 40 servers.
const (
	subscriptions = 50
	accounts      = 6
	sharesEach    = 10
	servers       = 40
)

const estateRules = `version: 1
rules:
  - name: scratch
    exclude: true
    match: {names: ["scratch-*"]}
`

// fate describes a resource of the estate, and the state that follows.
type fate struct {
	name  string
	state api.ReadinessState
	// prefix is that of the resource's name, which the rules match.
	prefix string
	// past is nil for resources that no vault protects.
	past *armsim.Past
	// drill is the newest drill, age its age; earlier is an earlier one.
	drill, earlier evidence.Result
	age            time.Duration
	// excluded is set if a user ended the protection.
	excluded bool
}

func fates() []fate {
	good := func() *armsim.Past { return &armsim.Past{Backup: 5 * time.Hour} }
	return []fate{
		{name: "proven", state: api.ReadinessProven, prefix: "app-", past: good(), drill: evidence.Proven, age: 10 * day},
		{name: "repaired", state: api.ReadinessProven, prefix: "app-", past: good(), drill: evidence.Proven, earlier: evidence.Failed, age: 10 * day},
		{name: "failing", state: api.ReadinessProven, prefix: "app-", past: &armsim.Past{Backup: 20 * time.Hour, Failed: time.Hour}, drill: evidence.Proven, age: 10 * day},
		{name: "no drill", state: api.ReadinessNotProven, prefix: "app-", past: good()},
		{name: "old drill", state: api.ReadinessNotProven, prefix: "app-", past: good(), drill: evidence.Proven, age: 400 * day},
		{name: "failed drill", state: api.ReadinessNotProven, prefix: "app-", past: good(), drill: evidence.Failed, earlier: evidence.Proven, age: 10 * day},
		{name: "not validated", state: api.ReadinessNotProven, prefix: "app-", past: good(), drill: evidence.NotValidated, age: 10 * day},
		{name: "old backup", state: api.ReadinessObjectivesMissed, prefix: "app-", past: &armsim.Past{Backup: 3 * day}, drill: evidence.Proven, age: 10 * day},
		{name: "slow drill", state: api.ReadinessObjectivesMissed, prefix: "app-", past: good(), drill: evidence.ObjectivesMissed, age: 10 * day},
		{name: "unprotected", state: api.ReadinessNotProtected, prefix: "app-"},
		{name: "no rule", state: api.ReadinessNotProtected, prefix: "other-"},
		{name: "stopped", state: api.ReadinessNotProtected, prefix: "app-", past: &armsim.Past{Backup: 9 * day, State: "ProtectionStopped"}, drill: evidence.Proven, age: 10 * day},
		{name: "excluded by a rule", state: api.ReadinessExcluded, prefix: "scratch-"},
		{name: "excluded by a user", state: api.ReadinessExcluded, prefix: "app-", past: &armsim.Past{Backup: 9 * day, State: "ProtectionStopped"}, excluded: true},
	}
}

// estate is a simulated world with the fate of each resource by its name.
type estate struct {
	world armsim.World
	rules strings.Builder
	truth map[string]fate
	// ids are the resource IDs by name.
	ids map[string]string
}

func newEstate() *estate {
	e := &estate{truth: map[string]fate{}, ids: map[string]string{}}
	e.rules.WriteString(estateRules)
	for s := range subscriptions {
		e.addSubscription(s, accounts, servers)
	}
	return e
}

func (e *estate) addSubscription(s, accounts, servers int) {
	id := fmt.Sprintf("00000000-0000-0000-0000-%012d", s+1)
	files := armsim.Vault{
		Subscription: id, ResourceGroup: "rg", Name: fmt.Sprintf("files%02d", s), Location: "westeurope", SoftDelete: "AlwaysON", ResourceGuard: s%2 == 0,
		Policies: []armsim.Policy{{Name: "daily", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"}},
	}
	databases := armsim.BackupVault{
		Subscription: id, ResourceGroup: "rg", Name: fmt.Sprintf("data%02d", s), Location: "westeurope", Immutability: "Locked",
		Policies: []armsim.BackupPolicy{{Name: "weekly", DatasourceTypes: []string{datasource.TypeFlexibleServer}}},
	}
	e.world.Vaults, e.world.BackupVaults = append(e.world.Vaults, files), append(e.world.BackupVaults, databases)
	fmt.Fprintf(&e.rules, "  - {name: files-%d, match: {subscriptions: [%s], names: [\"app-*\"]}, protect: {vaultId: %s, policy: daily}}\n", s, id, files.ID())
	fmt.Fprintf(&e.rules, "  - {name: data-%d, match: {subscriptions: [%s], names: [\"app-*\"]}, protect: {vaultId: %s, policy: weekly}}\n", s, id, databases.ID())
	n := 0
	next := func() (string, fate) {
		// Another fate begins in each subscription, and those of shares and servers differ.
		f := fates()[(n+s)%len(fates())]
		name := fmt.Sprintf("%s%02d-%03d", f.prefix, s, n)
		n++
		e.truth[name] = f
		return name, f
	}
	for a := range accounts {
		account := armsim.StorageAccount{
			Subscription: id, ResourceGroup: "rg", Name: fmt.Sprintf("st%02d%02d", s, a), Location: "westeurope", RegisteredWith: files.ID(),
			Tags: map[string]string{"Env": []string{"prod", "test"}[a%2]},
		}
		for range sharesEach {
			name, f := next()
			share := armsim.Share{Name: name, Past: f.past}
			if f.past != nil {
				share.Policy = "daily"
			}
			account.Shares = append(account.Shares, share)
			e.ids[name] = datasource.FileShareID(account.ID(), name)
		}
		e.world.StorageAccounts = append(e.world.StorageAccounts, account)
	}
	for range servers {
		name, f := next()
		server := armsim.FlexibleServer{Subscription: id, ResourceGroup: "rg", Name: name, Location: "westeurope", Tags: map[string]string{"env": "prod"}}
		e.world.FlexibleServers = append(e.world.FlexibleServers, server)
		e.ids[name] = server.ID()
		if f.past != nil {
			e.world.ProtectedDatasources = append(e.world.ProtectedDatasources, armsim.ProtectedDatasource{
				Vault: databases.ID(), Policy: "weekly", Datasource: server.ID(), Instance: name, Past: f.past,
			})
		}
	}
}

// settle adds the drills and the exclusions of the resources.
func (e *estate) settle(r *rig) {
	items := map[string]string{}
	for _, i := range r.sim.ProtectedItems() {
		items[i.FriendlyName] = i.ID
	}
	for _, i := range r.sim.BackupInstances() {
		items[i.Name] = i.ID
	}
	for name, f := range e.truth {
		if f.drill != "" {
			r.drilled(items[name], f.drill, f.age)
		}
		if f.earlier != "" {
			r.drilled(items[name], f.earlier, f.age+day)
		}
		if f.excluded {
			require.NoError(r.t, r.store.SaveExclusion(r.t.Context(), decision.Exclusion{ResourceID: e.ids[name], OperationID: "op1", At: r.clock.Now()}))
		}
	}
}
