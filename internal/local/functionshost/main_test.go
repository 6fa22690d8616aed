package functionshost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Settings that make the test binary a handler program or a host program.
const (
	roleSetting       = "FUNCTIONSHOST_TEST_ROLE"
	roleHandler       = "handler"
	roleHost          = "host"
	roleCustomHandler = "customhandler"
	controlSetting    = "FUNCTIONSHOST_TEST_CONTROL"
	crashSetting      = "FUNCTIONSHOST_TEST_CRASH"
	rootSetting       = "FUNCTIONSHOST_TEST_ROOT"
)

// Headers of a script's response that control the handler program.
const (
	headerExit   = "X-Test-Exit"
	headerStdout = "X-Test-Stdout"
	headerStderr = "X-Test-Stderr"
)

// textTerminated is the line that the handler program prints on SIGTERM.
const textTerminated = "got SIGTERM"

func TestMain(m *testing.M) {
	switch os.Getenv(roleSetting) {
	case roleHandler:
		os.Exit(handlerProgram())
	case roleHost:
		os.Exit(hostProgram())
	case roleCustomHandler:
		os.Exit(customHandlerProgram())
	}
	os.Exit(m.Run())
}

// handlerProgram is a custom handler that forwards each request to the test.
func handlerProgram() int {
	if code, err := strconv.Atoi(os.Getenv(crashSetting)); err == nil {
		return code
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		_, _ = fmt.Fprintln(os.Stdout, textTerminated)
	}()
	control, err := url.Parse(os.Getenv(controlSetting))
	if err != nil {
		return 2
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(control)
			p.Out.Host = p.In.Host
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				p.Out.Header[name] = p.In.Header[name]
			}
			p.Out.Header.Set("X-Test-Pid", strconv.Itoa(os.Getpid()))
			p.Out.Header.Set("X-Test-Worker", os.Getenv("FUNCTIONS_CUSTOMHANDLER_WORKER_ID"))
			p.Out.Header.Set("X-Test-Root", os.Getenv("FUNCTIONS_APP_ROOT_PATH"))
			p.Out.Header.Set("X-Test-Setting", os.Getenv("GREETING"))
		},
		ModifyResponse: func(r *http.Response) error {
			if text := r.Header.Get(headerStdout); text != "" {
				_, _ = fmt.Fprintln(os.Stdout, text)
			}
			if text := r.Header.Get(headerStderr); text != "" {
				_, _ = fmt.Fprintln(os.Stderr, text)
			}
			if code, err := strconv.Atoi(r.Header.Get(headerExit)); err == nil {
				os.Exit(code)
			}
			return nil
		},
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			proxy.ServeHTTP(w, r)
		}
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), Handler: handler, ReadHeaderTimeout: time.Minute}
	if err := server.ListenAndServe(); err != nil {
		return 3
	}
	return 0
}

// hostProgram runs a host, prints its handler's process id and never ends.
func hostProgram() int {
	ctx := context.Background()
	h, err := New(ctx, Config{Root: os.Getenv(rootSetting), Settings: map[string]string{roleSetting: roleHandler}})
	if err != nil {
		return 2
	}
	if err := h.WaitReady(ctx); err != nil {
		return 3
	}
	_, _ = fmt.Fprintln(os.Stdout, h.HandlerPID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

const plainHostJSON = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"},"enableProxyingHttpRequest":true},
 "extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"}}`

// newApp writes a function app whose handler is this test binary.
func newApp(t *testing.T, hostJSON string, functions map[string]string) string {
	t.Helper()
	root := t.TempDir()
	binary, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(binary, filepath.Join(root, "handler")))
	write(t, filepath.Join(root, "host.json"), hostJSON)
	for name, file := range functions {
		write(t, filepath.Join(root, name, "function.json"), file)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// startHost starts a host whose handler program responds as the script does.
func startHost(t *testing.T, root string, script http.HandlerFunc, change func(*Config)) *Host {
	t.Helper()
	control := httptest.NewServer(script)
	config := Config{Root: root, Settings: map[string]string{roleSetting: roleHandler, controlSetting: control.URL, "GREETING": "hello"}}
	if change != nil {
		change(&config)
	}
	h, err := New(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		control.CloseClientConnections()
		h.Close()
		control.Close()
	})
	return h
}

func waitReady(t *testing.T, h *Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, h.WaitReady(ctx))
}

// newIdleHost returns a host that is not running. Its invocations go to an HTTP server
// in this process.
func newIdleHost(t *testing.T, functions map[string]string, script http.HandlerFunc, change func(*Config)) *Host {
	t.Helper()
	config := Config{Root: newApp(t, plainHostJSON, functions)}
	if change != nil {
		change(&config)
	}
	h, err := newHost(config)
	require.NoError(t, err)
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	client := newHandlerClient()
	t.Cleanup(client.CloseIdleConnections)
	h.gate.open(&worker{url: address, client: client, ended: make(chan struct{}), judged: make(chan struct{})})
	h.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.listener.Close() })
	return h
}

// succeed responds to an envelope.
func succeed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"Outputs":{},"Logs":[],"ReturnValue":null}`)
}

// call sends a request and returns status, body and header.
func call(t *testing.T, method, url, body string, header http.Header) (int, string, http.Header) {
	t.Helper()
	status, answer, received, err := try(t.Context(), method, url, body, header)
	require.NoError(t, err)
	return status, answer, received
}

// try is call for goroutines, which must not end a test.
func try(ctx context.Context, method, url, body string, header http.Header) (int, string, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), response.Header, err
}

// fakeClock is a clock that the test advances.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[chan time.Time]time.Time
}

func newFakeClock(now time.Time) *fakeClock {
	return &fakeClock{now: now, waiting: map[chan time.Time]time.Time{}}
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := make(chan time.Time, 1)
	if d <= 0 {
		at <- c.now
		return at
	}
	c.waiting[at] = c.now.Add(d)
	return at
}

// advance moves the clock and ends the waits that are due.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for at, due := range c.waiting {
		if !due.After(c.now) {
			at <- c.now
			delete(c.waiting, at)
		}
	}
}

// awaits reports whether code waits for a point in time.
func (c *fakeClock) awaits(due time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.waiting {
		if at.Equal(due) {
			return true
		}
	}
	return false
}

// logLines collects log messages.
type logLines struct {
	slog.Handler
	mu       sync.Mutex
	messages []string
}

func newLogLines() *logLines { return &logLines{Handler: slog.DiscardHandler} }

func (l *logLines) Enabled(context.Context, slog.Level) bool { return true }

func (l *logLines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, r.Message)
	return nil
}

// count returns the number of lines with a message.
func (l *logLines) count(message string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.messages {
		if m == message {
			n++
		}
	}
	return n
}

func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, 30*time.Second, 2*time.Millisecond, what)
}

var errTest = errors.New("error of the test")
