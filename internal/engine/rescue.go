package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/operation"
)

// Swept is what one sweep found.
type Swept struct {
	// Live counts operations that have not been closed, Parked those of them
	// that wait for a person.
	Live   int `json:"live"`
	Parked int `json:"parked"`
	// Overdue counts operations whose message did not come; each was sent a
	// rescue.
	Overdue int `json:"overdue"`
	// Closed counts ended operations whose indexes were brought up to date.
	Closed int `json:"closed"`
	// Failed counts operations that could not be looked at this time.
	Failed int `json:"failed"`
}

// Sweep looks at every live operation: it wakes those whose message did not
// come and closes those whose end was not settled. It never writes a row, and
// its cost grows with live operations only. It goes on where one operation
// cannot be looked at, and returns an error when the list itself breaks off.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	for live, err := range e.cfg.Store.Live(ctx) {
		if err != nil {
			return s, fmt.Errorf("list live operations: %w", err)
		}
		s.Live++
		if err := e.sweepOne(ctx, live, &s); err != nil {
			s.Failed++
			e.cfg.Log.WarnContext(ctx, "sweep could not look at an operation", "op", live.ID, "error", err)
		}
	}
	e.cfg.Log.InfoContext(ctx, "swept", "live", s.Live, "parked", s.Parked, "overdue", s.Overdue, "closed", s.Closed, "failed", s.Failed)
	return s, nil
}

func (e *Engine) sweepOne(ctx context.Context, live Live, s *Swept) error {
	now := e.cfg.Clock()
	row, err := e.cfg.Store.Load(ctx, live.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		// The marker is written before the row: give its writer time.
		if now.Sub(live.CreatedAt) < max(e.cfg.Waits.Overdue, invocationLimit) {
			return nil
		}
		s.Closed++
		return e.cfg.Store.Close(ctx, live.ID)
	case err != nil:
		return err
	}
	op := row.Operation
	if op.Status.Terminal() {
		s.Closed++
		return e.cfg.Store.Close(ctx, live.ID)
	}
	if op.Status == operation.Parked {
		s.Parked++
	}
	rescue, overdue := op.Overdue(now, e.cfg.Waits)
	if !overdue {
		return nil
	}
	s.Overdue++
	e.cfg.Log.WarnContext(ctx, "operation is overdue, waking it", "op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq, "due", op.DueAt, "rescue", rescue)
	return e.cfg.Queue.Send(ctx, RescueMessage(op, rescue, now, op.TraceParent))
}

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
func (e *Engine) Revive(ctx context.Context, w operation.Wakeup) error {
	row, err := e.cfg.Store.Load(ctx, w.OperationID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		e.cfg.Log.WarnContext(ctx, "a dead-lettered wake-up is put off", "op", w.OperationID, "seq", w.Seq, "error", err)
		return e.cfg.Queue.Send(ctx, snoozed(w, e.cfg.Clock(), e.cfg.Waits, e.cfg.NewID()))
	}
	op := row.Operation
	log := e.cfg.Log.With("op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq)
	switch {
	case op.Status.Terminal():
		if err := e.cfg.Store.Close(ctx, op.ID); err != nil {
			log.WarnContext(ctx, "an ended operation could not be settled; the sweep will", "error", err)
		}
		return nil
	case w.Seq < op.Seq-1 || w.Seq > op.Seq:
		log.InfoContext(ctx, "an old dead-lettered wake-up", "wakeup", w.Seq)
		return nil
	case w.Seq == op.Seq-1:
		// It may have died between save and send.
		return e.cfg.Queue.Send(ctx, FirstMessage(op, w.Trace))
	}
	due := e.cfg.Clock().Add(e.cfg.Waits.Overdue << op.Rescues)
	// The sweep may wake it at that time too: one rescue, counted once.
	rescue, _ := op.Overdue(due, e.cfg.Waits)
	log.WarnContext(ctx, "a wake-up was dead-lettered, waking its operation later", "due", due, "rescues", op.Rescues)
	return e.cfg.Queue.Send(ctx, RescueMessage(op, max(rescue, 1), due, w.Trace))
}
