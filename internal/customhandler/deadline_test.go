package customhandler

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/parallel"
)

// A message must not be able to hang the program: the host would kill it with all
// other invocations.
func TestServer_RespondsToInvocationsThatIgnoreTheirDeadline(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.Deadline = 10 * time.Millisecond
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) {
		<-release
		return Result{}, nil
	})
	s.cfg.HTTP["api"] = handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		<-release
	}))
	requireAnswer(t, post(t, s, "/f", `{}`), http.StatusInternalServerError)
	requireProblem(t, post(t, s, "/api/x", ""), http.StatusServiceUnavailable)
	require.Contains(t, log.String(), errOverdue.Error())
	require.Less(t, DefaultDeadline+DefaultDeadline/10, 230*time.Second, "Azure's load balancer ends HTTP requests then")
}

// requireProblem checks the response to an HTTP request that failed.
func requireProblem(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	require.Equal(t, status, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, status, p.Status)
	require.Equal(t, http.StatusText(status), p.Title)
	require.Equal(t, "about:blank", p.Type)
	require.Equal(t, status == http.StatusServiceUnavailable, w.Header().Get("Retry-After") != "")
	require.NotContains(t, w.Body.String(), "boom")
}

func TestHTTP_PanicIsAProblem(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.HTTP["api"] = handle(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	w := post(t, s, "/api/x", "")
	requireProblem(t, w, http.StatusInternalServerError)
	require.Contains(t, w.Body.String(), "inv-1")
	require.Contains(t, log.String(), "boom")
}

func TestServer_LogsThePanicOfAGoroutineWithItsStack(t *testing.T) {
	t.Parallel()
	s, log := newServer(t)
	s.cfg.Functions["f"] = handle(func(context.Context, Invocation) (Result, error) {
		group := parallel.New()
		group.Go(func() error { panic("boom") })
		return Result{}, group.Wait()
	})
	requireAnswer(t, post(t, s, "/f", `{}`), http.StatusInternalServerError)
	require.Contains(t, log.String(), "panic: boom")
	require.Contains(t, log.String(), "deadline_test.go", "the stack is logged")
}

func TestServe_EndsWhenTheParentProcessHasEnded(t *testing.T) {
	t.Parallel()
	for name, parents := range map[string][]int{"while it runs": {4711, 1}, "before it serves": {1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, log := newServer(t)
			s.cfg.HostPID = 4711
			s.cfg.ParentPID = func() int {
				parent := parents[0]
				parents = parents[min(1, len(parents)-1):]
				return parent
			}
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, s.Serve(t.Context(), listener))
			require.Contains(t, log.String(), errHostGone.Error())
		})
	}
}
