package functionshost

import (
	"context"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHandler_StartsWithTheHostsEnvironment(t *testing.T) {
	t.Parallel()
	calls := make(chan *http.Request, 1)
	root := newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction})
	h := startHost(t, root, func(w http.ResponseWriter, r *http.Request) {
		calls <- r.Clone(context.WithoutCancel(r.Context()))
		succeed(w, r)
	}, nil)
	waitReady(t, h)
	require.True(t, h.Running())
	require.Positive(t, h.HandlerPID())
	adminRun(t, h, "onEvent", `{"id":"e-1"}`)
	r := <-calls
	require.Equal(t, http.MethodPost, r.Method)
	require.Equal(t, "/onEvent", r.URL.Path)
	require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
	require.NotEmpty(t, r.Header.Get(headerInvocationID))
	require.Equal(t, hostVersion, r.Header.Get(headerHostVersion))
	require.Equal(t, userAgent, r.Header.Get("User-Agent"))
	require.NotEmpty(t, r.Header.Get("X-Test-Worker"))
	require.Equal(t, root, r.Header.Get("X-Test-Root"))
	require.Equal(t, "hello", r.Header.Get("X-Test-Setting"))
}

func TestHandlerOutput_HasTheHostsLevels(t *testing.T) {
	t.Parallel()
	lines := make(chan HandlerLine, 10)
	texts := []string{"plain", "a WARNING here", "broken"}
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction}), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerStdout, texts[0])
		w.Header().Set(headerStderr, texts[1])
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"Logs":["from the answer"]}`))
	}, func(c *Config) { c.Output = func(line HandlerLine) { lines <- line } })
	adminRun(t, h, "onEvent", `{"id":"e-1"}`)
	got := []HandlerLine{<-lines, <-lines, <-lines}
	require.ElementsMatch(t, []HandlerLine{
		{Level: slog.LevelInfo, Stream: StreamStdout, Text: "plain"},
		{Level: slog.LevelWarn, Stream: StreamStderr, Text: "a WARNING here"},
		{Level: slog.LevelInfo, Stream: StreamLogs, Text: "from the answer"},
	}, got)
}

func TestLineWriter_SplitsAtLineEndsAndAtTheLimit(t *testing.T) {
	t.Parallel()
	var got []HandlerLine
	w := &lineWriter{stream: StreamStderr, emit: func(line HandlerLine) { got = append(got, line) }}
	for _, part := range []string{"on", "e\r\ntw", "o\n\n", strings.Repeat("x", maxLine+5), "rest"} {
		n, err := w.Write([]byte(part))
		require.NoError(t, err)
		require.Len(t, part, n)
	}
	w.flush()
	require.Len(t, got, 5)
	require.Equal(t, HandlerLine{Level: slog.LevelError, Stream: StreamStderr, Text: "one"}, got[0])
	require.Equal(t, "two", got[1].Text)
	require.Empty(t, got[2].Text)
	require.Len(t, got[3].Text, maxLine+5)
	require.Equal(t, "rest", got[4].Text)
}

func TestSupervisor_ThirdCrashStopsTheHost(t *testing.T) {
	t.Parallel()
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction}), succeed, nil)
	seen := map[int]bool{}
	for crash := 1; crash <= 3; crash++ {
		waitReady(t, h)
		pid := h.HandlerPID()
		require.False(t, seen[pid], "a new process each time")
		seen[pid] = true
		require.True(t, h.KillHandler())
		eventually(t, func() bool { return h.Crashes() == crash }, "the crash is counted")
	}
	<-h.Done()
	require.False(t, h.Running())
	require.ErrorIs(t, h.WaitReady(t.Context()), ErrTooManyErrors)
	require.False(t, h.KillHandler())
	require.Zero(t, h.HandlerPID())
	h.Close()
}

func TestSupervisor_ForgetsCrashesAfterTheGap(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	s := &supervisor{policy: RestartPolicy{}.withDefaults(), host: &Host{now: clock.Now}}
	require.False(t, s.countError())
	clock.advance(30 * time.Minute)
	require.False(t, s.countError())
	clock.advance(30*time.Minute + time.Second)
	require.False(t, s.countError(), "the count restarted")
	require.False(t, s.countError())
	require.True(t, s.countError())
	require.Equal(t, 5, s.crashCount())

	s.policy.MaxErrors = -1
	require.False(t, s.countError(), "a policy that never gives up")
}

func TestSupervisor_StopsForAProgramThatCannotStart(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"1", "0"} {
		h := startHost(t, newApp(t, plainHostJSON, nil), succeed, func(c *Config) { c.Settings[crashSetting] = code })
		<-h.Done()
		require.ErrorIs(t, h.WaitReady(t.Context()), ErrTooManyErrors)
		require.Equal(t, 3, h.Crashes())
	}
}

func TestSupervisor_ObeysExitCodes(t *testing.T) {
	t.Parallel()
	var exit atomic.Pointer[string]
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"api": httpFunction}), func(w http.ResponseWriter, _ *http.Request) {
		if code := exit.Swap(nil); code != nil {
			w.Header().Set(headerExit, *code)
		}
	}, nil)
	get := func() int {
		status, _, _ := call(t, http.MethodGet, h.URL()+"/api/operations", "", nil)
		return status
	}
	require.Equal(t, http.StatusOK, get())
	first := h.HandlerPID()

	exit.Store(pointer("200"))
	require.Equal(t, http.StatusInternalServerError, get(), "the request that was lost")
	require.Equal(t, http.StatusOK, get())
	require.NotEqual(t, first, h.HandlerPID(), "200 requests a restart")
	require.Zero(t, h.Crashes())

	exit.Store(pointer("7"))
	require.Equal(t, http.StatusInternalServerError, get())
	require.Equal(t, http.StatusOK, get())
	require.Equal(t, 1, h.Crashes())

	exit.Store(pointer("0"))
	require.Equal(t, http.StatusInternalServerError, get())
	require.Equal(t, http.StatusInternalServerError, get(), "calls fail after 0")
	require.Equal(t, 1, h.Crashes())
	require.True(t, h.Running())
	require.Zero(t, h.HandlerPID(), "the failed call waited for its end")
}

func TestTimeLimit_KillsTheHandlerWithAllInvocations(t *testing.T) {
	t.Parallel()
	hostJSON := strings.Replace(plainHostJSON, "{", `{"functionTimeout":"00:00:01",`, 1)
	arrived, release := make(chan string, 4), make(chan struct{})
	h := startHost(t, newApp(t, hostJSON, map[string]string{"onEvent": eventFunction, "api": httpFunction}), func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("X-Test-Pid")
		switch r.URL.Path {
		case "/onEvent":
			w.WriteHeader(http.StatusOK) // empty: the host keeps waiting
		case "/api/operations/hang":
			<-release
		}
	}, nil)
	t.Cleanup(func() { close(release) })
	waitReady(t, h)
	statuses := make(chan int, 2)
	var requests sync.WaitGroup
	requests.Go(func() {
		status, _, _, err := try(t.Context(), http.MethodPost, h.URL()+"/runtime/webhooks/EventGrid?functionName=onEvent", `[{"id":"e-1"}]`, http.Header{"Aeg-Event-Type": {"Notification"}})
		assert.NoError(t, err)
		statuses <- status
	})
	requests.Go(func() {
		status, _, _, err := try(t.Context(), http.MethodGet, h.URL()+"/api/operations/hang", "", nil)
		assert.NoError(t, err)
		statuses <- status
	})
	first := <-arrived
	require.Equal(t, first, <-arrived)
	requests.Wait()
	require.Equal(t, http.StatusInternalServerError, <-statuses)
	require.Equal(t, http.StatusInternalServerError, <-statuses)
	status, _, _ := call(t, http.MethodGet, h.URL()+"/api/operations/fine", "", nil)
	require.Equal(t, http.StatusOK, status)
	require.NotEqual(t, first, <-arrived, "another process")
	require.Equal(t, 1, h.Crashes(), "a handler that the host killed counts")
}

func TestHandler_DiesWithTheStandIn(t *testing.T) {
	t.Parallel()
	root := newApp(t, plainHostJSON, nil)
	binary := root + "/handler"
	program := exec.CommandContext(t.Context(), binary)
	program.Env = append(program.Environ(), roleSetting+"="+roleHost, rootSetting+"="+root)
	stdin, err := program.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = stdin.Close() }()
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	pid := readPID(t, stdout)
	require.True(t, runs(pid))
	require.NoError(t, program.Process.Signal(syscall.SIGKILL))
	_ = program.Wait()
	eventually(t, func() bool { return !runs(pid) }, "the handler is gone")
}

func TestClose_LetsInvocationsFinish(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction}), func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		succeed(w, r)
	}, nil)
	waitReady(t, h)
	pid := h.HandlerPID()
	status := make(chan int, 1)
	go func() {
		code, _, _, err := try(t.Context(), http.MethodPost, h.URL()+"/runtime/webhooks/EventGrid?functionName=onEvent", `{"id":"e-1"}`, http.Header{"Aeg-Event-Type": {"Notification"}})
		assert.NoError(t, err)
		status <- code
	}()
	<-arrived
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		h.Close()
	}()
	eventually(t, func() bool { return !h.Running() }, "it begins to stop")
	close(release)
	require.Equal(t, http.StatusAccepted, <-status)
	<-closed
	require.False(t, runs(pid))
	require.ErrorIs(t, h.WaitReady(t.Context()), ErrClosed)
}

func TestNew_HostStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h, err := New(ctx, Config{Root: newApp(t, plainHostJSON, nil), Settings: map[string]string{roleSetting: roleHandler}})
	require.NoError(t, err)
	waitReady(t, h)
	cancel()
	<-h.Done()
	require.False(t, h.Running())
}

// A replacement is requested, so the handler has no fault.
func TestRestartHandler_WarnsOfTheInvocationThatItInterrupts(t *testing.T) {
	t.Parallel()
	arrived, hang := make(chan struct{}), make(chan struct{})
	var log strings.Builder
	h := startHost(t, newApp(t, plainHostJSON, map[string]string{"onEvent": eventFunction}), func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-hang
	}, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	t.Cleanup(func() { close(hang) })
	waitReady(t, h)
	i, err := h.eventInvocation(h.function("onEvent"), []byte(`{"id":"e-1"}`))
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := h.invoke(t.Context(), i)
		failed <- err
	}()
	<-arrived
	require.True(t, h.RestartHandler())
	require.ErrorIs(t, <-failed, errHandlerReplaced)
	h.Close()
	require.Contains(t, log.String(), `level=WARN msg="invocation failed"`)
	require.NotContains(t, log.String(), "level=ERROR")
}
