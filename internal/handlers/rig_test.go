package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
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
	"azbackupflow/internal/handlers/httpapi"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/readiness/readinesstest"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/schedule/run"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
)

const (
	demoVault   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	demoAccount = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
)

// rig runs the handlers with the real engine and flows, a store and a queue in
// memory, and a simulator of Azure. Its clock moves only when a test moves it.
type rig struct {
	t      testing.TB
	sim    *armsim.Simulator
	store  *flakyStore
	steps  *queuememory.Queue
	engine *engine.Engine
	flows  *flow.Registry
	intake *intake.Intake
	api    *httpapi.API
	sealer *intake.Sealer
	bulks  *intake.Bulks
	// schedules are those of nightly.
	schedules *schedule.Runner
	known     []ratelimit.Known
	report    *readinesstest.Fake

	rejecter *intake.Rejecter

	mu   sync.Mutex
	time *clockwork.FakeClock
	ids  int
	// sent are the messages to queues other than steps, in order.
	sent    []sent
	replies answers
	// log is the log of the intake.
	log strings.Builder
	// busDown makes sending fail.
	busDown bool
	// excluded is called for each change of an exclusion.
	excluded func()
	// slept is called after each sleep, unless it is nil.
	slept func()
	// tick moves the clock at each reading.
	tick time.Duration
}

// sent is a sent message.
type sent struct {
	due        time.Time
	queue, id  string
	body       []byte
	properties map[string]any
}

var errUnavailable = errors.New("unavailable")

// flakyStore is a store in memory that can become unavailable.
type flakyStore struct {
	*memory.Store
	mu sync.Mutex
	// creations counts the calls of Create.
	creations int
	down      bool
	// unreadable makes each row of an operation or rejected request unreadable.
	unreadable bool
	// breaksRejected makes SaveRejected fail.
	breaksRejected bool
	// breaks, if set, selects the calls of Create that fail.
	breaks func(operation.Operation) bool
}

// Create implements engine.Store.
func (s *flakyStore) Create(ctx context.Context, op operation.Operation, ev operation.Event) (engine.Row, bool, error) {
	s.mu.Lock()
	s.creations++
	down, breaks := s.down, s.breaks
	s.mu.Unlock()
	if down || breaks != nil && breaks(op) {
		return engine.Row{}, false, errUnavailable
	}
	if _, err := s.Load(ctx, op.ID); operation.IsUnreadable(err) {
		if _, err := s.Store.Load(ctx, op.ID); err == nil {
			return engine.Row{}, false, s.fails(op.ID)
		}
	}
	return s.Store.Create(ctx, op, ev)
}

// SaveRejected implements httpapi.Rejected.
func (s *flakyStore) SaveRejected(ctx context.Context, r rejected.Request) error {
	s.mu.Lock()
	fails := s.breaksRejected
	s.mu.Unlock()
	if fails || s.isDown() {
		return errUnavailable
	}
	return s.Store.SaveRejected(ctx, r)
}

// set makes the store unavailable or available.
func (s *flakyStore) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// setUnreadable makes the rows unreadable or readable.
func (s *flakyStore) setUnreadable(unreadable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreadable = unreadable
}

// fails returns the error of a read of one row.
func (s *flakyStore) fails(record string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.down:
		return errUnavailable
	case s.unreadable:
		return &operation.Unreadable{Record: record, Err: errUnavailable}
	}
	return nil
}

func (s *flakyStore) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// History implements httpapi.Operations.
func (s *flakyStore) History(ctx context.Context, id string) iter.Seq2[operation.Event, error] {
	if err := s.fails(id); err != nil {
		return func(yield func(operation.Event, error) bool) { yield(operation.Event{}, err) }
	}
	return s.Store.History(ctx, id)
}

// List implements httpapi.Operations.
func (s *flakyStore) List(ctx context.Context, q operation.Query) (operation.Page, error) {
	if s.isDown() {
		return operation.Page{}, errUnavailable
	}
	return s.Store.List(ctx, q)
}

// CountEnded implements httpapi.Operations.
func (s *flakyStore) CountEnded(ctx context.Context, since time.Time, limit int) (operation.Counts, bool, error) {
	if s.isDown() {
		return nil, false, errUnavailable
	}
	return s.Store.CountEnded(ctx, since, limit)
}

// LoadScheduleRuns implements schedule.Store.
func (s *flakyStore) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	if s.isDown() {
		return nil, errUnavailable
	}
	return s.Store.LoadScheduleRuns(ctx)
}

// ListRejected implements httpapi.Operations.
func (s *flakyStore) ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error) {
	if s.isDown() {
		return rejected.Page{}, errUnavailable
	}
	return s.Store.ListRejected(ctx, q)
}

// SaveRemoval implements httpapi.Rejected.
func (s *flakyStore) SaveRemoval(ctx context.Context, r rejected.Removal) error {
	if s.isDown() {
		return errUnavailable
	}
	return s.Store.SaveRemoval(ctx, r)
}

// ListRemovals implements httpapi.Rejected.
func (s *flakyStore) ListRemovals(ctx context.Context, q rejected.Query) (rejected.RemovalPage, error) {
	if s.isDown() {
		return rejected.RemovalPage{}, errUnavailable
	}
	return s.Store.ListRemovals(ctx, q)
}

// ListDecisions implements httpapi.Decisions.
func (s *flakyStore) ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error) {
	if s.isDown() {
		return decision.Page{}, errUnavailable
	}
	return s.Store.ListDecisions(ctx, q)
}

// LoadRejected implements httpapi.Rejected.
func (s *flakyStore) LoadRejected(ctx context.Context, handle string) (rejected.Request, error) {
	if err := s.fails(handle); err != nil {
		return rejected.Request{}, err
	}
	return s.Store.LoadRejected(ctx, handle)
}

// PurgeRejected implements httpapi.Rejected.
func (s *flakyStore) PurgeRejected(ctx context.Context, before time.Time, most int) (removed int, more bool, err error) {
	if s.isDown() {
		return 0, false, errUnavailable
	}
	return s.Store.PurgeRejected(ctx, before, most)
}

// Live implements engine.Store.
func (s *flakyStore) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	if s.isDown() {
		return func(yield func(engine.LiveMarker, error) bool) { yield(engine.LiveMarker{}, errUnavailable) }
	}
	return s.Store.ListLive(ctx)
}

// Load implements engine.Store.
func (s *flakyStore) Load(ctx context.Context, id string) (engine.Row, error) {
	if err := s.fails(id); err != nil {
		return engine.Row{}, err
	}
	return s.Store.Load(ctx, id)
}

// flakyRows are shared rows of a flaky store.
type flakyRows struct {
	state.SharedRows
	store *flakyStore
}

// Load implements intake.SharedRows.
func (r flakyRows) Load(ctx context.Context, key string) (value []byte, etag string, err error) {
	if r.store.isDown() {
		return nil, "", errUnavailable
	}
	return r.SharedRows.Load(ctx, key)
}

// answers allows replies on the queue answers and sends none. Sending fails with
// its error.
type answers struct{ err error }

// MayReply implements intake.Replies.
func (*answers) MayReply(queue string) bool { return queue == "answers" }

// NotifyRejected implements intake.Replies.
func (a *answers) NotifyRejected(context.Context, string, rejected.Request) error { return a.err }

func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

// token returns the simulator's tokens.
type token func() string

// GetToken implements azcore.TokenCredential.
func (c token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c(), ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, time: clockwork.NewFakeClockAt(morning()), store: &flakyStore{Store: memory.New()}, steps: &queuememory.Queue{}, excluded: func() {}}
	world := armsim.DemoWorld()
	var err error
	r.sim, err = armsim.New(armsim.Config{World: &world, Now: r.clock, RequireSignedPolls: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.sim.Close()) })
	client, err := arm.New(arm.Config{Endpoint: r.sim.Endpoint(), Credential: token(r.sim.Token), Now: r.clock})
	require.NoError(t, err)
	r.flows, err = flow.New(flow.Config{
		ARM: client, Now: r.clock, Guardrails: flow.ExampleGuardrails(),
		Exclude: func(context.Context, flow.Exclusion) error { r.excluded(); return nil },
		Include: func(context.Context, string) error { r.excluded(); return nil },
	})
	require.NoError(t, err)
	r.engine, err = engine.New(engine.Config{
		Store: r.store, Queue: r.steps, Flows: r.flows, Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep,
	})
	require.NoError(t, err)
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	r.sealer, err = intake.NewSealer(flakyRows{state.SharedRows{Store: r.store, Kind: "seal"}, r.store}, r.newID)
	require.NoError(t, err)
	r.rejecter, err = intake.NewRejecter(intake.RejecterConfig{
		Record: r.store.SaveRejected, Publish: r.publish, Replies: &r.replies, Now: r.clock, Log: log,
	})
	require.NoError(t, err)
	r.bulks, err = intake.NewBulks(flakyRows{state.SharedRows{Store: r.store, Kind: request.BulkRecords}, r.store}, r.clock)
	require.NoError(t, err)
	r.schedules = newSchedules(t, r)
	r.intake, err = intake.New(intake.Config{
		Engine: r.engine, Bulks: r.bulks, Load: r.store.Load, Send: r.later, Rejecter: r.rejecter, Sealer: r.sealer, Waits: operation.AzureWaits(), Now: r.clock, NewID: r.newID,
		Log: log,
	})
	require.NoError(t, err)
	r.report = &readinesstest.Fake{Now: r.clock}
	r.api = r.newAPI(false)
	return r
}

// newAPI returns the HTTP API.
func (r *rig) newAPI(requireRoles bool, unchecked ...error) *httpapi.API {
	r.t.Helper()
	api, err := httpapi.New(httpapi.Config{
		Engine: r.engine, Operations: r.store, Rejected: r.store, Decisions: r.store, Flows: r.flows, Sweeper: r.engine, Preflight: ready{}, Inventory: vaultLists{}, Readiness: r.report,
		Schedules: r.schedules, Drills: newDrills(r.t, r), Evidence: &evidenceFiles{}, Bulks: r.bulks, Limits: r.limits, Explain: explained, Healthy: r.healthy, Sleep: r.sleep, Tenant: "contoso", Version: "v1.2.3",
		Publish: r.publish, Sealer: r.sealer, Now: r.clock, NewID: r.newID, RequireRoles: requireRoles, SignInUnchecked: errors.Join(unchecked...), Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(r.t, err)
	return api
}

// rejected stores a rejected request and returns its path.
func (r *rig) rejected(id string, body any) string {
	r.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(r.t, err)
	record := rejected.Request{ID: rejected.NewID(r.clock(), "", id, nil), At: r.clock(), Source: "requests", MessageID: id, Reason: "was not allowed then", Body: string(raw)}
	require.NoError(r.t, r.store.SaveRejected(r.t.Context(), record))
	return "/rejected/" + record.ID
}

// ready is a preflight with one finding.
type ready struct{}

func (ready) Check(context.Context) preflight.Report {
	return preflight.Report{Findings: []preflight.Finding{{Check: "setting", Subject: "X", Problem: "is empty", Missing: []string{"X"}, Do: "Set it."}}}
}

// nightly declares a schedule whose operations do not need the role of guarded
// flows, one whose operations do, and one that is disabled.
const nightly = `version: 1
schedules:
  - {name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, request: {flow: backup-now, parameters: {itemId: ` + demoVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/i}}}
  - {name: cleanup, cron: "0 3 1 * *", timeZone: UTC, request: {flow: delete-protection, parameters: {itemId: ` + demoVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/i}}}
  - {name: "off", cron: "0 4 * * *", timeZone: UTC, enabled: false, request: {flow: backup-now, parameters: {itemId: ` + demoVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/i}}}
`

func newSchedules(t testing.TB, r *rig) *schedule.Runner {
	t.Helper()
	declared, err := schedule.Parse("schedules.yaml", []byte(nightly), r.engine.Check)
	require.NoError(t, err)
	runner, err := schedule.NewRunner(schedule.RunnerConfig{
		Kind:      schedule.Backups,
		Schedules: declared, Store: r.store, Engine: r.engine, Items: noItems{}, Tenant: "contoso", Now: r.clock, SpeedFactor: 1,
		Reject: func(context.Context, time.Time, string, []byte, error) error { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return runner
}

// newDrills returns the runner of one drill, which deletes so that it is guarded.
func newDrills(t testing.TB, r *rig) *schedule.Runner {
	t.Helper()
	timing, err := schedule.NewTiming("0 4 1 * *", "UTC")
	require.NoError(t, err)
	runner, err := schedule.NewRunner(schedule.RunnerConfig{
		Kind: schedule.Drills, Schedules: []schedule.Schedule{{
			Kind: schedule.Drills, Name: "monthly-files", Timing: timing, Enabled: true, Missed: schedule.MissedOne, Overlap: schedule.OverlapSkip,
			Request: request.Request{Flow: "delete-protection", Parameters: json.RawMessage(`{}`)}, Plan: noDrills{},
		}},
		Store: r.store, Engine: r.engine, Tenant: "contoso", Now: r.clock, SpeedFactor: 1,
		Reject: func(context.Context, time.Time, string, []byte, error) error { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return runner
}

// noDrills is a plan without items.
type noDrills struct{}

// Items implements schedule.Plan.
func (noDrills) Items(context.Context, string, func(schedule.Item) bool) ([]schedule.Item, int, error) {
	return nil, 0, nil
}

// Parameters implements schedule.Plan.
func (noDrills) Parameters(string, schedule.Item) (json.RawMessage, error) { return nil, nil }

// noItems lists no items.
type noItems struct{}

// Items implements schedule.ItemLister.
func (noItems) Items(context.Context, schedule.Selection) ([]schedule.Item, error) { return nil, nil }

func (r *rig) limits(context.Context) ([]ratelimit.Known, error) { return r.known, nil }

func (r *rig) healthy(context.Context) error {
	if r.store.isDown() {
		return errUnavailable
	}
	return nil
}

func (r *rig) clock() time.Time {
	r.time.Advance(r.tick)
	return r.time.Now()
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.time.Advance(d)
	if r.slept != nil {
		r.slept()
	}
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
	if r.busDown {
		return errUnavailable
	}
	r.sent = append(r.sent, sent{due, queue, id, body, properties})
	return nil
}

// take returns and removes the messages to a queue.
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

// message returns the invocation of a message on the queue requests; more is
// additional metadata.
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

// sealed returns the invocation of a copy that the app itself has sent, with an
// offset.
func (r *rig) sealed(id string, body []byte, offset int) customhandler.Invocation {
	r.t.Helper()
	text := strconv.Itoa(offset)
	seal, err := r.sealer.Sign(r.t.Context(), string(body), id, "", "", text, "")
	require.NoError(r.t, err)
	return r.message(id, body, map[string]any{"ApplicationProperties": map[string]any{"azbackupflow-bulk-offset": text, "azbackupflow-seal": seal}})
}

// receive delivers a message. The test fails if the message must be redelivered.
func (r *rig) receive(inv customhandler.Invocation) {
	r.t.Helper()
	_, err := handlers.StartOperation(r.intake)(r.t.Context(), inv)
	require.NoError(r.t, err)
}

// drain delivers the messages to requests until none is left, and counts them.
func (r *rig) drain() (n int) {
	r.t.Helper()
	for {
		waiting := r.take("requests")
		if len(waiting) == 0 {
			return n
		}
		for _, m := range waiting {
			require.Less(r.t, n, 100, "endless")
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
