package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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
	// id is the next new ID of the API.
	id     string
	config httpapi.Config
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
	b := &bench{t: t, store: memory.New(), id: "new-id"}
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
	b.config = httpapi.Config{
		Schedules: &schedule.Runner{}, Drills: &schedule.Runner{}, Evidence: &archive.Archive{}, Bulks: bulks, Limits: func(context.Context) ([]ratelimit.Known, error) { return nil, nil },
		Explain: func(context.Context, string) ([]autoprotect.Explanation, error) { return nil, nil },
		Healthy: func(context.Context) error { return nil }, Sleep: func(context.Context, time.Duration) error { return nil },
		Sealer: sealer,
		Engine: e, Operations: b.store, Decisions: b.store, Flows: flows, Sweeper: e, Preflight: ready{}, Inventory: &inventory.Reader{}, Readiness: &scan.Scanner{},
		Log: slog.New(slog.DiscardHandler), Now: now, NewID: func() string { return b.id },
		Publish: func(_ context.Context, queue, id string, body []byte, properties map[string]any) error {
			b.sent = append(b.sent, published{queue, id, string(body), properties})
			return b.fail
		},
	}
	b.serve(b.store)
	_, _, err = e.Start(t.Context(), request.Request{Flow: "demo", Key: "k", Parameters: json.RawMessage(`{}`)}, engine.Origin{})
	require.NoError(t, err)
	return b
}

// serve serves the API with a store of rejected requests.
func (b *bench) serve(store httpapi.Rejected) {
	b.t.Helper()
	b.config.Rejected = store
	var err error
	b.Handler, err = httpapi.New(b.config)
	require.NoError(b.t, err)
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

func TestRemovals_HoldWhoRemovedWhatAndWhy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var list api.RemovalPage
	require.Equal(t, http.StatusOK, b.ask("GET", "/removals", "", &list))
	require.Equal(t, api.RemovalPage{Removals: []api.Removal{}}, list)
	one := b.reject(rejected.Request{ID: "r1"})
	for _, id := range []string{"r2", "r3"} {
		b.reject(rejected.Request{ID: id})
	}
	var purged api.Purged
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/rejected/"+one+"?reason=sent+twice", "", &purged))
	var p api.Problem
	require.Equal(t, http.StatusNotFound, b.ask("DELETE", "/rejected/"+one, "", &p), "nothing is removed, so nothing is recorded")
	require.Equal(t, http.StatusOK, b.ask("GET", "/removals", "", &list))
	anonymous, at := &api.Actor{Kind: "anonymous"}, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	require.Len(t, list.Removals, 1)
	require.Equal(t, api.Removal{
		ID: list.Removals[0].ID, At: at, Request: one, Removed: 1, Finished: true, RemovedBy: anonymous, Reason: "sent twice",
	}, list.Removals[0])

	b.id = "next-id"
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/rejected?until=2026-02-20&reason=old&code=secret", "", &purged))
	list = api.RemovalPage{}
	require.Equal(t, http.StatusOK, b.ask("GET", "/removals?since=1d", "", &list))
	require.Len(t, list.Removals, 2)
	byAge := list.Removals[slices.IndexFunc(list.Removals, func(r api.Removal) bool { return r.Request == "" })]
	require.Equal(t, "functionKey", byAge.RemovedBy.Kind)
	require.Equal(t, api.Removal{
		ID: byAge.ID, At: at, Before: time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC), Removed: 2, Finished: true, RemovedBy: byAge.RemovedBy, Reason: "old",
	}, byAge)
}

// interrupted is a store whose process ends at a call.
type interrupted struct {
	*memory.Store
	endsAt string
	saved  int
}

var errEnded = errors.New("the process ended")

func (s *interrupted) SaveRemoval(ctx context.Context, r rejected.Removal) error {
	if s.saved++; s.endsAt == "first record" || s.endsAt == "second record" && s.saved == 2 {
		return errEnded
	}
	return s.Store.SaveRemoval(ctx, r)
}

func (s *interrupted) DeleteRejected(ctx context.Context, id string) error {
	if s.endsAt == "removal" {
		return errEnded
	}
	return s.Store.DeleteRejected(ctx, id)
}

// Nothing is removed without a record: the process may end at any call.
func TestRemovals_AreRecordedBeforeTheyAreDone(t *testing.T) {
	t.Parallel()
	for endsAt, want := range map[string]struct{ requests, records int }{
		"first record": {1, 0}, "removal": {1, 1}, "second record": {0, 1},
	} {
		b := newBench(t)
		store := &interrupted{Store: b.store, endsAt: endsAt}
		b.serve(store)
		id := b.reject(rejected.Request{ID: "r1"})
		var answer map[string]any
		code := b.ask("DELETE", "/rejected/"+id+"?reason=x", "", &answer)
		require.Equal(t, want.requests > 0, code >= 500, "%s: %d", endsAt, code)
		page, err := b.store.ListRejected(t.Context(), rejected.Query{})
		require.NoError(t, err)
		require.Len(t, page.Requests, want.requests, endsAt)
		removals, err := b.store.ListRemovals(t.Context(), rejected.Query{})
		require.NoError(t, err)
		require.Len(t, removals.Removals, want.records, endsAt)
		for _, r := range removals.Removals {
			require.False(t, r.Finished, endsAt)
			require.Equal(t, id, r.Request)
			require.Equal(t, "x", r.By.Reason)
		}
	}
}

func TestRescue_SweepsNow(t *testing.T) {
	t.Parallel()
	var swept api.SweepResult
	require.Equal(t, http.StatusOK, newBench(t).ask("POST", "/rescue", "", &swept))
	require.Equal(t, api.SweepResult{Live: 1}, swept)
}
