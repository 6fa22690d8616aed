package engine

import (
	"context"
	"errors"

	"azbackupflow/internal/operation"
)

// WakeDeadLettered handles a wake-up from the dead-letter queue. If its operation
// still waits at that seq, WakeDeadLettered wakes it like the sweep, later each
// time, so that a deployment that fails for an hour parks nothing. After an error
// the wake-up must stay in the dead-letter queue.
func (e *Engine) WakeDeadLettered(ctx context.Context, w operation.Wakeup) error {
	row, err := e.cfg.Store.Load(ctx, w.OperationID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	op := row.Operation
	log := e.cfg.Log.With("op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq)
	switch {
	case op.Status.Terminal() && len(op.PendingNotices) > 0:
		return e.cfg.Queue.Send(ctx, WakeMessage(op, e.cfg.Now().Add(e.cfg.Waits.Overdue), "notice:"+e.cfg.NewID(), w.TraceParent))
	case op.Status.Terminal():
		if err := e.cfg.Store.Finalize(ctx, row); err != nil {
			log.WarnContext(ctx, "finalizing failed; the sweep retries it", "error", err)
		}
		return nil
	case w.Seq < op.Seq-1 || w.Seq > op.Seq:
		log.InfoContext(ctx, "stale dead-lettered wake-up dropped", "wakeup", w.Seq)
		return nil
	case w.Seq == op.Seq-1:
		// Its delivery may have died between save and send.
		return e.cfg.Queue.Send(ctx, StepMessage(op, w.TraceParent))
	}
	due := e.cfg.Now().Add(e.cfg.Waits.Overdue << op.Rescues)
	// The sweep may send a wake-up at that time, too. Both have the same name,
	// so that they count as one rescue.
	rescue, _ := op.Overdue(due, e.cfg.Waits)
	log.WarnContext(ctx, "wake-up dead-lettered; operation is woken later", "due", due, "rescues", op.Rescues)
	return e.cfg.Queue.Send(ctx, RescueMessage(op, max(rescue, 1), due, w.TraceParent))
}
