package autoprotect_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	statememory "azbackupflow/internal/state/memory"
)

// site is an evaluator on a simulated Azure, with a clock that the test advances.
type site struct {
	t      *testing.T
	config autoprotect.Config
	store  *statememory.Store
	arm    *armsim.Simulator
	clock  *clockwork.FakeClock
	check  autoprotect.Check

	mu  sync.Mutex
	log bytes.Buffer
}

// evaluator returns an evaluator with the site's current configuration.
func (s *site) evaluator() *autoprotect.Evaluator {
	s.t.Helper()
	e, err := autoprotect.New(s.config)
	require.NoError(s.t, err)
	return e
}

// GetToken returns a new token of the simulator for each request: the test's
// time passes faster than the client's.
func (s *site) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.arm.Token(), ExpiresOn: time.Now()}, nil
}

// Write stores log output.
func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

const (
	group     = "/subscriptions/" + subscription + "/resourceGroups/rg-app/providers/"
	accountID = group + "Microsoft.Storage/storageAccounts/stapp01"
	serverID  = group + "Microsoft.DBforPostgreSQL/flexibleServers/pg01"
)

// newSite returns a site with a storage account with two shares, tagged
// backup=daily, and a server without tags.
func newSite(t *testing.T, lines ...string) *site {
	t.Helper()
	s := &site{t: t, store: statememory.New(), clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))}
	world := armsim.DemoWorld()
	addSite(&world)
	s.simulate(world)
	if len(lines) > 0 {
		s.config.Rules = rules(t, lines...)
	}
	return s
}

// addSite adds the site's account and server.
func addSite(world *armsim.World) {
	world.StorageAccounts = append(world.StorageAccounts, armsim.StorageAccount{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "stapp01", Location: "westeurope", Tags: map[string]string{"backup": "daily"},
		Shares: []armsim.Share{{Name: "orders"}, {Name: "tmp-1"}},
	})
	world.FlexibleServers = append(world.FlexibleServers, armsim.FlexibleServer{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "pg01", Location: "westus",
	})
}

// world replaces Azure by the demo's with changes.
func (s *site) world(change func(*armsim.World)) {
	s.t.Helper()
	world := armsim.DemoWorld()
	addSite(&world)
	change(&world)
	configured := s.config.Rules
	s.simulate(world)
	s.config.Rules = configured
}

// simulate starts a simulated Azure, and configures the evaluator for it.
func (s *site) simulate(world armsim.World) {
	t := s.t
	t.Helper()
	var err error
	s.arm, err = armsim.New(armsim.Config{Now: s.clock.Now, World: &world, PageSize: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.arm.Close()) })
	client, err := arm.New(arm.Config{Endpoint: s.arm.Endpoint(), Credential: s, Now: s.clock.Now})
	require.NoError(t, err)
	flows, err := flow.New(flow.Config{ARM: client, Now: s.clock.Now})
	require.NoError(t, err)
	e, err := engine.New(engine.Config{
		Store: s.store, Queue: &queuememory.Queue{}, Flows: flows, Waits: operation.AzureWaits(), Tenant: "test",
		Now: s.clock.Now, Jitter: func() float64 { return 0 }, NewID: uuid.NewString,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(t, err)
	s.check = e.Check
	s.config = autoprotect.Config{
		Datasources: datasource.New(client), Vaults: autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)},
		Records: s.store, Engine: e, Tenant: "test", Now: s.clock.Now, Sleep: s.sleep,
		Log: slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// deliver delivers an event about a resource.
func (s *site) deliver(resourceID string) {
	s.t.Helper()
	require.NoError(s.t, s.evaluator().HandleEvent(s.t.Context(), event(s.t, "EventGrid", resourceID), ""))
}

func (s *site) operations() []operation.Operation {
	s.t.Helper()
	page, err := s.store.List(s.t.Context(), operation.Query{PageSize: operation.MaxPageSize})
	require.NoError(s.t, err)
	return page.Operations
}

func (s *site) verdict(resourceID string) decision.Record {
	s.t.Helper()
	v, err := s.store.LoadDecision(s.t.Context(), resourceID)
	require.NoError(s.t, err)
	return v
}

// end ends an operation with a status.
func (s *site) end(id string, status operation.Status) {
	s.t.Helper()
	row, err := s.store.Load(s.t.Context(), id)
	require.NoError(s.t, err)
	row.Operation.Status, row.Operation.Seq, row.Operation.EndedAt = status, 9, s.clock.Now()
	_, err = s.store.Save(s.t.Context(), row, operation.Event{Seq: 9})
	require.NoError(s.t, err)
}

func (s *site) calls() int { return len(s.arm.Requests()) }

const (
	ordersID = accountID + "/fileServices/default/shares/orders"
	tmpID    = accountID + "/fileServices/default/shares/tmp-1"
	toDaily  = "{name: daily, match: {tags: {include: {backup: daily}}}, protect: {vaultId: " + vault + ", policy: schedule1, firstBackup: true}}"
)

func TestEvaluator_KeepsProtectionEndedByUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	require.NoError(t, s.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: strings.ToUpper(ordersID), OperationID: "op-of-a-user", At: s.clock.Now()}))
	s.deliver(accountID)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "excluded", s.verdict(ordersID).Outcome)
	require.Equal(t, "op-of-a-user", s.verdict(ordersID).OperationID)
	for _, op := range s.operations() {
		require.NotContains(t, string(op.Parameters), `"orders"`)
	}
}

// An exclusion is about the resource that a user excluded, not about a later one of
// the same name.
func TestEvaluator_ProtectsANewResourceOfAnExcludedName(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(*site) error{
		"event": func(s *site) error {
			return s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", ordersID), "")
		},
		"sweep": func(s *site) error { return s.evaluator().Sweep(t.Context()) },
	} {
		s := newSite(t, toDaily)
		created := s.clock.Now()
		exclude := func(at time.Time) {
			require.NoError(t, s.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: ordersID, OperationID: "op-of-a-user", At: at}))
		}
		exclude(created.Add(time.Hour))
		require.NoError(t, find(s))
		require.Equal(t, "excluded", s.verdict(ordersID).Outcome, name)
		exclude(time.Time{})
		require.NoError(t, find(s))
		require.Equal(t, "excluded", s.verdict(ordersID).Outcome, "%s: the time is unknown", name)
		exclude(created.Add(-time.Hour))
		require.NoError(t, find(s))
		require.Equal(t, "protect", s.verdict(ordersID).Outcome, name)
		_, err := s.store.Load(t.Context(), s.verdict(ordersID).OperationID)
		require.NoError(t, err, name)
	}
}

func TestEvaluator_FailsWhileRulesAreInvalid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.config.RulesErr = fmt.Errorf("protection.yaml: line 3: rules[0]: is wrong")
	require.ErrorContains(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""), "rules[0]: is wrong")
	require.ErrorContains(t, s.evaluator().Sweep(t.Context()), "rules[0]: is wrong")
	require.Zero(t, s.calls())
}
