package customhandler

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roleSetting makes the test binary a custom handler program.
const roleSetting = "AZBACKUPFLOW_TEST_HANDLER"

func TestMain(m *testing.M) {
	if os.Getenv(roleSetting) != "" {
		os.Exit(handlerProgram())
	}
	os.Exit(m.Run())
}

// handlerProgram serves until it receives a signal. Its only function writes to
// stdout when it starts and ends when stdin closes.
func handlerProgram() int {
	ctx := context.Background()
	listener, err := Listen(ctx, func(name string) string {
		if name == PortSetting {
			return "0"
		}
		return ""
	})
	if err != nil {
		return 1
	}
	wait := func(context.Context, Invocation) (Result, error) {
		_, _ = io.WriteString(os.Stdout, "running\n")
		_, err := io.ReadAll(os.Stdin)
		return Result{}, err
	}
	s, err := New(Config{
		Functions: map[string]Handler{"wait": wait}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Time{} },
	})
	if err != nil {
		return 1
	}
	_, _ = io.WriteString(os.Stdout, listener.Addr().String()+"\n")
	if err := s.Serve(ctx, listener); err != nil {
		return 1
	}
	return 0
}

func TestListen_WithoutAPortNamesTheFunctionsHost(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "x", "70000", "-1"} {
		_, err := Listen(t.Context(), func(string) string { return value })
		require.ErrorContains(t, err, "Functions host", value)
	}
}

func TestListen_ReturnsAnErrorForAPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := Listen(t.Context(), func(string) string { return "0" })
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	_, err = Listen(t.Context(), func(string) string { return port })
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestServe_EndsWithItsContextAndWithItsListener(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	for _, end := range []string{"context", "listener"} {
		listener, err := Listen(t.Context(), func(string) string { return "0" })
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, listener) }()
		response, err := get(t, "http://"+listener.Addr().String()+"/")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response)
		if end == "context" {
			cancel()
			require.NoError(t, <-done)
		} else {
			require.NoError(t, listener.Close())
			require.Error(t, <-done)
		}
		cancel()
	}
}

func TestServe_WaitsForTheRunningInvocationAfterASignal(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), roleSetting+"=1")
	stdin, err := program.StdinPipe()
	require.NoError(t, err)
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	out := bufio.NewReader(stdout)
	address, err := out.ReadString('\n')
	require.NoError(t, err)
	address = strings.TrimSpace(address)

	status := make(chan int, 1)
	go func() {
		defer close(status)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/wait", strings.NewReader("{}"))
		if err != nil {
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return
		}
		defer func() { _ = response.Body.Close() }()
		status <- response.StatusCode
	}()
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "running\n", line)
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		_, err := get(t, "http://"+address+"/")
		return err != nil
	}, 10*time.Second, 5*time.Millisecond, "new invocations are still accepted")
	require.NoError(t, stdin.Close())
	require.Equal(t, http.StatusOK, <-status)
	require.NoError(t, program.Wait(), "exit code 0")
}

// get returns the status of a GET over a connection of its own.
func get(t *testing.T, url string) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode, nil
}
