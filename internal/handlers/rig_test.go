package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state/memory"
)

const (
	demoVault   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	demoAccount = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
)

// rig is the handlers over the real engine and flows, a store and a queue in
// memory, and a simulator of Azure. Its clock stands still unless it is moved.
type rig struct {
	t        *testing.T
	sim      *armsim.Simulator
	store    *shaky
	steps    *queuememory.Queue
	engine   *engine.Engine
	flows    *flow.Registry
	requests handlers.Requests
	api      http.Handler

	mu   sync.Mutex
	time *clockwork.FakeClock
	ids  int
	// sent are the messages to other queues than steps, in their order.
	sent []sent
	// busAway makes sending fail.
	busAway bool
	// excluded is called when automatic protection is told to leave something
	// alone, or no longer to.
	excluded func()
	// tick is what each look at the clock moves it by.
	tick time.Duration
}

// sent is a message as it was sent.
type sent struct {
	due        time.Time
	queue, id  string
	body       []byte
	properties map[string]any
}

var errAway = errors.New("out of reach") //nolint:gochecknoglobals // a sentinel

// shaky is a store in memory that can be taken away.
type shaky struct {
	*memory.Store
	mu sync.Mutex
	// creations counts those that were asked for.
	creations int
	away      bool
	// breaks, if set, names the creations that meet a store that is away.
	breaks func(operation.Operation) bool
}

// Create implements engine.Store.
func (s *shaky) Create(ctx context.Context, op operation.Operation, ev operation.Event) (engine.Row, bool, error) {
	s.mu.Lock()
	s.creations++
	away := s.away || s.breaks != nil && s.breaks(op)
	s.mu.Unlock()
	if away {
		return engine.Row{}, false, errAway
	}
	return s.Store.Create(ctx, op, ev)
}

// set takes the store away, or gives it back.
func (s *shaky) set(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *shaky) isAway() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

// History implements handlers.Reader.
func (s *shaky) History(ctx context.Context, id string) iter.Seq2[operation.Event, error] {
	if s.isAway() {
		return func(yield func(operation.Event, error) bool) { yield(operation.Event{}, errAway) }
	}
	return s.Store.History(ctx, id)
}

// List implements handlers.Reader.
func (s *shaky) List(ctx context.Context, q operation.Query) (operation.Page, error) {
	if s.isAway() {
		return operation.Page{}, errAway
	}
	return s.Store.List(ctx, q)
}

// Refusals implements handlers.Reader.
func (s *shaky) ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error) {
	if s.isAway() {
		return rejected.Page{}, errAway
	}
	return s.Store.ListRejected(ctx, q)
}

// Verdicts implements handlers.Reader.
func (s *shaky) ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error) {
	if s.isAway() {
		return decision.Page{}, errAway
	}
	return s.Store.ListDecisions(ctx, q)
}

// Refusal implements handlers.DeadLetters.
func (s *shaky) LoadRejected(ctx context.Context, handle string) (rejected.Request, error) {
	if s.isAway() {
		return rejected.Request{}, errAway
	}
	return s.Store.LoadRejected(ctx, handle)
}

// RemoveRefusals implements handlers.DeadLetters.
func (s *shaky) PurgeRejected(ctx context.Context, before time.Time, most int) (removed int, more bool, err error) {
	if s.isAway() {
		return 0, false, errAway
	}
	return s.Store.PurgeRejected(ctx, before, most)
}

// Live implements engine.Store.
func (s *shaky) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	if s.isAway() {
		return func(yield func(engine.LiveMarker, error) bool) { yield(engine.LiveMarker{}, errAway) }
	}
	return s.Store.ListLive(ctx)
}

// Load implements engine.Store.
func (s *shaky) Load(ctx context.Context, id string) (engine.Row, error) {
	if s.isAway() {
		return engine.Row{}, errAway
	}
	return s.Store.Load(ctx, id)
}

// answers allows answers on the queue of that name and sends none.
type answers struct{}

// MayReply implements handlers.Replies.
func (answers) MayReply(queue string) bool { return queue == "answers" }

// Refused implements handlers.Replies.
func (answers) NotifyRejected(context.Context, string, rejected.Request) error { return nil }

func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

const (
	demoContainer = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
	demoTarget    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver"
)

// token gives the simulator's tokens.
type token func() string

// GetToken implements azcore.TokenCredential.
func (c token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c(), ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, time: clockwork.NewFakeClockAt(morning()), store: &shaky{Store: memory.New()}, steps: &queuememory.Queue{}, excluded: func() {}}
	world := armsim.DemoWorld()
	var err error
	r.sim, err = armsim.New(armsim.Config{World: &world, Now: r.clock})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.sim.Close()) })
	client, err := arm.New(arm.Config{Endpoint: r.sim.Endpoint(), Credential: token(r.sim.Token), Clock: r.clock})
	require.NoError(t, err)
	r.flows, err = flow.New(flow.Config{
		ARM: client, Now: r.clock, Guardrails: flow.Guardrails{Delete: true, RestoreTargets: []string{demoContainer, demoTarget}},
		Exclude: func(context.Context, string, string, time.Time) error { r.excluded(); return nil },
		Include: func(context.Context, string) error { r.excluded(); return nil },
	})
	require.NoError(t, err)
	r.engine, err = engine.New(engine.Config{
		Store: r.store, Queue: r.steps, Flows: r.flows, Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep, Record: arm.Record, DryRun: arm.Rehearse,
	})
	require.NoError(t, err)
	r.requests = handlers.Requests{
		Engine: r.engine, Load: r.store.Load, Later: r.later, Now: r.clock, NewID: r.newID, Waits: operation.AzureWaits(),
		Refuse: handlers.Refuser{Record: r.store.SaveRejected, Publish: r.publish, Replies: answers{}, Now: r.clock, Log: slog.New(slog.DiscardHandler)},
	}
	r.api = r.repair().Routes(handlers.API(r.config()))
	return r
}

func (r *rig) repair() handlers.Repair {
	return handlers.Repair{
		Letters: r.store, Sweeper: r.engine, Check: r.engine.Prepare, Publish: r.publish, Now: r.clock, NewID: r.newID, Flows: r.flows,
	}
}

// refused records a refused request and gives its path.
func (r *rig) refused(id string, body any) string {
	r.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(r.t, err)
	refusal := rejected.Request{ID: rejected.NewID(r.clock(), "", id, nil), At: r.clock(), Source: "requests", MessageID: id, Reason: "was not allowed then", Body: string(raw)}
	require.NoError(r.t, r.store.SaveRejected(r.t.Context(), refusal))
	return "/dead-letters/" + refusal.ID
}

func (r *rig) config() handlers.APIConfig {
	return handlers.APIConfig{Control: r.engine, Read: r.store, Flows: r.flows, Publish: r.publish, Now: r.clock, NewID: r.newID, Preflight: ready{}}
}

// ready is a preflight that found one thing.
type ready struct{}

func (ready) Check(context.Context) preflight.Report {
	return preflight.Report{Findings: []preflight.Finding{{Check: "setting", Subject: "X", Problem: "is empty", Missing: []string{"X"}, Do: "Set it."}}}
}

func (r *rig) clock() time.Time {
	r.time.Advance(r.tick)
	return r.time.Now()
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.time.Advance(d)
	return ctx.Err()
}

func (r *rig) newID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", r.ids)
}

func (r *rig) publish(ctx context.Context, queue, id string, body []byte, properties map[string]any) error {
	return r.later(ctx, time.Time{}, queue, id, body, properties)
}

func (r *rig) later(_ context.Context, due time.Time, queue, id string, body []byte, properties map[string]any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busAway {
		return errAway
	}
	r.sent = append(r.sent, sent{due, queue, id, body, properties})
	return nil
}

// take gives what was sent to a queue, and forgets it.
func (r *rig) take(queue string) (taken []sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []sent
	for _, m := range r.sent {
		if m.queue == queue {
			taken = append(taken, m)
		} else {
			rest = append(rest, m)
		}
	}
	r.sent = rest
	return taken
}

// message is a message on the queue requests as the host hands it over; more is
// further metadata.
func (r *rig) message(id string, body []byte, more map[string]any) customhandler.Invocation {
	r.t.Helper()
	encode := func(v any) json.RawMessage {
		raw, err := json.Marshal(v)
		require.NoError(r.t, err)
		return raw
	}
	text, err := json.Marshal(string(body))
	require.NoError(r.t, err)
	inv := customhandler.Invocation{
		ID: "i", Function: "start-operation",
		Data:     map[string]json.RawMessage{"message": encode(string(text))},
		Metadata: map[string]json.RawMessage{"MessageId": encode(id), "DeliveryCount": encode("1")},
	}
	for name, v := range more {
		inv.Metadata[name] = encode(v)
	}
	return inv
}

// receive hands a message over; it fails where the message goes back.
func (r *rig) receive(inv customhandler.Invocation) {
	r.t.Helper()
	_, err := r.requests.Start(r.t.Context(), inv)
	require.NoError(r.t, err)
}

// drain receives what was sent on until nothing is left, and counts it.
func (r *rig) drain() (n int) {
	r.t.Helper()
	for {
		waiting := r.take("requests")
		if len(waiting) == 0 {
			return n
		}
		for _, m := range waiting {
			require.Less(r.t, n, 100, "it never ends")
			if wait := m.due.Sub(r.clock()); wait > 0 {
				r.time.Advance(wait)
			}
			inv := r.message(m.id, m.body, map[string]any{"ApplicationProperties": m.properties})
			inv.Trace, _ = inv.ApplicationProperty("Diagnostic-Id")
			r.receive(inv)
			n++
		}
	}
}

// object is a JSON object.
type object = map[string]any
