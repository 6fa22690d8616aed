package engine

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/operation"
)

// RescueMessage is the wake-up that the sweep sends for the given rescue of the
// operation's current seq. The same rescue has the same message id, however
// many sweeps send it.
func RescueMessage(op operation.Operation, rescue int, due time.Time, trace string) Message {
	name := operation.RescueName(rescue)
	m := WakeMessage(op, due, name, trace)
	m.Wakeup.Rescue = name
	return m
}

// Revive takes a wake-up that ended in the dead-letter queue: its operation, if
// it still waits at that seq, is woken as the sweep would, later each time, so
// that a deployment that was broken for an hour parks nothing. While the table
// is away, the wake-up itself is put off: the dead-letter queue would deliver it
// again at once, for as long as that lasts.
func (e *Engine) WakeDeadLettered(ctx context.Context, w operation.Wakeup) error {
	row, err := e.cfg.Store.Load(ctx, w.OperationID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		e.cfg.Log.WarnContext(ctx, "a dead-lettered wake-up is put off", "op", w.OperationID, "seq", w.Seq, "error", err)
		return e.cfg.Queue.Send(ctx, snoozeMessage(w, e.cfg.Now(), e.cfg.Waits, e.cfg.NewID()))
	}
	op := row.Operation
	log := e.cfg.Log.With("op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq)
	switch {
	case op.Status.Terminal() && len(op.PendingNotices) > 0:
		return e.cfg.Queue.Send(ctx, WakeMessage(op, e.cfg.Now().Add(e.cfg.Waits.Overdue), "notice:"+e.cfg.NewID(), w.TraceParent))
	case op.Status.Terminal():
		if err := e.cfg.Store.Finalize(ctx, row); err != nil {
			log.WarnContext(ctx, "an ended operation could not be settled; the sweep will", "error", err)
		}
		return nil
	case w.Seq < op.Seq-1 || w.Seq > op.Seq:
		log.InfoContext(ctx, "an old dead-lettered wake-up", "wakeup", w.Seq)
		return nil
	case w.Seq == op.Seq-1:
		// It may have died between save and send.
		return e.cfg.Queue.Send(ctx, StepMessage(op, w.TraceParent))
	}
	due := e.cfg.Now().Add(e.cfg.Waits.Overdue << op.Rescues)
	// The sweep may wake it at that time too: one rescue, counted once.
	rescue, _ := op.Overdue(due, e.cfg.Waits)
	log.WarnContext(ctx, "a wake-up was dead-lettered, waking its operation later", "due", due, "rescues", op.Rescues)
	return e.cfg.Queue.Send(ctx, RescueMessage(op, max(rescue, 1), due, w.TraceParent))
}
