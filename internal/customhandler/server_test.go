package customhandler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lines collects the output of a logger.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newServer(t *testing.T) (*Server, *lines) {
	t.Helper()
	log := &lines{}
	fixed := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s, err := New(Config{
		Functions: map[string]Handler{}, HTTP: map[string]http.Handler{},
		Log: slog.New(NewLogHandler(slog.NewJSONHandler(log, nil))), Now: func() time.Time { return fixed },
	})
	require.NoError(t, err)
	return s, log
}

// handle lets a test register a function in one expression.
func handle[H any](h H) H { return h }

func post(t *testing.T, s http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set(headerInvocationID, "inv-1")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// requireAnswer checks what the host requires of every response.
func requireAnswer(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]json.RawMessage {
	t.Helper()
	require.Equal(t, status, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	require.Contains(t, body, "Outputs")
	require.Contains(t, body, "Logs")
	require.Contains(t, body, "ReturnValue")
	return body
}

func TestServer_RespondsToTheReadinessPoll(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	require.Equal(t, http.StatusOK, w.Code)
	requireAnswer(t, post(t, s, "/", "{}"), http.StatusNotFound)
}

func TestServer_SendsAllFieldsOfAnEmptyResult(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	s.cfg.Functions["run-step"] = handle(func(context.Context, Invocation) (Result, error) { return Result{}, nil })
	w := post(t, s, "/run-step", `{"Data":{},"Metadata":{}}`)
	requireAnswer(t, w, http.StatusOK)
	require.JSONEq(t, `{"Outputs":{},"Logs":[],"ReturnValue":null}`, w.Body.String())
}

func TestServer_SendsOutputsLogsAndReturnValue(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	s.cfg.Functions["f"] = handle(func(_ context.Context, inv Invocation) (Result, error) {
		return Result{Outputs: map[string]any{"res": map[string]any{"statusCode": 202}}, Logs: []string{inv.ID}, ReturnValue: inv.Function}, nil
	})
	require.JSONEq(t, `{"Outputs":{"res":{"statusCode":202}},"Logs":["inv-1"],"ReturnValue":"f"}`, post(t, s, "/f", `{}`).Body.String())
}

func TestServer_LogsAnErrorAndKeepsItOutOfTheResponse(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) {
		return Result{Outputs: map[string]any{"x": 1}}, errors.New("table said no")
	})
	w := post(t, s, "/f", `{}`)
	requireAnswer(t, w, http.StatusInternalServerError)
	require.NotContains(t, w.Body.String(), "table said no")
	require.Contains(t, log.String(), "table said no")
	require.NotContains(t, log.String(), "stack")
}

func TestServer_LogsAPanicWithItsStack(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) { panic("boom") })
	requireAnswer(t, post(t, s, "/f", `{}`), http.StatusInternalServerError)
	require.Contains(t, log.String(), "panic: boom")
	require.Contains(t, log.String(), "server_test.go", "the stack is logged")
}

func TestServer_FailsAnInvocationWithAResultThatIsNotJSON(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) { return Result{ReturnValue: func() {}}, nil })
	requireAnswer(t, post(t, s, "/f", `{}`), http.StatusInternalServerError)
	require.Contains(t, log.String(), "unsupported type")
}

func TestServer_RejectsBadRequestsWithTheReason(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	s.cfg.MaxBody = 100
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) { return Result{}, nil })
	cases := map[string]struct {
		path, body string
		status     int
	}{
		"an unknown function":     {"/g", "{}", http.StatusNotFound},
		"a path below a name":     {"/f/x", "{}", http.StatusNotFound},
		"a body that is an array": {"/f", "[]", http.StatusBadRequest},
		"a truncated body":        {"/f", `{"Data":`, http.StatusBadRequest},
		"a body too long":         {"/f", `{"Data":{"m":"` + strings.Repeat("x", 200) + `"}}`, http.StatusRequestEntityTooLarge},
	}
	for name, c := range cases {
		body := requireAnswer(t, post(t, s, c.path, c.body), c.status)
		require.NotEqual(t, "[]", string(body["Logs"]), name)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/f", nil))
	requireAnswer(t, w, http.StatusMethodNotAllowed)
}

func TestServer_InvocationHasADeadlineAndOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	s.cfg.Deadline = time.Hour
	s.cfg.Functions["f"] = handle(func(ctx context.Context, _ Invocation) (Result, error) {
		_, bounded := ctx.Deadline()
		return Result{ReturnValue: bounded}, ctx.Err()
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodPost, "/f", strings.NewReader("{}")))
	require.JSONEq(t, `{"Outputs":{},"Logs":[],"ReturnValue":true}`, w.Body.String())

	s.cfg.Deadline = time.Nanosecond
	s.cfg.Functions["slow"] = handle(func(ctx context.Context, _ Invocation) (Result, error) {
		<-ctx.Done()
		return Result{}, ctx.Err()
	})
	requireAnswer(t, post(t, s, "/slow", "{}"), http.StatusInternalServerError)
}

func TestLogger_NamesTheInvocationOnceOnEachLine(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	injected := s.cfg.Log.With("op", "op-7")
	s.cfg.Functions["f"] = handle(func(ctx context.Context, _ Invocation) (Result, error) {
		Logger(ctx).Info("from the context")
		Logger(ctx).InfoContext(ctx, "from the context, with the context")
		injected.InfoContext(ctx, "from elsewhere")
		return Result{}, nil
	})
	post(t, s, "/f", `{}`)
	got := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, got, 3)
	for _, line := range got {
		require.Equal(t, 1, strings.Count(line, `"invocationId":"inv-1"`), line)
		require.Equal(t, 1, strings.Count(line, `"function":"f"`), line)
	}
	Logger(t.Context()).Info("outside an invocation: no line, no harm")
}

func TestAnnotate_AddsAttributesOnceToAllLaterLines(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	injected := s.cfg.Log.With("op", "op-7")
	s.cfg.Functions["f"] = handle(func(ctx context.Context, _ Invocation) (Result, error) {
		Annotate(ctx, slog.String("op", "op-7"), slog.String("step", "first"))
		injected.InfoContext(ctx, "one")
		Annotate(ctx, slog.String("step", "second"))
		Logger(ctx).Info("two")
		injected.InfoContext(ctx, "three", "step", "own")
		return Result{}, nil
	})
	post(t, s, "/f", `{}`)
	got := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, got, 3)
	for n, step := range []string{"first", "second", "own"} {
		require.Equal(t, 1, strings.Count(got[n], `"op":"op-7"`), got[n])
		require.Equal(t, 1, strings.Count(got[n], `"step":"`), got[n])
		require.Contains(t, got[n], `"step":"`+step+`"`)
	}
	Annotate(t.Context(), slog.String("outside", "has no effect"))
}

func TestAround_SeesEveryInvocationAndItsResult(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	type mark struct{}
	var seen []string
	s.cfg.Around = func(ctx context.Context, inv Invocation) (context.Context, func(int, error)) {
		return context.WithValue(ctx, mark{}, inv.Function), func(status int, err error) {
			seen = append(seen, fmt.Sprint(inv.Method, " ", inv.Function, " ", status, " ", err))
		}
	}
	s.cfg.Functions["works"] = handle(func(ctx context.Context, _ Invocation) (Result, error) {
		require.Equal(t, "works", ctx.Value(mark{}))
		return Result{}, nil
	})
	s.cfg.Functions["fails"] = handle(func(context.Context, Invocation) (Result, error) { return Result{}, errors.New("no") })
	s.cfg.Functions["panics"] = handle(func(context.Context, Invocation) (Result, error) { panic("boom") })
	s.cfg.HTTP["api"] = handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "api", r.Context().Value(mark{}))
		w.WriteHeader(http.StatusAccepted)
	}))
	s.cfg.HTTP["broken"] = handle(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	for _, path := range []string{"/works", "/fails", "/panics", "/api", "/broken"} {
		post(t, s, path, "{}")
	}
	post(t, s, "/works", "no envelope")
	require.Equal(t, []string{
		" works 200 <nil>", " fails 500 no", " panics 500 panic: boom", "POST api 202 <nil>", "POST broken 500 panic: boom",
		" works 400 " + strings.TrimPrefix(seen[5], " works 400 "),
	}, seen)
	require.Contains(t, seen[5], errNotAnEnvelope.Error())
}

func TestHTTP_FunctionReceivesTheOriginalRequest(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.HTTP["api"] = handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/panic" {
			panic("boom")
		}
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		Logger(r.Context()).Info("seen")
		w.WriteHeader(http.StatusTeapot)
		_, err = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		assert.NoError(t, err)
	}))
	w := post(t, s, "/api/operations/op-7?top=5", "hello")
	require.Equal(t, http.StatusTeapot, w.Code)
	require.Equal(t, "POST /api/operations/op-7?top=5 hello", w.Body.String())
	require.Equal(t, "POST /api hello", post(t, s, "/api", "hello").Body.String())
	require.Contains(t, log.String(), `"invocationId":"inv-1","function":"api"`)
	requireProblem(t, post(t, s, "/api/panic", ""), http.StatusInternalServerError)
	require.Contains(t, log.String(), "panic: boom")
}

func TestHTTP_AbortedRequestStaysAborted(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	s.cfg.HTTP["api"] = handle(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { post(t, s, "/api/x", "") })
}
