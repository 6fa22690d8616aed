package functionshost

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/local/fault"
)

// ErrClosed is the error of a host that Close has stopped.
var ErrClosed = errors.New("functions host closed")

// Config configures a Host. Only Root is required.
type Config struct {
	// Root is the folder with host.json.
	Root string
	// Settings are the app settings: %name% in bindings, connections, and the
	// handler's environment. They override the process's environment, which
	// overrides local.settings.json.
	Settings map[string]string
	// Address is the address of the HTTP server; 127.0.0.1:0 if empty.
	Address string
	// Log receives the host's log; nil discards it.
	Log *slog.Logger
	// Output receives the handler's output; nil sends it to Log.
	Output func(HandlerLine)
	// HostLines receives the log lines that the real host would write for messages
	// and invocations under the levels of host.json, and the handler's output; nil
	// drops them.
	HostLines func(HostLine)
	// Fault is called around "invoke <function>", "complete <function>" and
	// "abandon <function>" of service "host". During comes after the handler's
	// response or failure, or after the settlement.
	Fault fault.Hook
	// Now returns the current time; nil means the machine's clock.
	Now func() time.Time
	// After sends the time after a duration; nil means time.After.
	After func(time.Duration) <-chan time.Time
	// Random is the source of ids and ports. It must be safe for concurrent use;
	// nil means crypto/rand.
	Random io.Reader
	// Restart is the restart policy; zero means that of the real host.
	Restart RestartPolicy
	// TimerState is the file with the status of the timers, from which a new host
	// detects missed occurrences; empty keeps the status in memory.
	TimerState string
}

// Host is a running stand-in. Its methods are safe for concurrent use. Fault hooks
// may call all methods except Close, which waits for the hooks.
type Host struct {
	app      App
	settings settings
	routes   []httpRoute
	log      *slog.Logger
	output   func(HandlerLine)
	// hostLines is Config.HostLines.
	hostLines func(HostLine)
	fault     fault.Hook
	now       func() time.Time
	after     func(time.Duration) <-chan time.Time
	random    io.Reader
	started   time.Time

	gate       *gate
	supervisor *supervisor
	buses      busClients
	triggers   []trigger
	listener   net.Listener
	server     *http.Server
	manual     *manualTrigger

	stopOnce sync.Once
	stopping chan struct{} // closed when the host begins to stop
	done     chan struct{} // closed when it has stopped
	cancel   context.CancelFunc
}

// trigger starts invocations until its context ends. It returns when all of them
// are done.
type trigger interface {
	run(ctx context.Context)
}

// New returns a running host. It loads the app, starts the handler and serves HTTP.
// Triggers start when the handler is ready; see WaitReady. The host stops when ctx
// ends. The error describes the problem of the app, its settings or the address.
func New(ctx context.Context, config Config) (*Host, error) {
	h, err := newHost(config)
	if err != nil {
		return nil, err
	}
	address := config.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	var listen net.ListenConfig
	if h.listener, err = listen.Listen(ctx, "tcp", address); err != nil {
		return nil, fmt.Errorf("serve the function app: %w", err)
	}
	h.server = &http.Server{Handler: h.handler(), ReadHeaderTimeout: readyLimit, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)}
	h.start(ctx)
	return h, nil
}

// newHost returns a host that is not running.
func newHost(config Config) (*Host, error) {
	app, err := Load(config.Root)
	if err != nil {
		return nil, err
	}
	h := &Host{
		app: app, log: config.Log, output: config.Output, hostLines: config.HostLines, fault: config.Fault, now: config.Now, after: config.After, random: config.Random,
		gate: newGate(), stopping: make(chan struct{}), done: make(chan struct{}),
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now //nolint:forbidigo // the only place where the stand-in reads the machine's clock
	}
	if h.after == nil {
		h.after = time.After
	}
	if h.random == nil {
		h.random = rand.Reader
	}
	h.started = h.now()
	if h.settings, err = loadSettings(app.Root, os.Environ(), config.Settings); err != nil {
		return nil, fmt.Errorf("load the app settings: %w", err)
	}
	for i := range h.app.Functions {
		function := &h.app.Functions[i]
		function.Disabled = function.Disabled || h.settings.disabled(function.Name)
	}
	if h.routes, err = httpRoutes(&h.app); err != nil {
		return nil, err
	}
	h.manual = &manualTrigger{host: h, queue: make(chan *invocation)}
	h.supervisor = &supervisor{
		spec:   workerSpec{app: &h.app, settings: h.settings, random: h.random, emit: h.emit},
		policy: config.Restart.withDefaults(),
		host:   h,
		gate:   h.gate,
	}
	return h, h.addTriggers(config.TimerState)
}

// addTriggers creates the triggers of the enabled functions.
func (h *Host) addTriggers(timerState string) error {
	h.triggers = append(h.triggers, h.manual)
	timers, err := openTimerStore(timerState)
	if err != nil {
		return err
	}
	for i := range h.app.Functions {
		function := &h.app.Functions[i]
		if function.Disabled {
			continue
		}
		var added trigger
		switch {
		case function.Trigger.is(typeTimerTrigger):
			added, err = newTimer(h, function, timers)
		case function.Trigger.is(typeServiceBusTrigger):
			added, err = h.buses.trigger(h, function)
		default:
			continue // served over HTTP
		}
		if err != nil {
			return fmt.Errorf("function %s: %w", function.Name, err)
		}
		h.triggers = append(h.triggers, added)
	}
	return nil
}

// emit sends a line of the handler to Output or to the log.
func (h *Host) emit(line HandlerLine) {
	h.logLine(HostLine{categoryHandler, line.Level, line.Text})
	if h.output != nil {
		h.output(line)
		return
	}
	h.log.Log(context.Background(), line.Level, line.Text, "stream", line.Stream)
}

// function returns the function with a name, ignoring case, or nil.
func (h *Host) function(name string) *Function {
	for i := range h.app.Functions {
		if strings.EqualFold(h.app.Functions[i].Name, name) {
			return &h.app.Functions[i]
		}
	}
	return nil
}

// handler serves all HTTP requests to the host.
func (h *Host) handler() http.Handler {
	mux := http.NewServeMux()
	h.adminRoutes(mux)
	mux.HandleFunc("/runtime/webhooks/EventGrid", h.serveEventGrid)
	mux.HandleFunc("/runtime/webhooks/eventgrid", h.serveEventGrid)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/admin/") || strings.HasPrefix(r.URL.Path, "/runtime/") {
			mux.ServeHTTP(w, r)
			return
		}
		h.serveRoute(w, r) // not by the mux, which redirects unclean paths
	})
}
