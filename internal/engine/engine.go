// Package engine runs one step of one operation for each message, so that an
// operation is never lost and never done twice, whatever dies when. It does not
// know which flows exist.
//
// What to do is decided by Invocation, which is pure; this package's Engine
// carries its commands out against a Store, a Queue and the steps of its Flows.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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

// Config is what an Engine works with. All fields are needed but
// StartTrace, Locks, Notifier and Log.
type Config struct {
	Store Store
	Queue Queue
	Flows Flows
	Waits operation.Waits
	// Tenant separates the operations of deployments that share tables; it is
	// part of every operation's id.
	Tenant string
	// Clock, Jitter (in [0,1)) and NewID come from outside so that tests can
	// choose them. NewID gives a UUID that was never used before.
	Now    func() time.Time
	Jitter func() float64
	NewID  func() string
	// Sleep waits, or returns early with the context's error.
	Sleep func(context.Context, time.Duration) error
	// Begin begins the trace of an operation that is about to be created and
	// gives its W3C trace context; its function is called once the operation
	// is accepted. Nil means the trace context of the request.
	StartTrace func(context.Context, operation.Operation) (trace string, accepted func())
	// Locks keeps the locks of protected items; nil means that operations on one
	// item do not wait for each other. StartsPerItem is how many operations may
	// begin to change an item in a day (UTC); zero is no limit.
	Locks         Locks
	StartsPerItem int
	// Notifier sends notices; nil means that nobody wants any.
	Notifier Notifier
	Log      *slog.Logger
}

// invocationLimit bounds everything that one invocation does, below the lock
// of its message (5 min). Its last part is kept for sending, and the part before
// it for saving what Azure answered: an answer that came late is not thrown
// away.
const (
	maxRunTime         = 120 * time.Second
	reservedForSending = 20 * time.Second
	reservedForSaving  = 40 * time.Second
)

// Engine runs operations.
type Engine struct {
	cfg Config
}

// New checks the configuration.
func New(cfg Config) (*Engine, error) {
	switch {
	case cfg.Store == nil, cfg.Queue == nil, cfg.Flows == nil:
		return nil, errors.New("engine: needs a store, a queue and a book of flows")
	case cfg.Now == nil, cfg.Jitter == nil, cfg.NewID == nil, cfg.Sleep == nil:
		return nil, errors.New("engine: needs a clock, a sleep, jitter and ids")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg}, nil
}

// ErrRedeliver says that nothing could be done with a message, not even to put
// it off: it must be delivered again.
var ErrRedeliver = errors.New("the message must be delivered again")

// RunStep works on one delivery of a wake-up. A nil error means that the
// message is done with; ErrRedeliver that it is not.
func (e *Engine) RunStep(ctx context.Context, d operation.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, maxRunTime)
	defer cancel()
	log := e.cfg.Log.With("op", d.Wakeup.OperationID, "seq", d.Wakeup.Seq, "delivery", d.Count)
	env := e.env(d.Wakeup.TraceParent)
	inv, cmd := NewMachine(d)
	for {
		switch cmd.Action {
		case Acknowledge:
			log.DebugContext(ctx, "message done", "because", cmd.Reason)
			return nil
		case Abandon:
			log.WarnContext(ctx, "message goes back", "because", cmd.Reason)
			return fmt.Errorf("%w: %s", ErrRedeliver, cmd.Reason)
		case Load, Save, Lock, Run, Reconcile, Send, SendNotice, Finalize:
		}
		res := e.do(ctx, log, d.Wakeup.OperationID, cmd)
		inv, cmd = inv.Next(env, res)
	}
}

func (e *Engine) env(trace string) Env {
	return Env{
		Now: e.cfg.Now, Jitter: e.cfg.Jitter, NewID: e.cfg.NewID,
		Waits: e.cfg.Waits, Broadcast: e.broadcasts(), Flow: e.cfg.Flows.Find, TraceParent: trace,
	}
}

// do carries one command out.
func (e *Engine) do(ctx context.Context, log *slog.Logger, id string, cmd Command) Result {
	deadline, _ := ctx.Deadline()
	work, cancel := context.WithDeadline(ctx, deadline.Add(-reservedForSending))
	defer cancel()
	if cmd.Pause > 0 {
		if err := e.cfg.Sleep(work, cmd.Pause); err != nil {
			return Result{Storage: Unavailable}
		}
	}
	switch cmd.Action {
	case Load:
		row, err := e.cfg.Store.Load(work, id)
		return Result{Row: row, Storage: e.storageResult(ctx, log, cmd.Action, err)}
	case Save:
		etag, err := e.cfg.Store.Save(work, cmd.Row, cmd.Event)
		res := Result{Row: Row{ETag: etag}, Storage: e.storageResult(ctx, log, cmd.Action, err)}
		if res.Storage == OK {
			logSaved(ctx, log, cmd.Row.Operation, cmd.Event)
		}
		if res.Storage == TooLarge {
			res.Err = &operation.Error{Code: "TooLarge", Class: operation.Fatal, Message: err.Error()}
		}
		return res
	case Lock:
		locked, err := e.lock(work, cmd.Row.Operation, cmd.Item)
		return Result{Locked: locked, Storage: e.storageResult(ctx, log, cmd.Action, err)}
	case Run, Reconcile:
		call, cancel := context.WithDeadline(ctx, deadline.Add(-reservedForSending-reservedForSaving))
		defer cancel()
		return e.call(call, cmd)
	case Send:
		err := e.cfg.Queue.Send(ctx, cmd.Message)
		return Result{Storage: e.storageResult(ctx, log, cmd.Action, err)}
	case SendNotice:
		return Result{Storage: e.storageResult(ctx, log, cmd.Action, e.notify(work, cmd.Row.Operation, cmd.Notice))}
	case Finalize:
		err := e.cfg.Store.Finalize(work, cmd.Row)
		return Result{Storage: e.storageResult(ctx, log, cmd.Action, err)}
	case Acknowledge, Abandon:
	}
	return Result{}
}

// reach sorts an error of the store or the queue.
func (e *Engine) storageResult(ctx context.Context, log *slog.Logger, a Action, err error) StorageResult {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrNotFound):
		return NotFound
	case errors.Is(err, ErrConflict):
		return Conflict
	case errors.Is(err, ErrTooLarge):
		log.ErrorContext(ctx, "too large to be stored", "error", err)
		return TooLarge
	}
	log.WarnContext(ctx, "out of reach", "action", string(a), "error", err)
	return Unavailable
}

// call makes the current step's ARM call, or looks for what became of it.
func (e *Engine) call(ctx context.Context, cmd Command) (res Result) {
	op := cmd.Row.Operation
	flow, _ := e.cfg.Flows.Find(op.Flow, op.Version)
	s, _ := flow.Step(op.Step)
	recorder := &step.Recorder{}
	defer func() {
		if p := recover(); p != nil {
			res = Result{Panicked: true, Err: &operation.Error{
				Code: "Panic", Class: operation.Fatal,
				Message:           fmt.Sprintf("step %s panicked: %v\n%s", op.Step, p, debug.Stack()),
				RecommendedAction: []string{"This is a bug of azbackupflow. Report it with the message above; retry the operation once it is mended."},
			}}
		}
		res.Exchanges = recorder.Exchanges()
	}()
	now := e.cfg.Now()
	c := step.Call{Operation: op, Now: now, AttemptID: cmd.AttemptID, Priority: priorityOf(flow, op), Recorder: recorder}
	if cmd.Action == Reconcile {
		finding, err := s.Reconcile(ctx, c)
		return answered(Result{Reconciliation: finding}, err)
	}
	if !cmd.NotAfter.IsZero() && !now.Before(cmd.NotAfter) {
		return Result{TooLate: true}
	}
	outcome, err := s.Run(ctx, c)
	return answered(Result{Outcome: outcome}, err)
}

// priorityOf returns the priority of an operation's calls: that of its flow, or
// PriorityFollow while Azure works on it, whichever is higher.
func priorityOf(f step.Flow, op operation.Operation) operation.Priority {
	p := f.Priority
	if p == 0 {
		p = operation.PriorityOther
	}
	if op.Following() {
		p = min(p, operation.PriorityFollow)
	}
	return p
}

// answered adds what a step came to if it did not come to an answer.
func answered(res Result, err error) Result {
	if errors.As(err, &res.Deferral) {
		return res
	}
	res.Err = asError(err)
	return res
}

// asError gives every error a class. One that no one classified is taken for
// passing, and for one that may have had an effect.
func asError(err error) *operation.Error {
	if err == nil {
		return nil
	}
	var known *operation.Error
	if errors.As(err, &known) {
		return known
	}
	return &operation.Error{Code: "Unexpected", Class: operation.Transient, Message: err.Error(), Ambiguous: true}
}

// logSaved writes one line for each move of an operation.
func logSaved(ctx context.Context, log *slog.Logger, op operation.Operation, ev operation.Event) {
	attrs := []any{"flow", op.Flow, "step", op.Step, "to", op.Seq, "status", string(op.Status), "what", ev.What}
	if !op.DueAt.IsZero() {
		attrs = append(attrs, "due", op.DueAt)
	}
	if op.LastError != nil {
		attrs = append(attrs, "code", op.LastError.Code, "class", string(op.LastError.Class))
	}
	log.InfoContext(ctx, "operation moved", attrs...)
}
