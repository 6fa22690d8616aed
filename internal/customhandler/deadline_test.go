package customhandler

import (
	"context"
	"net"
	"net/http"
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
	requireAnswer(t, post(t, s, "/api/x", ""), http.StatusServiceUnavailable)
	require.Contains(t, log.String(), errOverdue.Error())
	require.Less(t, DefaultDeadline+DefaultDeadline/10, 230*time.Second, "Azure's load balancer ends HTTP requests then")
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
	s, log := newServer(t)
	parent := 4711
	s.cfg.ParentPID = func() int {
		defer func() { parent = 1 }()
		return parent
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, s.Serve(t.Context(), listener))
	require.Contains(t, log.String(), errHostGone.Error())
}
