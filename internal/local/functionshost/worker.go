package functionshost

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Waits for a handler to become ready.
const (
	readyPoll  = 25 * time.Millisecond
	readyLimit = 30 * time.Second
)

// outputGrace limits the time in which child processes of an ended handler hold its
// output open.
const outputGrace = time.Second

// exitRestart is the exit code of a handler that requests its restart.
const exitRestart = 200

// worker is one run of the handler program.
type worker struct {
	cmd    *exec.Cmd
	url    *url.URL
	client *http.Client

	ended chan struct{} // closed when the process has ended
	exit  int           // its exit code, -1 if killed; read it after ended

	judged chan struct{} // closed when the host has decided about the restart
	// replaced reports, once judged is closed, that RestartHandler ended the handler.
	replaced bool
}

// workerSpec holds what is needed to start a handler program.
type workerSpec struct {
	app      *App
	settings settings
	random   io.Reader
	emit     func(HandlerLine)
}

// startWorker starts the handler. It is killed when ctx ends.
func startWorker(ctx context.Context, spec workerSpec) (*worker, error) {
	port, err := freePort(ctx, spec.random)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandomFromReader(spec.random)
	if err != nil {
		return nil, fmt.Errorf("create a worker id: %w", err)
	}
	cmd := exec.CommandContext(ctx, spec.app.Host.Executable, spec.app.Host.Arguments...)
	cmd.Dir = spec.app.Root
	cmd.Env = append(spec.settings.environment(),
		"FUNCTIONS_CUSTOMHANDLER_PORT="+strconv.Itoa(port),
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID="+id.String(),
		"FUNCTIONS_APP_ROOT_PATH="+spec.app.Root)
	stdout := &lineWriter{stream: StreamStdout, emit: spec.emit}
	stderr := &lineWriter{stream: StreamStderr, emit: spec.emit}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = outputGrace
	cmd.Cancel = func() error { return killProcess(cmd) }
	isolate(cmd)

	w := &worker{
		cmd:    cmd,
		url:    &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		client: newHandlerClient(),
		ended:  make(chan struct{}),
		judged: make(chan struct{}),
	}
	started := make(chan error, 1)
	go func() {
		// The kernel kills the child when the thread that started it ends, so the
		// thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		w.exit = exitCode(cmd.Wait())
		stdout.flush()
		stderr.flush()
		w.client.CloseIdleConnections()
		close(w.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start the handler program: %w", err)
	}
	return w, nil
}

// newHandlerClient returns a client that adds no header and follows no redirect.
func newHandlerClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: keepRedirect,
	}
}

// keepRedirect returns a redirect to the caller instead of following it.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// exitCode returns the exit code of a process, or -1 if it was killed.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// awaitReady polls the handler until it sends any response.
func (w *worker) awaitReady(ctx context.Context, after func(time.Duration) <-chan time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-w.ended:
			cancel(fmt.Errorf("handler ended with code %d before its first response", w.exit))
		case <-after(readyLimit):
			cancel(fmt.Errorf("handler did not respond within %v", readyLimit))
		case <-ctx.Done():
		}
	}()
	for !w.responds(ctx) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-after(readyPoll):
		}
	}
	return nil
}

// responds reports whether the handler responds to a request for its root.
func (w *worker) responds(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url.String()+"/", nil)
	if err != nil {
		return false
	}
	request.Header["User-Agent"] = []string{""} // the host sends none
	response, err := w.client.Do(request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxLine))
	return response.Body.Close() == nil
}

// kill kills the process and waits for its end.
func (w *worker) kill() {
	select {
	case <-w.ended:
		return
	default:
	}
	_ = killProcess(w.cmd) // it fails if the process has just ended
	<-w.ended
}

// alive reports whether the process is running.
func (w *worker) alive() bool {
	select {
	case <-w.ended:
		return false
	default:
		return true
	}
}

// Range of the handler's ports. No system assigns these by itself, so no other
// process takes one before the handler listens on it.
const (
	firstPort  = 10000
	portCount  = 20000
	portTrials = 100
)

// freePort returns a free port of the loopback interface.
func freePort(ctx context.Context, random io.Reader) (int, error) {
	var config net.ListenConfig
	for range portTrials {
		var seed [4]byte
		if _, err := io.ReadFull(random, seed[:]); err != nil {
			return 0, fmt.Errorf("choose a port: %w", err)
		}
		port := firstPort + int(binary.BigEndian.Uint32(seed[:])%portCount)
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err == nil {
			return port, nil
		}
	}
	return 0, errors.New("no free port found for the handler; stop other programs on ports 10000 to 29999")
}
