package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// KeyConflict is a request under a key that another request has used with
// other parameters.
type KeyConflict struct {
	ID, Flow, Key string
}

// Error says which operation has the key.
func (e *KeyConflict) Error() string {
	return fmt.Sprintf("key %q of flow %s belongs to operation %s, which has other parameters: use another key, or the same parameters", e.Key, e.Flow, e.ID)
}

// Origin is where a request came from.
type Origin struct {
	// Trace is its W3C trace context, ReplyTo the queue for answers, MessageID
	// the id of the message that it came as.
	TraceParent, ReplyTo, MessageID string
	// NotBefore puts the first step off, and the deadline with it; zero means
	// at once. It is no part of the request: the first start decides.
	NotBefore time.Time
}

// Start creates the operation that the request asks for and sends its first
// message. Asked for again, it gives the operation that is there; created is
// false then. Errors that the sender can mend are *step.Invalid and
// *KeyConflict; after any other it may simply be repeated.
func (e *Engine) Start(ctx context.Context, r request.Request, from Origin) (op operation.Operation, created bool, err error) {
	op, err = e.Prepare(r)
	if err != nil {
		return e.existing(ctx, r, err)
	}
	op.TraceParent, op.ReplyTo, op.RequestID = from.TraceParent, from.ReplyTo, from.MessageID
	op = op.QueueStarted(e.broadcasts())
	if wait := from.NotBefore.Sub(op.DueAt); wait > 0 {
		op.DueAt, op.Deadline = from.NotBefore, op.Deadline.Add(wait)
	}
	accepted := func() {}
	if e.cfg.StartTrace != nil {
		op.TraceParent, accepted = e.cfg.StartTrace(ctx, op)
	}
	ev := operation.Event{Seq: op.Seq, At: op.CreatedAt, Step: op.Step, Status: op.Status, What: "accepted", DueAt: op.DueAt, WriteID: op.WriteID}
	row, created, err := e.cfg.Store.Create(ctx, op, ev)
	if err != nil {
		return op, false, fmt.Errorf("create operation %s: %w", op.ID, err)
	}
	if row.Operation.RequestHash != op.RequestHash {
		return row.Operation, false, &KeyConflict{ID: op.ID, Flow: op.Flow, Key: op.Key}
	}
	if created {
		accepted()
	}
	return e.sendFirst(ctx, row.Operation, created)
}

// begun sends the first message of an operation that stands at its first seq:
// created now, or created by someone who may have died before sending.
func (e *Engine) sendFirst(ctx context.Context, op operation.Operation, created bool) (operation.Operation, bool, error) {
	if op.Seq > 1 || op.Status != operation.Pending {
		return op, created, nil
	}
	if err := e.cfg.Queue.Send(ctx, StepMessage(op, op.TraceParent)); err != nil {
		return op, created, fmt.Errorf("send the first message of operation %s: %w", op.ID, err)
	}
	if created {
		e.cfg.Log.InfoContext(ctx, "operation accepted", "op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq)
	}
	return op, created, nil
}

// Prepare checks a request and gives the operation that Start would create.
func (e *Engine) Prepare(r request.Request) (operation.Operation, error) {
	if err := r.Check(); err != nil {
		return operation.Operation{}, err
	}
	flow, ok := e.cfg.Flows.Newest(r.Flow)
	if !ok {
		return operation.Operation{}, &step.Invalid{Fields: []step.FieldError{{
			Field: "flow", Problem: fmt.Sprintf("%q is not a flow", r.Flow),
			Want: "one of " + strings.Join(e.cfg.Flows.Names(), ", "),
		}}}
	}
	parameters, err := flow.Check(r.Parameters)
	if err != nil {
		return operation.Operation{}, fmt.Errorf("flow %s: %w", flow.Name, err)
	}
	hash, err := operation.HashParameters(parameters)
	if err != nil {
		return operation.Operation{}, err
	}
	limit, err := r.Limit()
	if err != nil {
		return operation.Operation{}, err
	}
	if limit == 0 {
		limit = flow.Deadline
	}
	key := r.Key
	if key == "" {
		key = e.cfg.NewID()
	}
	now := e.cfg.Now()
	return operation.Operation{
		Identity: operation.Identity{
			ID: operation.ID(e.cfg.Tenant, flow.Name, key), Tenant: e.cfg.Tenant, Key: key,
			Flow: flow.Name, Version: flow.Version,
			Parameters: parameters, RequestHash: hash, Labels: r.Labels,
			CreatedAt: now,
		},
		Progress: operation.Progress{
			Status: operation.Pending, Step: flow.Steps[0].Name, Seq: 1,
			WriteID: e.cfg.NewID(), DueAt: now, Deadline: now.Add(limit),
			UpdatedAt: now, StepStartedAt: now,
		},
	}, nil
}

// mostContested bounds how often a flag is set again after others saved first.
const maxConflicts = 10

// Cancel asks for an operation to be canceled. What Azure has begun goes on.
// Canceling an ended operation changes nothing.
func (e *Engine) Cancel(ctx context.Context, id string) (operation.Operation, error) {
	return e.setFlag(ctx, id, "cancel requested", func(op *operation.Operation) bool {
		was := op.CancelRequested
		op.CancelRequested = true
		return !was
	})
}

// Pause keeps an operation from making calls until Resume. A call whose answer
// is still unknown is looked for first.
func (e *Engine) Pause(ctx context.Context, id string) (operation.Operation, error) {
	return e.setFlag(ctx, id, "paused", func(op *operation.Operation) bool {
		was := op.Paused
		op.Paused = true
		return !was
	})
}

// Resume lets a paused operation go on.
func (e *Engine) Resume(ctx context.Context, id string) (operation.Operation, error) {
	return e.setFlag(ctx, id, "resumed", func(op *operation.Operation) bool {
		was := op.Paused
		op.Paused = false
		return was
	})
}

// setFlag saves a flag at the operation's current seq and wakes it. Flags are
// merged by whoever is saving the operation at the same moment.
func (e *Engine) setFlag(ctx context.Context, id, what string, set func(*operation.Operation) bool) (operation.Operation, error) {
	op, err := e.change(ctx, id, func(row Row) (operation.Operation, operation.Event, bool, error) {
		op := row.Operation
		if op.Status.Terminal() || !set(&op) {
			return op, operation.Event{}, false, nil
		}
		now := e.cfg.Now()
		op.WriteID, op.UpdatedAt = e.cfg.NewID(), now
		return op, operation.Event{Seq: op.Seq, At: now, Step: op.Step, Status: op.Status, What: what, DueAt: op.DueAt, WriteID: op.WriteID}, true, nil
	})
	if err != nil || op.Status.Terminal() || op.Paused && !op.CancelRequested {
		return op, err
	}
	// The flag may have been set by someone who died before this message: it
	// is sent again.
	due := e.cfg.Now()
	if !op.CancelRequested && op.DueAt.After(due) {
		due = op.DueAt
	}
	if err := e.cfg.Queue.Send(ctx, WakeMessage(op, due, "flag:"+e.cfg.NewID(), op.TraceParent)); err != nil {
		return op, fmt.Errorf("wake operation %s: %w", id, err)
	}
	return op, nil
}

// ErrNotRetriable says that an operation is not in a state to be retried.
var ErrNotRetriable = errors.New("only a failed, timed-out or parked operation can be retried")

// Retry sets a failed, timed-out or parked operation going again at the step
// where it stopped, with as much time as it had at first.
func (e *Engine) Retry(ctx context.Context, id string) (operation.Operation, error) {
	op, err := e.change(ctx, id, func(row Row) (operation.Operation, operation.Event, bool, error) {
		next, ev, err := row.Operation.Retried(operation.Input{Now: e.cfg.Now(), Waits: e.cfg.Waits, Jitter: e.cfg.Jitter(), WriteID: e.cfg.NewID()})
		if err != nil {
			return row.Operation, ev, false, fmt.Errorf("operation %s is %s: %w", id, row.Operation.Status, ErrNotRetriable)
		}
		next = next.QueueStarted(e.broadcasts())
		return next, ev, true, e.cfg.Store.Reopen(ctx, id, row.Operation.CreatedAt)
	})
	if err != nil {
		return op, err
	}
	if err := e.cfg.Queue.Send(ctx, StepMessage(op, op.TraceParent)); err != nil {
		return op, fmt.Errorf("wake operation %s: %w", id, err)
	}
	return op, nil
}

// change loads an operation, changes it and saves it, again when others saved
// first. A save that was refused or not answered may have been made all the
// same: its write id on the row tells.
func (e *Engine) change(ctx context.Context, id string, how func(Row) (operation.Operation, operation.Event, bool, error)) (operation.Operation, error) {
	var failed error
	written := ""
	for range maxConflicts {
		row, err := e.cfg.Store.Load(ctx, id)
		if err != nil {
			return operation.Operation{}, fmt.Errorf("load operation %s: %w", id, errors.Join(err, failed))
		}
		if failed != nil && row.Operation.WriteID == written {
			return row.Operation, nil
		}
		op, ev, save, err := how(row)
		if err != nil || !save {
			return op, err
		}
		if _, failed = e.cfg.Store.Save(ctx, row.With(op), ev); failed == nil {
			return op, nil
		}
		if errors.Is(failed, ErrTooLarge) {
			return op, fmt.Errorf("save operation %s: %w", id, failed)
		}
		written = op.WriteID
		if err := e.cfg.Sleep(ctx, time.Duration(1+e.cfg.Jitter()*float64(100*time.Millisecond))); err != nil {
			return op, fmt.Errorf("save operation %s: %w", id, errors.Join(err, failed))
		}
	}
	return operation.Operation{}, fmt.Errorf("save operation %s: %w", id, failed)
}

// Check says whether a request could be started, as Start would.
func (e *Engine) Check(r request.Request) error {
	_, err := e.Prepare(r)
	return err
}
