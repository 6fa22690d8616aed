package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// KeyConflict is the error for a request whose key belongs to an operation with
// other parameters.
type KeyConflict struct {
	ID, Flow, Key string
	// Status is that of the operation.
	Status operation.Status
}

// Error names the operation that has the key.
func (e *KeyConflict) Error() string {
	return fmt.Sprintf("key %q of flow %s belongs to operation %s, which has other parameters and is %s; use another key, or the same parameters", e.Key, e.Flow, e.ID, e.Status)
}

// Origin describes where a request came from.
type Origin struct {
	// TraceParent is the request's W3C trace context, ReplyTo the queue for
	// answers, MessageID the ID of the message that carried it.
	TraceParent, ReplyTo, MessageID string
	// Cause holds who sent the request, and why. Bulk is the key of the bulk that the
	// request is a target of.
	Cause operation.Cause
	Bulk  string
	// NotBefore delays the first step and the deadline. Zero means no delay. It
	// is not part of the request: the first start decides.
	NotBefore time.Time
}

// Start creates the operation for a request and sends its first message. If the
// operation already exists, Start returns it, and created is false. An operation
// that failed before it changed anything in Azure starts again with a request
// that has other parameters; created is then true. Errors that
// the sender can correct are *step.Invalid and *KeyConflict. After any other
// error, Start may be repeated.
func (e *Engine) Start(ctx context.Context, r request.Request, from Origin) (op operation.Operation, created bool, err error) {
	op, err = e.Prepare(r)
	if err != nil {
		return e.existing(ctx, r, err)
	}
	op.TraceParent, op.ReplyTo, op.RequestID, op.Cause, op.Bulk = from.TraceParent, from.ReplyTo, from.MessageID, from.Cause, from.Bulk
	op = op.QueueStarted(e.cfg.Notifier.Broadcasts())
	if wait := from.NotBefore.Sub(op.DueAt); wait > 0 {
		op.DueAt, op.Deadline = from.NotBefore, op.Deadline.Add(wait)
	}
	var accepted func()
	op.TraceParent, accepted = e.cfg.StartTrace(ctx, op)
	ev := operation.Event{Seq: op.Seq, At: op.CreatedAt, Step: op.Step, Status: op.Status, What: "accepted", DueAt: op.DueAt, WriteID: op.WriteID}.With(from.Cause)
	row, created, err := e.cfg.Store.Create(ctx, op, ev)
	if err != nil {
		return op, false, fmt.Errorf("start: %w", err)
	}
	stored := row.Operation
	if stored.RequestHash != op.RequestHash && !stored.Replaced(op.RequestHash) {
		if stored, created, err = e.restart(ctx, op); err != nil {
			return stored, false, err
		}
	}
	if created {
		accepted()
	}
	return e.sendFirst(ctx, stored, created)
}

// restart starts an existing operation again with a corrected request, under the
// row's ETag. corrected is the operation that the request would create. The error
// is *KeyConflict if the operation cannot start again. created is false if another
// process has done so with the same request.
func (e *Engine) restart(ctx context.Context, corrected operation.Operation) (op operation.Operation, created bool, err error) {
	written := ""
	op, err = e.change(ctx, corrected.ID, func(row Row) (operation.Operation, operation.Event, bool, error) {
		stored := row.Operation
		if stored.RequestHash == corrected.RequestHash || stored.Replaced(corrected.RequestHash) {
			return stored, operation.Event{}, false, nil
		}
		flow, _ := e.cfg.Flows.Find(stored.Flow, stored.Version)
		s, known := flow.Step(stored.Step)
		if !stored.Restartable(known && s.Effect == step.Read) {
			return stored, operation.Event{}, false, &KeyConflict{ID: stored.ID, Flow: stored.Flow, Key: stored.Key, Status: stored.Status}
		}
		next, ev := stored.Restarted(corrected, e.input())
		next = next.QueueStarted(e.cfg.Notifier.Broadcasts())
		written = next.WriteID
		if err := e.cfg.Store.Relabel(ctx, stored, next); err != nil {
			return next, ev, false, err
		}
		return next, ev, true, e.cfg.Store.Reopen(ctx, stored.ID, stored.CreatedAt)
	})
	return op, err == nil && written != "" && op.WriteID == written, err
}

// sendFirst sends the first message of an operation at its first seq, or at the
// first of its round. If another
// process created the operation, that process may have died before it sent the
// message.
func (e *Engine) sendFirst(ctx context.Context, op operation.Operation, created bool) (operation.Operation, bool, error) {
	if op.Status != operation.Pending || op.Seq > 1 && op.Round == 0 {
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

// Prepare validates a request and returns the operation that Start would create.
func (e *Engine) Prepare(r request.Request) (operation.Operation, error) {
	form := r.Check()
	flow, ok := e.cfg.Flows.Newest(r.Flow)
	if !ok {
		return operation.Operation{}, step.JoinInvalid(form, &step.Invalid{Fields: []step.FieldError{{
			Field: "flow", Problem: fmt.Sprintf("%q is not a flow", r.Flow),
			Want: "one of " + strings.Join(e.cfg.Flows.Names(), ", "),
		}}})
	}
	parameters, err := flow.Check(r.Parameters)
	if err = step.JoinInvalid(form, err); err != nil {
		return operation.Operation{}, fmt.Errorf("flow %s: %w", flow.Name, err)
	}
	hash, err := operation.HashParameters(parameters)
	if err != nil {
		return operation.Operation{}, err
	}
	timeout, err := r.Timeout()
	if err != nil {
		return operation.Operation{}, err
	}
	if timeout == 0 {
		timeout = flow.Deadline
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
		AzureState: operation.AzureState{OnlyRead: true},
		Progress: operation.Progress{
			Status: operation.Pending, Step: flow.Steps[0].Name, Seq: 1,
			WriteID: e.cfg.NewID(), DueAt: now, Deadline: now.Add(timeout),
			UpdatedAt: now, StepStartedAt: now,
		},
	}, nil
}

// Check returns the error that Start would return for an invalid request.
func (e *Engine) Check(r request.Request) error {
	_, err := e.Prepare(r)
	return err
}
