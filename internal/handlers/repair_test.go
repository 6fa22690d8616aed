package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// bench is the routes of Repair over a store in memory.
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

func repairs(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, store: memory.New()}
	book, err := flow.NewRegistry(step.Flow{
		Name: "demo", Version: 1, Check: func(raw json.RawMessage) (json.RawMessage, error) { return raw, nil },
		Steps: []step.Step{{Name: "read", Effect: step.Read}},
	})
	require.NoError(t, err)
	now := func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }
	e, err := engine.New(engine.Config{
		Store: b.store, Queue: &queuememory.Queue{}, Flows: book, Waits: operation.AzureWaits(),
		Now: now, Jitter: func() float64 { return 0 }, NewID: func() string { return "new-id" },
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	require.NoError(t, err)
	repair := handlers.Repair{
		Letters: b.store, Sweeper: e, Check: e.Prepare, Flows: book, Now: now, NewID: func() string { return "new-id" },
		Publish: func(_ context.Context, queue, id string, body []byte, properties map[string]any) error {
			b.sent = append(b.sent, published{queue, id, string(body), properties})
			return b.fail
		},
	}
	b.Handler = repair.Routes(http.NotFoundHandler())
	_, _, err = e.Start(t.Context(), request.Request{Flow: "demo", Key: "k", Parameters: json.RawMessage(`{}`)}, engine.Origin{})
	require.NoError(t, err)
	return b
}

func (b *bench) refuse(r rejected.Request) (handle string) {
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

func TestADeadLetterIsListedShownAndSentAgainUnderANewMessageId(t *testing.T) {
	t.Parallel()
	b := repairs(t)
	whole := `{"flow":"demo","parameters":{"x":"` + strings.Repeat("x", 20<<10) + `"}}`
	handle := b.refuse(rejected.Request{ID: "r1", Source: "requests/$DeadLetterQueue", MessageID: "first", Flow: "demo", Reason: "too often", Body: whole, ReplyTo: "answers"})
	var list handlers.DeadLetterList
	require.Equal(t, http.StatusOK, b.ask("GET", "/dead-letters", "", &list))
	require.Len(t, list.DeadLetters, 1)
	require.Equal(t, handle, list.DeadLetters[0].Handle)
	require.Len(t, list.DeadLetters[0].Body, 8<<10)
	var one handlers.DeadLetter
	require.Equal(t, http.StatusOK, b.ask("GET", "/dead-letters/"+handle, "", &one))
	require.Equal(t, whole, one.Body)

	var replayed handlers.Replayed
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/dead-letters/"+handle+"/replay", "", &replayed))
	require.Equal(t, "new-id", replayed.MessageID)
	require.Equal(t, []published{{"requests", "new-id", whole, map[string]any{
		"azbackupflow-message-id": "first", "azbackupflow-reply-to": "answers", "azbackupflow-replayed-id": "new-id",
	}}}, b.sent, "its key stays the id of the first message")
	require.Equal(t, http.StatusOK, b.ask("GET", "/dead-letters/"+handle, "", &one))
	require.Equal(t, "new-id", one.ReplayedAs)
}

func TestAReplayIsCheckedLikeAnyRequestAndMayBeEdited(t *testing.T) {
	t.Parallel()
	b := repairs(t)
	wrong := b.refuse(rejected.Request{ID: "r1", Source: "requests", MessageID: "m", Reason: "no flow", Body: `{"flow":"nope","parameters":{}}`})
	stray := b.refuse(rejected.Request{ID: "r2", Source: "steps/$DeadLetterQueue", MessageID: "m", Reason: "no wake-up", Body: `{"flow":"demo","parameters":{}}`})
	empty := b.refuse(rejected.Request{ID: "r3", Source: "requests", MessageID: "m", Reason: "empty"})
	for _, c := range []struct{ handle, body, field string }{
		{wrong, "", "flow"}, {wrong, `{"flow":"demo"}`, "parameters"}, {wrong, `{"flow":"demo","parameters":{},"dryRun":true}`, "dryRun"},
		{stray, "", "request"}, {empty, "", "request"},
	} {
		var p handlers.Problem
		require.Equal(t, http.StatusBadRequest, b.ask("POST", "/dead-letters/"+c.handle+"/replay", c.body, &p))
		require.Equal(t, "urn:azbackupflow:problem:invalid-request", p.Type)
		require.Equal(t, c.field, p.Fields[0].Field)
	}
	require.Empty(t, b.sent)
	edited := `{"flow":"demo","parameters":{}}`
	var replayed handlers.Replayed
	require.Equal(t, http.StatusAccepted, b.ask("POST", "/dead-letters/"+wrong+"/replay", edited, &replayed))
	require.Equal(t, edited, b.sent[0].body)

	b.fail = errors.New("away")
	var p handlers.Problem
	require.Equal(t, http.StatusServiceUnavailable, b.ask("POST", "/dead-letters/"+empty+"/replay", edited, &p))
}

func TestEventsAndBulksAreReplayed(t *testing.T) {
	t.Parallel()
	b := repairs(t)
	event := func(data string) string {
		return `{"specversion":"1.0","id":"1","source":"https://example.com","type":"t","data":` + data + `}`
	}
	const right = `{"template":{"flow":"demo","parameters":{}},"targets":[7,{"x":1}]}`
	for i, body := range []string{event(`{"flow":"demo","parameters":{}}`), right, event(right)} {
		handle := b.refuse(rejected.Request{ID: fmt.Sprint("right", i), Source: "requests/$DeadLetterQueue", MessageID: "m", Reason: "too often", Body: body})
		var replayed handlers.Replayed
		require.Equal(t, http.StatusAccepted, b.ask("POST", "/dead-letters/"+handle+"/replay", "", &replayed))
		require.Equal(t, body, b.sent[i].body, "it is sent as it came")
	}
	for i, c := range []struct{ body, field string }{
		{event(`{"flow":"nope","parameters":{}}`), "flow"},
		{event(`null`), "data"},
		{`{"template":{"flow":"demo","parameters":{}},"targets":[]}`, "targets"},
		{`{"template":{"flow":"demo","parameters":{}},"targets":[7]}`, "targets"},
		{`{"template":{"flow":"nope","parameters":{}},"targets":[{}]}`, "targets"},
		{event(`{"template":{"flow":"demo","parameters":{}},"targets":["` + strings.Repeat("x", 251<<10) + `"]}`), "request"},
	} {
		handle := b.refuse(rejected.Request{ID: fmt.Sprint("wrong", i), Source: "requests", MessageID: "m", Reason: "wrong", Body: c.body})
		var p handlers.Problem
		require.Equal(t, http.StatusBadRequest, b.ask("POST", "/dead-letters/"+handle+"/replay", "", &p), c.body)
		require.Equal(t, c.field, p.Fields[0].Field)
	}
	require.Len(t, b.sent, 3)
}

func TestDeadLettersAreRemovedOneByOneOrByAge(t *testing.T) {
	t.Parallel()
	b := repairs(t)
	one := b.refuse(rejected.Request{ID: "r1"})
	b.refuse(rejected.Request{ID: "r2"})
	var purged handlers.Purged
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/dead-letters/"+one, "", &purged))
	require.Equal(t, handlers.Purged{Removed: 1}, purged)
	for method, path := range map[string]string{"GET": "/dead-letters/" + one, "DELETE": "/dead-letters/" + one, "POST": "/dead-letters/" + one + "/replay"} {
		var p handlers.Problem
		require.Equal(t, http.StatusNotFound, b.ask(method, path, "", &p))
		require.Equal(t, "urn:azbackupflow:problem:dead-letter-not-found", p.Type)
	}
	var p handlers.Problem
	require.Equal(t, http.StatusBadRequest, b.ask("DELETE", "/dead-letters", "", &p), "not all by mistake")
	require.Equal(t, "until", p.Fields[0].Field)
	require.Equal(t, http.StatusOK, b.ask("DELETE", "/dead-letters?until=2026-03-01T00:00:00Z", "", &purged))
	require.Equal(t, handlers.Purged{Removed: 1}, purged)
}

func TestARescueSweepsNow(t *testing.T) {
	t.Parallel()
	var swept engine.SweepResult
	require.Equal(t, http.StatusOK, repairs(t).ask("POST", "/rescue", "", &swept))
	require.Equal(t, engine.SweepResult{Live: 1}, swept)
}

func TestTheDocsNameTheRoutesAndTheProblemOfDeadLetters(t *testing.T) {
	t.Parallel()
	text := file(t, "../../docs/dead-letters.md")
	for _, route := range found(`HandleFunc\("([A-Z]+ [^"]+)"`, file(t, "repair.go")) {
		require.Contains(t, text, "`"+route+"`")
	}
	require.Contains(t, text, "`urn:azbackupflow:problem:dead-letter-not-found`")
}
