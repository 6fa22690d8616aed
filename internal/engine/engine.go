// Package engine runs one step of one operation for each message. It loses no
// operation and makes no call twice, even if any process dies at any time.
//
// Machine decides what to do. It is pure. Engine performs its commands against a
// Store, a Queue and the steps of its Flows. The package may not know which
// flows exist, how rows and messages are stored, or how a request reached the
// app.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Flows finds the flows that the engine runs.
type Flows interface {
	// Find returns one version of a flow.
	Find(name string, version int) (step.Flow, bool)
	// Newest returns the version that new requests start.
	Newest(name string) (step.Flow, bool)
	// Names returns the names of the flows that can be started.
	Names() []string
}

// Config configures an Engine.
type Config struct {
	Store Store
	Queue Queue
	Flows Flows
	Waits operation.Waits
	// Tenant separates the operations of deployments that share tables. It is
	// part of every operation's ID.
	Tenant string
	// Now is the clock. Jitter returns a random number in [0,1), by which pauses
	// and the order of the sweep differ. NewID returns a new UUID.
	Now    func() time.Time
	Jitter func() float64
	NewID  func() string
	// Sleep waits, or returns the context's error early.
	Sleep func(context.Context, time.Duration) error

	// The fields below are optional.

	// StartTrace starts the trace of an operation before it is created and
	// returns its W3C trace context. The engine calls accepted after the
	// operation is created. The default is the trace context of the request.
	StartTrace func(context.Context, operation.Operation) (traceParent string, accepted func())
	// Locks keeps the locks of protected items. Without it, operations on one
	// item do not wait for each other. StartsPerItem is the number of
	// operations that may begin to change an item in a day (UTC). Zero means no
	// limit.
	Locks         Locks
	StartsPerItem int
	// Notifier sends notices. Without it, notices are dropped.
	Notifier Notifier
	Log      *slog.Logger
}

// Engine runs operations.
type Engine struct {
	cfg    Config
	spread *spread
}

// New returns an engine. It returns an error if a required field is missing.
func New(cfg Config) (*Engine, error) {
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"Store", cfg.Store == nil},
		{"Queue", cfg.Queue == nil},
		{"Flows", cfg.Flows == nil},
		{"Waits", cfg.Waits.Default <= 0},
		{"Now", cfg.Now == nil},
		{"Jitter", cfg.Jitter == nil},
		{"NewID", cfg.NewID == nil},
		{"Sleep", cfg.Sleep == nil},
	} {
		if field.missing {
			return nil, fmt.Errorf("engine: Config.%s is missing", field.name)
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Notifier == nil {
		cfg.Notifier = noNotifier{}
	}
	if cfg.StartTrace == nil {
		cfg.StartTrace = func(_ context.Context, op operation.Operation) (string, func()) { return op.TraceParent, func() {} }
	}
	return &Engine{cfg: cfg, spread: newSpread(cfg.Waits.SpreadSlot, cfg.Now)}, nil
}

// maxRunTime limits the time of one delivery. It is below the lock of the
// message (5 min). The last part is reserved for sending, the part before it for
// saving, so that a late answer of Azure is saved.
const (
	maxRunTime         = 120 * time.Second
	reservedForSending = 20 * time.Second
	reservedForSaving  = 40 * time.Second
)

// ErrRedeliver means that a message could be neither handled nor rescheduled. It
// must be redelivered.
var ErrRedeliver = errors.New("the message must be redelivered")

// RunStep handles one delivery of a wake-up. It returns nil if the message is
// done, and ErrRedeliver if it must be redelivered.
func (e *Engine) RunStep(ctx context.Context, d operation.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, maxRunTime)
	defer cancel()
	log := e.cfg.Log.With("op", d.Wakeup.OperationID, "seq", d.Wakeup.Seq, "delivery", d.Count)
	env := Env{
		Now: e.cfg.Now, Spread: e.spread.after, NewID: e.cfg.NewID,
		Waits: e.cfg.Waits, Broadcast: e.cfg.Notifier.Broadcasts(), Flow: e.cfg.Flows.Find, TraceParent: d.Wakeup.TraceParent,
	}
	m, cmd := NewMachine(d)
	for {
		switch cmd.Action {
		case Acknowledge:
			log.DebugContext(ctx, "message acknowledged", "reason", cmd.Reason)
			return nil
		case Abandon:
			log.WarnContext(ctx, "message abandoned", "reason", cmd.Reason)
			return fmt.Errorf("%w: %s", ErrRedeliver, cmd.Reason)
		case Load, Save, Lock, Run, Reconcile, Send, SendNotice, Finalize:
		}
		m, cmd = m.Next(env, e.perform(ctx, log, d.Wakeup.OperationID, cmd))
	}
}

// input returns the input of a transition now.
func (e *Engine) input() operation.Input {
	return operation.Input{Now: e.cfg.Now(), Waits: e.cfg.Waits, Spread: e.spread.after, WriteID: e.cfg.NewID()}
}
