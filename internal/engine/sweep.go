package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
)

// SweepResult counts the operations of one sweep.
type SweepResult struct {
	// Live counts operations that have not been finalized. Parked counts those
	// of them that wait for an operator.
	Live   int `json:"live"`
	Parked int `json:"parked"`
	// Overdue counts operations whose message did not arrive. The sweep sent a
	// rescue to each.
	Overdue int `json:"overdue"`
	// PendingNotices counts operations with a notice that was not sent yet.
	PendingNotices int `json:"pendingNotices"`
	// Finalized counts ended operations that the sweep finalized.
	Finalized int `json:"finalized"`
	// Failed counts operations that could not be checked. Skipped counts those
	// for which there was no time.
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// Unreadable counts live markers and operations whose rows cannot be read.
	Unreadable int `json:"unreadable"`
}

func (s *SweepResult) add(one SweepResult) {
	s.Parked += one.Parked
	s.Overdue += one.Overdue
	s.PendingNotices += one.PendingNotices
	s.Finalized += one.Finalized
	s.Failed += one.Failed
	s.Skipped += one.Skipped
	s.Unreadable += one.Unreadable
}

// Limits of one sweep. The invocation has two minutes, and needs some of them
// after the sweep.
const (
	maxConcurrentSweeps = 16
	MaxSweepTime        = 75 * time.Second
)

// Sweep checks every live operation. It wakes operations whose message did not
// arrive or whose notices are pending, and finalizes ended operations. It never
// writes a row, and its cost grows with live operations only. It begins at a
// random place of the list, so that operations that one sweep skips come early
// in another. It continues after the failure of one operation. If the list
// breaks off, Sweep checks the operations that were listed and returns an error.
func (e *Engine) Sweep(ctx context.Context) (SweepResult, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxSweepTime)
	defer cancel()
	var all []LiveMarker
	var broken error
	unreadable := 0
	for live, err := range e.cfg.Store.ListLive(ctx) {
		if operation.IsUnreadable(err) {
			unreadable++
			e.cfg.Log.ErrorContext(ctx, "live marker unreadable", "error", err)
			continue
		}
		if err != nil {
			broken = fmt.Errorf("list live operations: %w", err)
			break
		}
		all = append(all, live)
	}
	s := SweepResult{Live: len(all), Unreadable: unreadable}
	first := int(e.cfg.Jitter() * float64(len(all)))
	var mu sync.Mutex
	group := parallel.New()
	group.SetLimit(maxConcurrentSweeps)
	for n := range all {
		live := all[(first+n)%len(all)]
		group.Go(func() error {
			one := e.sweepOrSkip(ctx, live)
			mu.Lock()
			defer mu.Unlock()
			s.add(one)
			return nil
		})
	}
	panicked := group.Wait() // other errors are counted
	e.cfg.Log.InfoContext(ctx, "sweep done", "live", s.Live, "parked", s.Parked, "overdue", s.Overdue,
		"pendingNotices", s.PendingNotices, "finalized", s.Finalized, "failed", s.Failed, "skipped", s.Skipped, "unreadable", s.Unreadable)
	return s, errors.Join(broken, panicked)
}

// sweepOrSkip checks one operation, unless the time is up.
func (e *Engine) sweepOrSkip(ctx context.Context, live LiveMarker) SweepResult {
	if ctx.Err() != nil {
		return SweepResult{Skipped: 1}
	}
	one, err := e.sweepOne(ctx, live)
	if operation.IsUnreadable(err) {
		e.cfg.Log.ErrorContext(ctx, "operation unreadable", "op", live.ID, "error", err)
		return SweepResult{Unreadable: 1}
	}
	if err != nil {
		one.Failed++
		e.cfg.Log.WarnContext(ctx, "sweep of an operation failed", "op", live.ID, "error", err)
	}
	return one
}

func (e *Engine) sweepOne(ctx context.Context, live LiveMarker) (one SweepResult, err error) {
	now := e.cfg.Now()
	row, err := e.cfg.Store.Load(ctx, live.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		// The marker is written before the row. Its writer may still be
		// running.
		if now.Sub(live.CreatedAt) < max(e.cfg.Waits.Overdue, maxRunTime) {
			return one, nil
		}
		one.Finalized++
		return one, e.cfg.Store.FinalizeByID(ctx, live.ID)
	case err != nil:
		return one, err
	}
	op := row.Operation
	if op.ReadyToFinalize() {
		one.Finalized++
		return one, e.cfg.Store.FinalizeByID(ctx, live.ID)
	}
	if op.Status == operation.Parked {
		one.Parked++
	}
	log := e.cfg.Log.With("op", op.ID, "flow", op.Flow, "step", op.Step, "seq", op.Seq)
	if len(op.PendingNotices) > 0 {
		one.PendingNotices++
		// An operation with something to run sends its notices then.
		if number, overdue := op.OverdueNotice(now, e.cfg.Waits); overdue && op.Idle(now) {
			log.WarnContext(ctx, "notice pending", "kind", string(op.PendingNotices[0].Kind))
			return one, e.cfg.Queue.Send(ctx, NoticeMessage(op, number, now, op.TraceParent))
		}
	}
	rescue, overdue := op.Overdue(now, e.cfg.Waits)
	if !overdue {
		return one, nil
	}
	one.Overdue++
	log.WarnContext(ctx, "operation overdue", "due", op.DueAt, "rescue", rescue)
	return one, e.cfg.Queue.Send(ctx, RescueMessage(op, rescue, now, op.TraceParent))
}
