package autoprotect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
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
	"azbackupflow/internal/step"
)

// site is an evaluator on a simulated Azure, with a clock that the test advances.
type site struct {
	t      *testing.T
	config autoprotect.Config
	store  *statememory.Store
	arm    *armsim.Simulator
	clock  *clockwork.FakeClock

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
	world.StorageAccounts = append(world.StorageAccounts, armsim.StorageAccount{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "stapp01", Location: "westeurope", Tags: map[string]string{"backup": "daily"},
		Shares: []armsim.Share{{Name: "orders"}, {Name: "tmp-1"}},
	})
	world.FlexibleServers = append(world.FlexibleServers, armsim.FlexibleServer{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "pg01", Location: "westus",
	})
	var err error
	s.arm, err = armsim.New(armsim.Config{Now: s.clock.Now, World: &world, PageSize: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.arm.Close()) })
	client, err := arm.New(arm.Config{Endpoint: s.arm.Endpoint(), Credential: s, Clock: s.clock.Now})
	require.NoError(t, err)
	flows, err := flow.New(flow.Config{ARM: client, Now: s.clock.Now})
	require.NoError(t, err)
	e, err := engine.New(engine.Config{
		Store: s.store, Queue: &queuememory.Queue{}, Flows: flows, Waits: operation.AzureWaits(), Tenant: "test",
		Now: s.clock.Now, Jitter: func() float64 { return 0 }, NewID: uuid.NewString,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(t, err)
	s.config = autoprotect.Config{
		Datasources: datasource.New(client), Vaults: autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)},
		Records: s.store, Engine: e, Tenant: "test", Now: s.clock.Now, Sleep: s.sleep,
		Log: slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if len(lines) > 0 {
		s.config.Rules = rules(t, lines...)
	}
	return s
}

// event returns an event about a resource as Event Grid sends it, with claims and
// addresses, after the samples in the shared facts.
func event(t *testing.T, schema, resourceID string) []byte {
	t.Helper()
	data := map[string]any{
		"authorization": map[string]any{"scope": resourceID, "action": "x/write", "evidence": map[string]any{"principalId": "principal-of-alice"}},
		"claims":        map[string]any{"name": "Alice Example", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "alice@example.com"},
		"httpRequest":   map[string]any{"clientIpAddress": "203.0.113.10"},
		"resourceUri":   resourceID, "operationName": "x/write", "status": "Succeeded",
	}
	e := map[string]any{"id": "event-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": resourceID, "data": data, "dataVersion": "2"}
	if schema == "CloudEvents" {
		e = map[string]any{"id": "event-1", "specversion": "1.0", "type": "Microsoft.Resources.ResourceWriteSuccess", "source": "/subscriptions/x", "data": data}
	}
	raw, err := json.Marshal(e)
	require.NoError(t, err)
	return raw
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

func TestHandleEvent_DecidesAboutEveryShareOfAStorageAccount(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{"EventGrid", "CloudEvents"} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
			require.NoError(t, s.evaluator().HandleEvent(t.Context(), event(t, schema, strings.ToUpper(accountID[:30])+accountID[30:]), "00-trace"))
			ops := s.operations()
			require.Len(t, ops, 1)
			require.Equal(t, "protect-file-share", ops[0].Flow)
			require.Equal(t, map[string]string{"rule": "daily", "source": "event"}, ops[0].Labels)
			require.JSONEq(t, `{"vaultId":"`+vault+`","storageAccountId":"`+accountID+`","fileShare":"orders","policy":"schedule1","firstBackup":{}}`, string(ops[0].Parameters))
			v := s.verdict(ordersID)
			require.Equal(t, decision.Record{
				ResourceID: ordersID, At: s.clock.Now(), Outcome: "protect", Rule: "daily", OperationID: ops[0].ID, Source: "event", EventID: "event-1",
				Created: v.Created, Reason: "protect with policy schedule1 of vault azurefilesvault and start a first backup",
			}, v)
			require.False(t, v.Created.IsZero())
			require.Equal(t, "exclude", s.verdict(tmpID).Outcome)
			require.Equal(t, "tmp", s.verdict(tmpID).Rule)
		})
	}
}

func TestHandleEvent_ProtectsMatchingServersAndRecordsOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily, "{name: servers, match: {names: [pg0*]}, "+toBackup+"}")
	s.deliver(serverID)
	ops := s.operations()
	require.Len(t, ops, 1)
	require.Equal(t, "protect-postgres", ops[0].Flow)
	require.Contains(t, string(ops[0].Parameters), `"location":"westus"`)
	s.deliver("/subscriptions/" + subscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver")
	v := s.verdict("/subscriptions/" + subscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver")
	require.Equal(t, "none", v.Outcome)
	require.Len(t, s.operations(), 1)
}

// A repeated update of a storage account starts nothing, writes nothing, and costs
// two calls to Azure.
func TestHandleEvent_IgnoresRepeatedUpdates(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	require.Len(t, s.operations(), 2)
	at := s.verdict(ordersID).At
	before := s.calls()
	for range 100 {
		s.clock.Advance(time.Minute)
		s.deliver(accountID)
	}
	require.Len(t, s.operations(), 2)
	require.Equal(t, at, s.verdict(ordersID).At)
	require.Equal(t, 200, s.calls()-before)
}

func TestHandleEvent_RecordsDryRunRulesAndStartsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: try, dryRun: true, "+toVault+"}")
	s.deliver(ordersID)
	require.Empty(t, s.operations())
	v := s.verdict(ordersID)
	require.Equal(t, "none", v.Outcome)
	require.Equal(t, []string{"try: protect with policy schedule1 of vault azurefilesvault"}, v.DryRunMatches)
}

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

func TestHandleEvent_NeverStoresOrLogsPersonalData(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	kept, err := json.Marshal([]any{s.operations(), s.verdict(ordersID), s.verdict(tmpID)})
	require.NoError(t, err)
	for _, secret := range []string{"Alice", "alice@", "principal-of-alice", "203.0.113.10"} {
		require.NotContains(t, string(kept), secret)
		require.NotContains(t, s.logged(), secret)
	}
}

func TestHandleEvent_RejectsInvalidEventsAndIgnoresOtherTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	for raw, want := range map[string]string{
		"":                         "event: is not an Event Grid event",
		"[1]":                      "event: is not an Event Grid event",
		`{"id":"e","eventType":1}`: "event: is not an Event Grid event",
		`{"eventType":"Microsoft.Resources.ResourceWriteSuccess"}`: "event.id: is missing",
		`{"id":"e"}`: "event.type: is missing",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{}}`:                                                    "event.data.resourceUri: is missing",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{"resourceUri":"x"}}`:                                   "event.data.resourceUri: is not a resource ID",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{"resourceUri":"/` + strings.Repeat("x", 1<<20) + `"}}`: "event.data.resourceUri: is 1048577 bytes long; want a resource ID of at most 2048 bytes",
	} {
		var invalid *step.Invalid
		err := s.evaluator().HandleEvent(t.Context(), []byte(raw), "")
		require.ErrorAs(t, err, &invalid)
		require.Contains(t, err.Error(), want)
		require.Less(t, len(err.Error()), 300)
	}
	for _, raw := range []string{
		`{"id":"e","eventType":"Microsoft.Resources.ResourceDeleteSuccess","data":{"resourceUri":"` + accountID + `"}}`,
		`{"id":"e","specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":{}}`,
		string(event(t, "EventGrid", group+"Microsoft.Compute/virtualMachines/vm1")),
		string(event(t, "EventGrid", accountID+"/privateEndpointConnections/x")),
		string(event(t, "EventGrid", group+"Microsoft.Storage/storageAccounts/gone")),
	} {
		require.NoError(t, s.evaluator().HandleEvent(t.Context(), []byte(raw), ""))
	}
	require.Empty(t, s.operations())
}

func TestParseEvent_AcceptsBothSchemas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"eventGridTrigger.json", "eventGridCloudEvent.json"} {
		raw, err := os.ReadFile(filepath.Join("../../../shared/facts/host-payloads", name))
		if err != nil {
			t.Skip("shared samples are not available")
		}
		var envelope struct {
			Data struct{ Event json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(raw, &envelope))
		e, err := autoprotect.ParseEvent(envelope.Data.Event)
		require.NoError(t, err)
		require.Equal(t, "Microsoft.Resources.ResourceWriteSuccess", e.Type)
		require.Contains(t, e.ResourceID, "Microsoft.Compute/virtualMachines/vm-app-01")
	}
}

func TestHandleEvent_FailsWhileAzureIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	remove := s.arm.Inject(armsim.Rule{Kind: "GET storageAccounts", Effect: armsim.Answer(503, "", nil)})
	require.Error(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""))
	remove()
	s.deliver(accountID)
	require.Len(t, s.operations(), 2)
}

func TestEvaluator_FailsWhileRulesAreInvalid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.config.RulesErr = fmt.Errorf("protection.yaml: line 3: rules[0]: is wrong")
	require.ErrorContains(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""), "rules[0]: is wrong")
	require.ErrorContains(t, s.evaluator().Sweep(t.Context()), "rules[0]: is wrong")
	require.Zero(t, s.calls())
}

func TestSweep_FindsResourcesWithoutEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily, "{name: servers, match: {names: [pg0*]}, "+toBackup+"}")
	require.NoError(t, s.arm.CreateShare(accountID, armsim.Share{Name: "over-smb"}))
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	found := map[string]string{}
	for _, op := range s.operations() {
		require.Equal(t, "sweep", op.Labels["source"])
		found[op.Labels["rule"]] += " " + op.Flow
	}
	require.Equal(t, map[string]string{"daily": " protect-file-share protect-file-share", "servers": " protect-postgres"}, found)
	require.Equal(t, "sweep", s.verdict(accountID+"/fileServices/default/shares/over-smb").Source)

	s.clock.Advance(time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 3, "a pending operation is not started again")
	s.deliver(accountID)
	require.Len(t, s.operations(), 3, "a late event starts nothing")
}

func TestSweep_RetriesFailuresDailyAndRecordsLostProtection(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
	s.deliver(accountID)
	first := s.operations()[0]
	s.end(first.ID, operation.Failed)
	for range 5 {
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.clock.Advance(time.Hour)
	}
	require.Len(t, s.operations(), 2)
	again := s.verdict(ordersID).OperationID
	require.NotEqual(t, first.ID, again)

	s.end(again, operation.Succeeded)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "protect", s.verdict(ordersID).Outcome, "the list of the vault may be out of date")
	s.clock.Advance(2 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "lost", s.verdict(ordersID).Outcome)
	require.Contains(t, s.logged(), "resource lost its protection")
	s.deliver(accountID)
	require.Equal(t, "lost", s.verdict(ordersID).Outcome, "an update of the account changes nothing")
	require.Len(t, s.operations(), 2, "lost protection is recorded but not restored")

	expired, err := s.store.Expire(t.Context(), s.clock.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 2, expired.Operations)
	s.clock.Advance(24 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	s.deliver(accountID)
	require.Equal(t, "lost", s.verdict(ordersID).Outcome)
	require.Empty(t, s.operations(), "the same after retention deleted the operation")
}

func TestSweep_NeverRestartsCanceledOperations(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
	s.deliver(accountID)
	s.end(s.operations()[0].ID, operation.Failed)
	s.clock.Advance(24 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 2)
	s.end(s.verdict(ordersID).OperationID, operation.Canceled)
	for range 3 {
		s.clock.Advance(24 * time.Hour)
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.deliver(accountID)
	}
	require.Len(t, s.operations(), 2, "neither the first attempt nor the canceled one")
}

func TestSweep_StartsNothingIfAVaultCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.arm.Inject(armsim.Rule{Kind: "GET backupProtectedItems", Effect: armsim.Answer(403, "", nil)})
	require.Error(t, s.evaluator().Sweep(t.Context()))
	require.Empty(t, s.operations())
}

func TestSweep_IgnoresProtectedResources(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: all, "+toVault+"}", "{name: servers, "+toBackup+"}")
	world := armsim.DemoWorld()
	world.StorageAccounts = []armsim.StorageAccount{{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "stapp01", Location: "westeurope", RegisteredWith: vault,
		Shares: []armsim.Share{{Name: "orders", Policy: "schedule1"}, {Name: "bare"}},
	}}
	world.FlexibleServers = nil
	sim, err := armsim.New(armsim.Config{Now: s.clock.Now, World: &world})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	s.arm = sim
	client, err := arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Clock: s.clock.Now})
	require.NoError(t, err)
	s.config.Datasources = datasource.New(client)
	s.config.Vaults = autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)}
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 1)
	require.Contains(t, string(s.operations()[0].Parameters), `"bare"`)
}
