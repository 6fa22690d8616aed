// Package clienttest serves azbackupflow's real HTTP API from a store and a queue
// in memory, for tests of its callers. A script replaces Azure: the test sets the
// answer of each step. Time passes only during Sleep and Pass.
package clienttest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers/httpapi"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	queue "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/readiness/readinesstest"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// API is a deployment of azbackupflow without Azure.
type API struct {
	// URL is the address of the API, without /api.
	URL    string
	Engine *engine.Engine
	Store  *memory.Store
	Clock  *Clock
	// Readiness makes the readiness report.
	Readiness *readinesstest.Fake

	// Evidence keeps evidence in memory, signed by a key of its own.
	Evidence *archive.Archive
	signer   *ownKey

	queue *queue.Queue
	azure *script

	mu       sync.Mutex
	instead  http.HandlerFunc
	requests []*http.Request

	intake *intake.Intake
	// waiting are the messages on the queue requests.
	waiting []queued

	// known are the limits of Azure that the app knows.
	known []ratelimit.Known

	// Published are the messages sent to the app's queues, except wake-ups.
	Published []Published
}

// Published is a sent message.
type Published struct {
	Queue, ID, Body string
}

// Began returns the initial time of every API.
func Began() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

// Start serves an API until the test ends.
func Start(t testing.TB) *API {
	t.Helper()
	a := &API{Store: memory.New(), queue: &queue.Queue{}, azure: &script{answers: map[string][]Answer{}}}
	a.Clock = &Clock{now: Began(), passing: a.work}
	a.Readiness = &readinesstest.Fake{Now: a.Clock.Now}
	ids := 0
	var idMu sync.Mutex
	flows, err := a.azure.registry(a.Clock.Now)
	require.NoError(t, err)
	newID := func() string {
		idMu.Lock()
		defer idMu.Unlock()
		ids++
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids)
	}
	a.Engine, err = engine.New(engine.Config{
		Store: a.Store, Queue: a.queue, Flows: flows, Waits: operation.AzureWaits(), Tenant: "test",
		Now: a.Clock.Now, Jitter: func() float64 { return 0 }, Sleep: func(context.Context, time.Duration) error { return nil },
		NewID: newID,
	})
	require.NoError(t, err)
	sealer, err := intake.NewSealer(state.SharedRows{Store: a.Store, Kind: "seal"}, newID)
	require.NoError(t, err)
	bulks, err := intake.NewBulks(state.SharedRows{Store: a.Store, Kind: request.BulkRecords}, a.Clock.Now)
	require.NoError(t, err)
	schedules, err := schedule.NewRunner(schedule.RunnerConfig{
		Kind:      schedule.Backups,
		Schedules: scheduled(t, a.Engine), Store: a.Store, Engine: a.Engine, Items: noItems{}, Tenant: "test", Now: a.Clock.Now, SpeedFactor: 1,
		Reject: func(context.Context, time.Time, string, []byte, error) error { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	a.Evidence, a.signer = newEvidence(t, a.Clock.Now)
	api, err := httpapi.New(httpapi.Config{
		Drills: a.newDrills(t), Evidence: a.Evidence,
		Schedules: schedules, Bulks: bulks, Healthy: func(context.Context) error { return nil }, Sleep: a.Clock.Sleep,
		Limits: a.limits, Explain: explained, Tenant: "test", Version: "v1.2.3",
		Sealer: sealer,
		Engine: a.Engine, Operations: a.Store, Rejected: a.Store, Decisions: a.Store, Flows: flows, Sweeper: a.Engine,
		Preflight: noFindings{}, Inventory: oneMachine{}, Readiness: a.Readiness, Log: slog.New(slog.DiscardHandler), Now: a.Clock.Now, NewID: newID, Publish: a.publish,
	})
	require.NoError(t, err)
	a.acceptRequests(t, sealer, bulks, newID)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		instead := a.instead
		a.requests = append(a.requests, r.Clone(context.WithoutCancel(r.Context())))
		a.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.URL = server.URL
	return a
}

func (a *API) limits(context.Context) ([]ratelimit.Known, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known, nil
}

// SetLimits sets the limits of Azure that the app knows.
func (a *API) SetLimits(all ...ratelimit.Known) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = all
}

// noItems lists no items.
type noItems struct{}

// Items implements schedule.ItemLister.
func (noItems) Items(context.Context, schedule.Selection) ([]schedule.Item, error) { return nil, nil }

// scheduled returns the schedule nightly.
func scheduled(t testing.TB, e *engine.Engine) []schedule.Schedule {
	t.Helper()
	timing, err := schedule.NewTiming("0 2 * * *", "Europe/Berlin")
	require.NoError(t, err)
	r := Protect("", "testshare")
	req := request.Request{Flow: r.Flow, Parameters: r.Parameters}
	require.NoError(t, e.Check(req))
	return []schedule.Schedule{{Kind: schedule.Backups, Name: "nightly", Timing: timing, Enabled: true, Missed: schedule.MissedOne, Overlap: schedule.OverlapSkip, Request: req}}
}

// BackupVaultName is the name of a vault that exists as a Backup vault only, and
// AbsentVaultName of one that does not exist.
const (
	BackupVaultName = "disksvault"
	AbsentVaultName = "absentvault"
)

// oneMachine is the inventory of vaults that protect one virtual machine.
type oneMachine struct{}

func (oneMachine) entries(id string) ([]inventory.Entry, error) {
	if strings.HasSuffix(id, "/"+AbsentVaultName) || strings.HasSuffix(id, "Microsoft.RecoveryServices/vaults/"+BackupVaultName) {
		return nil, &operation.Error{Code: "ResourceNotFound", Class: operation.Fatal, HTTPStatus: http.StatusNotFound, Message: "The resource " + id + " was not found."}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return []inventory.Entry{{ID: id, Name: "vm1", Type: "VM", State: "Protected", Policy: "DefaultPolicy", Time: at}}, nil
}

// Items implements httpapi.Inventory.
func (m oneMachine) Items(_ context.Context, id string) ([]inventory.Entry, error) {
	return m.entries(id)
}

// Deleted implements httpapi.Inventory.
func (m oneMachine) Deleted(_ context.Context, id string) ([]inventory.Entry, error) {
	return m.entries(id)
}

// RecoveryPoints implements httpapi.Inventory.
func (m oneMachine) RecoveryPoints(_ context.Context, id string) ([]inventory.Entry, error) {
	return m.entries(id)
}

// Policies implements httpapi.Inventory.
func (m oneMachine) Policies(_ context.Context, id string) ([]inventory.Entry, error) {
	return m.entries(id)
}

// Protectable implements httpapi.Inventory.
func (m oneMachine) Protectable(_ context.Context, id, _ string) ([]inventory.Entry, error) {
	return m.entries(id)
}

// explained explains every resource in the same way.
func explained(_ context.Context, id string) ([]autoprotect.Explanation, error) {
	if !strings.HasPrefix(id, "/subscriptions/") {
		return nil, &step.Invalid{Fields: []step.FieldError{{Field: "resource", Problem: "cannot be protected by rules", Want: "a resource ID"}}}
	}
	return []autoprotect.Explanation{{ResourceID: id, Type: autoprotect.FileShare, Decision: autoprotect.Decision{
		Outcome: autoprotect.Protect, Rule: &autoprotect.Rule{Name: "shares"}, Reason: "rule shares matches",
		Results: []autoprotect.RuleResult{{Rule: "archive", Reason: "the tag archive is missing"}, {Rule: "shares", Matches: true, Reason: "it has the tag backup=daily"}},
	}}}, nil
}

// noFindings is a preflight without findings.
type noFindings struct{}

// Check implements httpapi.Preflight.
func (noFindings) Check(context.Context) preflight.Report { return preflight.Report{OK: true} }

// publish stores a message. The app accepts those on the queue requests as time
// passes.
func (a *API) publish(ctx context.Context, queue, id string, body []byte, properties map[string]any) error {
	a.mu.Lock()
	a.Published = append(a.Published, Published{queue, id, string(body)})
	a.mu.Unlock()
	return a.send(ctx, a.Clock.Now(), queue, id, body, properties)
}

// Instead lets h respond to every request. Nil restores the API.
func (a *API) Instead(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead = h
}

// Requests returns the requests so far.
func (a *API) Requests() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*http.Request(nil), a.requests...)
}

// work delivers each message that becomes due until the given time, at its due
// time.
func (a *API) work(until time.Time) {
	for {
		a.accept(a.Clock.Now())
		due, ok := a.queue.Next()
		if !ok || due.After(until) {
			return
		}
		a.Clock.forward(due)
		for _, m := range a.queue.Due(due) {
			// The operation holds the result.
			_ = a.Engine.RunStep(context.Background(), operation.Delivery{Wakeup: m.Wakeup, Count: 1})
		}
	}
}
