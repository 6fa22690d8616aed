package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/operation"
)

// maxConflicts limits how often a save is repeated after other writers saved
// first.
const maxConflicts = 10

// Cancel requests the cancellation of an operation. Work that Azure has begun
// continues unless the flow can cancel it. An ended operation does not change.
func (e *Engine) Cancel(ctx context.Context, id string, by operation.Cause) (operation.Operation, error) {
	return e.setFlag(ctx, id, "cancel requested", by, nil, func(op *operation.Operation) bool {
		if op.CancelRequested {
			return false
		}
		op.CancelRequested, op.CancelCause = true, by
		return true
	})
}

// ErrEnded means that an operation has ended, so that it can be neither paused
// nor resumed.
var ErrEnded = errors.New("the operation has ended; only an operation that has not ended can be paused or resumed")

// Pause stops an operation from making calls until Resume. An unanswered call is
// still reconciled. The error is ErrEnded if the operation has ended.
func (e *Engine) Pause(ctx context.Context, id string, by operation.Cause) (operation.Operation, error) {
	return e.setFlag(ctx, id, "paused", by, ErrEnded, func(op *operation.Operation) bool {
		before := op.Paused
		op.Paused = true
		return !before
	})
}

// Resume lets a paused operation continue. The error is ErrEnded if the operation
// has ended.
func (e *Engine) Resume(ctx context.Context, id string, by operation.Cause) (operation.Operation, error) {
	return e.setFlag(ctx, id, "resumed", by, ErrEnded, func(op *operation.Operation) bool {
		before := op.Paused
		op.Paused = false
		return before
	})
}

// setFlag saves a flag at the operation's current seq and wakes the operation. A
// delivery that saves the operation at the same time merges the flag. ended is
// the error for an operation that has ended; nil if that is none.
func (e *Engine) setFlag(
	ctx context.Context, id, what string, by operation.Cause, ended error, set func(*operation.Operation) (changed bool),
) (operation.Operation, error) {
	op, err := e.change(ctx, id, func(row Row) (operation.Operation, operation.Event, bool, error) {
		op := row.Operation
		if op.Status.Terminal() && ended != nil {
			return op, operation.Event{}, false, fmt.Errorf("operation %s is %s: %w", id, op.Status, ended)
		}
		if op.Status.Terminal() || !set(&op) {
			return op, operation.Event{}, false, nil
		}
		now := e.cfg.Now()
		op.WriteID, op.UpdatedAt = e.cfg.NewID(), now
		if op.Paused != row.Operation.Paused {
			op = op.QueuePaused(by, e.cfg.Notifier.Broadcasts())
		}
		ev := operation.Event{Seq: op.Seq, At: now, Step: op.Step, Status: op.Status, What: what, DueAt: op.DueAt, WriteID: op.WriteID}
		return op, ev.By(by), true, nil
	})
	if err != nil || op.Status.Terminal() || op.Paused && !op.CancelRequested && len(op.PendingNotices) == 0 {
		return op, err
	}
	// The process that set the flag may have died before it sent this message.
	// So the message is sent even if the flag was already set.
	due := e.cfg.Now()
	// A paused operation runs nothing, so its notice is sent now. That of a resumed
	// one is sent with its next step: an earlier wake-up would run the step too.
	if !op.CancelRequested && !op.Paused && op.DueAt.After(due) {
		due = op.DueAt
	}
	if err := e.cfg.Queue.Send(ctx, WakeMessage(op, due, "flag:"+e.cfg.NewID(), op.TraceParent)); err != nil {
		return op, fmt.Errorf("wake operation %s: %w", id, err)
	}
	return op, nil
}

// ErrNotRetriable means that the status of an operation does not allow a retry.
var ErrNotRetriable = errors.New("only a failed, timed-out or parked operation can be retried")

// Retry continues a failed, timed-out or parked operation at the step where it
// stopped, with as much time as it had at first. If nothing happened since the same
// retry, its message is sent again: it may have been lost.
func (e *Engine) Retry(ctx context.Context, id string, by operation.Cause) (operation.Operation, error) {
	op, err := e.change(ctx, id, func(row Row) (operation.Operation, operation.Event, bool, error) {
		if row.Operation.JustRetried(by) {
			return row.Operation, operation.Event{}, false, nil
		}
		next, ev, err := row.Operation.Retried(by, e.input())
		if err != nil {
			return row.Operation, ev, false, fmt.Errorf("operation %s is %s: %w", id, row.Operation.Status, ErrNotRetriable)
		}
		next = next.QueueStarted(e.cfg.Notifier.Broadcasts())
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

// afterFailedSave adds the failure of the save before a load, if there was one. The
// store has named the operation.
func afterFailedSave(err, failed error) error {
	if failed == nil {
		return err
	}
	return fmt.Errorf("%w; the save before it: %w", err, failed)
}

// change loads an operation, changes it and saves it. It repeats this if another
// writer saved first. A save that failed or was not answered may still have
// happened. The write ID on the row shows whether it did.
func (e *Engine) change(ctx context.Context, id string, how func(Row) (operation.Operation, operation.Event, bool, error)) (operation.Operation, error) {
	var failed error
	written := ""
	for range maxConflicts {
		row, err := e.cfg.Store.Load(ctx, id)
		if err != nil {
			return operation.Operation{}, afterFailedSave(err, failed)
		}
		if failed != nil && row.Operation.WriteID == written {
			return row.Operation, nil
		}
		op, ev, save, err := how(row)
		if err != nil || !save {
			return op, err
		}
		ev = ev.After(row.Operation.Step)
		if _, failed = e.cfg.Store.Save(ctx, row.With(op), ev); failed == nil {
			return op, nil
		}
		if errors.Is(failed, ErrTooLarge) {
			return op, fmt.Errorf("change: %w", failed)
		}
		written = op.WriteID
		if err := e.cfg.Sleep(ctx, time.Duration(1+e.cfg.Jitter()*float64(100*time.Millisecond))); err != nil {
			return op, fmt.Errorf("change: %w", errors.Join(err, failed))
		}
	}
	return operation.Operation{}, fmt.Errorf("change: %w", failed)
}

// Validate saves the answer of a validator and wakes the operation. target is what the
// validator looked at; empty if it does not say. The same answer again changes
// nothing. Any other error than one of the store or the queue is one of
// operation.ErrNoValidation, ErrOtherTarget, ErrWindowClosed and ErrAnswered.
func (e *Engine) Validate(ctx context.Context, id string, a operation.ValidationAnswer, target string) (operation.Operation, error) {
	op, err := e.change(ctx, id, func(row Row) (operation.Operation, operation.Event, bool, error) {
		return row.Operation.Validate(a, target, e.input())
	})
	if err != nil || op.Status.Terminal() || op.Paused {
		return op, err
	}
	// As in setFlag, an earlier process may have died before it sent this message.
	if err := e.cfg.Queue.Send(ctx, WakeMessage(op, e.cfg.Now(), "validation:"+e.cfg.NewID(), op.TraceParent)); err != nil {
		return op, fmt.Errorf("wake operation %s: %w", id, err)
	}
	return op, nil
}
