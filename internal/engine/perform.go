package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// perform performs one command of a Machine.
func (e *Engine) perform(ctx context.Context, log *slog.Logger, id string, cmd Command) Result {
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
		return Result{Row: row, Storage: storageResult(ctx, log, cmd.Action, err)}
	case Save:
		return e.save(work, log, cmd)
	case Lock:
		locked, err := e.lock(work, log, cmd.Row.Operation, cmd.Item)
		return Result{Locked: locked, Storage: storageResult(ctx, log, cmd.Action, err)}
	case Run, Reconcile:
		call, cancel := context.WithDeadline(ctx, deadline.Add(-reservedForSending-reservedForSaving))
		defer cancel()
		return e.call(call, cmd)
	case Send:
		return Result{Storage: storageResult(ctx, log, cmd.Action, e.cfg.Queue.Send(ctx, cmd.Message))}
	case SendNotice:
		return Result{Storage: storageResult(ctx, log, cmd.Action, e.cfg.Notifier.Notify(work, cmd.Row.Operation, cmd.Notice))}
	case Finalize:
		return Result{Storage: storageResult(ctx, log, cmd.Action, e.cfg.Store.Finalize(work, cmd.Row))}
	case Acknowledge, Abandon:
	}
	return Result{}
}

// save writes row and event and logs one line for each save.
func (e *Engine) save(ctx context.Context, log *slog.Logger, cmd Command) Result {
	etag, err := e.cfg.Store.Save(ctx, cmd.Row, cmd.Event)
	res := Result{Row: Row{ETag: etag}, Storage: storageResult(ctx, log, cmd.Action, err)}
	if res.Storage == OK {
		logSaved(ctx, log, cmd)
	}
	if res.Storage == TooLarge {
		res.Err = &operation.Error{Code: "TooLarge", Class: operation.Fatal, Message: err.Error()}
	}
	return res
}

// storageResult returns the result for an error of the store, the queue or the
// notifier.
func storageResult(ctx context.Context, log *slog.Logger, a Action, err error) StorageResult {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrNotFound):
		return NotFound
	case errors.Is(err, ErrConflict):
		return Conflict
	case errors.Is(err, ErrTooLarge):
		log.ErrorContext(ctx, "row too large", "action", string(a), "error", err)
		return TooLarge
	case operation.IsUnreadable(err):
		// A newer version of the app may be able to read it, so the message is
		// retried.
		log.ErrorContext(ctx, "stored record unreadable", "action", string(a), "error", err)
		return Unavailable
	}
	log.WarnContext(ctx, "dependency unavailable", "action", string(a), "error", err)
	return Unavailable
}

// logSaved logs a save. A re-check that found nothing new is logged at DEBUG: an
// operation can make a hundred of them, and each ingested line costs money.
func logSaved(ctx context.Context, log *slog.Logger, cmd Command) {
	op, level := cmd.Row.Operation, slog.LevelInfo
	if cmd.Unchanged {
		level = slog.LevelDebug
	}
	attrs := []any{"flow", op.Flow, "step", op.Step, "to", op.Seq, "status", string(op.Status), "what", cmd.Event.What}
	if !op.DueAt.IsZero() {
		attrs = append(attrs, "due", op.DueAt)
	}
	if op.LastError != nil {
		attrs = append(attrs, "code", op.LastError.Code, "class", string(op.LastError.Class))
	}
	log.Log(ctx, level, "operation saved", attrs...)
}

// call makes the current step's ARM call, or reconciles an unanswered one.
func (e *Engine) call(ctx context.Context, cmd Command) (res Result) {
	op := cmd.Row.Operation
	flow, _ := e.cfg.Flows.Find(op.Flow, op.Version)
	s, _ := flow.Step(op.Step)
	recorder := &step.Recorder{}
	defer func() {
		if p := recover(); p != nil {
			res = Result{Panicked: true, Err: panicError(op.Step, p)}
		}
		res.Exchanges = recorder.Exchanges()
	}()
	now := e.cfg.Now()
	c := step.Call{Operation: op, Now: now, AttemptID: cmd.AttemptID, Priority: priorityOf(flow, op), Recorder: recorder}
	if cmd.Action == Reconcile {
		reconciliation, err := s.Reconcile(ctx, c)
		return withError(Result{Reconciliation: reconciliation}, err)
	}
	if !cmd.NotAfter.IsZero() && !now.Before(cmd.NotAfter) {
		return Result{TooLate: true}
	}
	outcome, err := s.Run(ctx, c)
	return withError(Result{Outcome: outcome}, err)
}

// priorityOf returns the priority of an operation's calls: that of its flow, or
// PriorityFollow while Azure works for it, whichever is higher.
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

// withError adds the error of a step to its result.
func withError(res Result, err error) Result {
	if errors.As(err, &res.Deferral) {
		return res
	}
	res.Err = asError(err)
	return res
}

// asError returns err as an *operation.Error. Unclassified errors are treated as
// transient and ambiguous.
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

// panicError returns the error for a panic of a step. It must be called while
// the panic is recovered, because it includes the stack.
func panicError(step string, p any) *operation.Error {
	return &operation.Error{
		Code: "Panic", Class: operation.Fatal,
		Message:           fmt.Sprintf("step %s panicked: %v\n%s", step, p, debug.Stack()),
		RecommendedAction: []string{"This is a bug of azbackupflow. Report it with the message above. Retry the operation after the bug is fixed."},
	}
}
