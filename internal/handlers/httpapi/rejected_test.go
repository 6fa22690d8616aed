package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/handlers/httpapi"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/readiness/scan"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// bench is the API over a store in memory.
type bench struct {
	t     *testing.T
	store *memory.Store
	sent  []published
	fail  error
	http.Handler
}

type published struct {
	queue, id, body string
	properties      map[string]any
}

// ready is a preflight without findings.
type ready struct{}

func (ready) Check(context.Context) preflight.Report { return preflight.Report{OK: true} }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, store: memory.New()}
	flows, err := flow.NewRegistry(step.Flow{
		Name: "demo", Version: 1, Check: func(raw json.RawMessage) (json.RawMessage, error) { return raw, nil },
		Steps: []step.Step{{Name: "read", Effect: step.Read}},
	})
	require.NoError(t, err)
	now := func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }
	e, err := engine.New(engine.Config{
		Store: b.store, Queue: &queuememory.Queue{}, Flows: flows, Waits: operation.AzureWaits(),
		Now: now, Jitter: func() float64 { return 0 }, NewID: func() string { return "new-id" },
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	require.NoError(t, err)
	sealer, err := intake.NewSealer(state.SharedRows{Store: b.store, Kind: "seal"}, func() string { return "secret" })
	require.NoError(t, err)
	bulks, err := intake.NewBulks(state.SharedRows{Store: b.store, Kind: request.BulkRecords}, now)
	require.NoError(t, err)
	b.Handler, err = httpapi.New(httpapi.Config{
		Schedules: &schedule.Runner{}, Drills: &schedule.Runner{}, Evidence: &archive.Archive{}, Bulks: bulks, Limits: func(context.Context) ([]ratelimit.Known, error) { return nil, nil },
		Explain: func(context.Context, string) ([]autoprotect.Explanation, error) { return nil, nil },
		Healthy: func(context.Context) error { return nil }, Sleep: func(context.Context, time.Duration) error { return nil },
		Sealer: sealer,
		Engine: e, Operations: b.store, Rejected: b.store, Decisions: b.store, Flows: flows, Sweeper: e, Preflight: ready{}, Inventory: &inventory.Reader{}, Readiness: &scan.Scanner{},
		Log: slog.New(slog.DiscardHandler), Now: now, NewID: func() string { return "new-id" },
		Publish: func(_ context.Context, queue, id string, body []byte, properties map[string]any) error {
			b.sent = append(b.sent, published{queue, id, string(body), properties})
			return b.fail
		},
	})
	require.NoError(t, err)
	_, _, err = e.Start(t.Context(), request.Request{Flow: "demo", Key: "k", Parameters: json.RawMessage(`{}`)}, engine.Origin{})
	require.NoError(t, err)
	return b
}

// reject stores a rejected request and returns its id.
func (b *bench) reject(r rejected.Request) (id string) {
	b.t.Helper()
	r.At = time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
	r.ID = rejected.NewID(r.At, r.Source, r.ID, nil)
	require.NoError(b.t, b.store.SaveRejected(b.t.Context(), r))
	return r.ID
}

func (b *bench) ask(method, path, body string, into any) int {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequestWithContext(b.t.Context(), method, "/api"+path, strings.NewReader(body)))
	require.NoError(b.t, json.Unmarshal(w.Body.Bytes(), into), w.Body.String())
	return w.Code
}

func TestReplay_SendsTheRequestWithANewMessageID(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	whole := `{"flow":"demo","parameters":{"x":"` + strings.Repeat("x", 20<<10) + `"}}`
	id := b.reject(rejected.Request{ID: "r1", Source: "requests/$DeadLetterQueue", MessageID: "first", Flow: "demo", Reason: "too often", Body: whole, ReplyTo: "answers"})
	var list api.RejectedPage
	require.Equal(t, http.StatusOK, b.ask("GET", "/rejected", "", &list))
	require.Len(t, list.Rejected, 1)
	require.Equal(t, id, list.Rejected[0].ID)
	require.Len(t, list.Rejected[0].Body, 8<<10)
	var one api.RejectedRequest
	require.Equal(t, http.StatusOK, b.ask("GET", "/rejected/"+id, "", &one))
	require.Equal(t, whole, one.Body)

	var replayed api.Replayed
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/rejected/"+id+"/replay", "", &replayed))
	require.Equal(t, "new-id", replayed.MessageID)
	require.Len(t, b.sent, 1)
	require.NotEmpty(t, b.sent[0].properties["azbackupflow-seal"])
	delete(b.sent[0].properties, "azbackupflow-seal")
	require.Equal(t, []published{{"requests", "new-id", whole, map[string]any{
		"azbackupflow-message-id": "first", "azbackupflow-reply-to": "answers", "azbackupflow-replay-id": "new-id",
		"azbackupflow-cause": `{"actor":{"kind":"anonymous"}}`,
	}}}, b.sent, "the first message id remains the key")
	require.Equal(t, http.StatusOK, b.ask("GET", "/rejected/"+id, "", &one))
	require.Equal(t, "new-id", one.ReplayedAs)
	require.Equal(t, &api.Actor{Kind: "anonymous"}, one.ReplayedBy)
}

func TestReplay_ChecksTheRequestAndAcceptsAnEditedOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wrong := b.reject(rejected.Request{ID: "r1", Source: "requests", MessageID: "m", Reason: "no flow", Body: `{"flow":"nope","parameters":{}}`})
	stray := b.reject(rejected.Request{ID: "r2", Source: "steps/$DeadLetterQueue", MessageID: "m", Reason: "no wake-up", Body: `{"flow":"demo","parameters":{}}`})
	empty := b.reject(rejected.Request{ID: "r3", Source: "requests", MessageID: "m", Reason: "empty"})
	for _, c := range []struct{ id, body, field string }{
		{wrong, "", "flow"}, {wrong, `{"flow":"demo"}`, "parameters"}, {wrong, `{"flow":"demo","parameters":{},"dryRun":true}`, "dryRun"},
		{stray, "", "request"}, {empty, "", "request"},
	} {
		var p api.Problem
		require.Equal(t, http.StatusBadRequest, b.ask("POST", "/rejected/"+c.id+"/replay", c.body, &p))
		require.Equal(t, "urn:azbackupflow:problem:invalid-request", p.Type)
		require.Equal(t, c.field, p.Fields[0].Field)
	}
	redacted := b.reject(rejected.Request{ID: "r4", Source: "requests", MessageID: "m", Reason: "x", Body: `{"flow":"demo","parameters":{}}`, Redacted: true})
	var p api.Problem
	require.Equal(t, http.StatusBadRequest, b.ask("POST", "/rejected/"+redacted+"/replay", "", &p))
	require.Equal(t, "request", p.Fields[0].Field)
	require.Contains(t, p.Fields[0].Want, "complete request")
	part := b.reject(rejected.Request{ID: "r5", Source: "requests", MessageID: "m", Reason: "x", Body: `{"flow":"demo","parameters":{}}`, BodySize: 300})
	require.Equal(t, http.StatusBadRequest, b.ask("POST", "/rejected/"+part+"/replay", "", &p))
	require.Equal(t, "is recorded only in part", p.Fields[0].Problem)
	require.Empty(t, b.sent)
	edited := `{"flow":"demo","parameters":{}}`
	var replayed api.Replayed
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/rejected/"+wrong+"/replay", edited, &replayed))
	require.Equal(t, edited, b.sent[0].body)
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/rejected/"+redacted+"/replay", edited, &replayed))
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/rejected/"+part+"/replay", edited, &replayed))

	b.fail = errors.New("unavailable")
	require.Equal(t, http.StatusServiceUnavailable, b.ask("POST", "/rejected/"+empty+"/replay", edited, &p))
}

func TestReplay_SendsEventsAndBulksUnchanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	event := func(data string) string {
		return `{"specversion":"1.0","id":"1","source":"https://example.com","type":"t","data":` + data + `}`
	}
	const right = `{"template":{"flow":"demo","parameters":{}},"targets":[7,{"x":1}]}`
	for i, body := range []string{event(`{"flow":"demo","parameters":{}}`), right, event(right)} {
		id := b.reject(rejected.Request{ID: fmt.Sprint("right", i), Source: "requests/$DeadLetterQueue", MessageID: "m", Reason: "too often", Body: body})
		var replayed api.Replayed
		require.Equal(t, http.StatusAccepted, b.ask("POST", "/rejected/"+id+"/replay", "", &replayed))
		require.Equal(t, body, b.sent[i].body, "the body is unchanged")
	}
	for i, c := range []struct{ body, field string }{
		{event(`{"flow":"nope","parameters":{}}`), "flow"},
		{event(`null`), "data"},
		{`{"template":{"flow":"demo","parameters":{}},"targets":[]}`, "targets"},
		{`{"template":{"flow":"demo","parameters":{}},"targets":[7]}`, "targets"},
		{`{"template":{"flow":"nope","parameters":{}},"targets":[{}]}`, "targets"},
		{event(`{"template":{"flow":"demo","parameters":{}},"targets":["` + strings.Repeat("x", 251<<10) + `"]}`), "request"},
	} {
		id := b.reject(rejected.Request{ID: fmt.Sprint("wrong", i), Source: "requests", MessageID: "m", Reason: "wrong", Body: c.body})
		var p api.Problem
		require.Equal(t, http.StatusBadRequest, b.ask("POST", "/rejected/"+id+"/replay", "", &p), c.body)
		require.Equal(t, c.field, p.Fields[0].Field)
	}
	require.Len(t, b.sent, 3)
}

func TestRejected_IsDeletedOneByOneOrByAge(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.reject(rejected.Request{ID: "r1"})
	b.reject(rejected.Request{ID: "r2"})
	var purged api.Purged
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/rejected/"+one, "", &purged))
	require.Equal(t, api.Purged{Removed: 1}, purged)
	for method, path := range map[string]string{"GET": "/rejected/" + one, "DELETE": "/rejected/" + one, "POST": "/rejected/" + one + "/replay"} {
		var p api.Problem
		require.Equal(t, http.StatusNotFound, b.ask(method, path, "", &p))
		require.Equal(t, "urn:azbackupflow:problem:rejected-request-not-found", p.Type)
	}
	var p api.Problem
	require.Equal(t, http.StatusBadRequest, b.ask("DELETE", "/rejected", "", &p), "a forgotten filter must not delete everything")
	require.Equal(t, "until", p.Fields[0].Field)
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/rejected?until=2026-03-01T00:00:00Z", "", &purged))
	require.Equal(t, api.Purged{Removed: 1}, purged)
}

func TestRescue_SweepsNow(t *testing.T) {
	t.Parallel()
	var swept api.SweepResult
	require.Equal(t, http.StatusOK, newBench(t).ask("POST", "/rescue", "", &swept))
	require.Equal(t, api.SweepResult{Live: 1}, swept)
}
