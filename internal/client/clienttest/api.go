// Package clienttest serves azbackupflow's real HTTP API over a store and a
// queue in memory, for tests of what calls it. Azure is a script: a test says
// what each step is answered. Time passes only while someone sleeps.
package clienttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	queue "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// API is a deployment of azbackupflow without Azure.
type API struct {
	// URL is where the API is served, below /api.
	URL    string
	Engine *engine.Engine
	Store  *memory.Store
	Clock  *Clock

	queue *queue.Queue
	azure *script

	mu       sync.Mutex
	instead  http.HandlerFunc
	requests []*http.Request

	// Published are the messages that were sent to the app's queues, other
	// than wake-ups.
	Published []Published
}

// Published is a message that was sent to a queue.
type Published struct {
	Queue, ID, Body string
}

// Began is when the time of every API begins.
func Began() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

// Start serves an API until the test ends.
func Start(t testing.TB) *API {
	t.Helper()
	a := &API{Store: memory.New(), queue: &queue.Queue{}, azure: &script{answers: map[string][]Answer{}}}
	a.Clock = &Clock{now: Began(), passing: a.work}
	ids := 0
	var idMu sync.Mutex
	book, err := a.azure.book(a.Clock.Now)
	require.NoError(t, err)
	newID := func() string {
		idMu.Lock()
		defer idMu.Unlock()
		ids++
		return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids)
	}
	a.Engine, err = engine.New(engine.Config{
		Store: a.Store, Queue: a.queue, Flows: book, Waits: operation.AzureWaits(), Tenant: "test",
		Now: a.Clock.Now, Jitter: func() float64 { return 0 }, Sleep: func(context.Context, time.Duration) error { return nil },
		NewID:  newID,
		Record: a.azure.record,
		// The script's steps make no calls, so there are none to hold back.
		DryRun: func(ctx context.Context) (context.Context, func() []step.Unsent) {
			return ctx, func() []step.Unsent { return nil }
		},
	})
	require.NoError(t, err)
	repair := handlers.Repair{
		Letters: a.Store, Sweeper: a.Engine, Check: a.Engine.Prepare, Now: a.Clock.Now, NewID: newID, Flows: book, Publish: a.publish,
	}
	api := repair.Routes(handlers.API(handlers.APIConfig{
		Control: a.Engine, Read: a.Store, Flows: book, Now: a.Clock.Now, NewID: newID, Publish: a.publish,
	}))
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

// publish keeps a message, and nobody receives it.
func (a *API) publish(_ context.Context, queue, id string, body []byte, _ map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Published = append(a.Published, Published{queue, id, string(body)})
	return nil
}

// Instead has every request answered by h until it is called with nil.
func (a *API) Instead(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead = h
}

// Requests are those that came so far.
func (a *API) Requests() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*http.Request(nil), a.requests...)
}

// work delivers the messages that become due up to a time, each when it is due.
func (a *API) work(until time.Time) {
	for {
		due, ok := a.queue.Next()
		if !ok || due.After(until) {
			return
		}
		a.Clock.forward(due)
		for _, m := range a.queue.Due(due) {
			// What a message comes to is on its operation.
			_ = a.Engine.RunStep(context.Background(), operation.Delivery{Wakeup: m.Wakeup, Count: 1})
		}
	}
}
