package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/operation"
)

// Swept is what one sweep found.
type SweepResult struct {
	// Live counts operations that have not been closed, Parked those of them
	// that wait for a person.
	Live   int `json:"live"`
	Parked int `json:"parked"`
	// Overdue counts operations whose message did not come; each was sent a
	// rescue.
	Overdue int `json:"overdue"`
	// Owed counts operations of which a notice was not sent yet.
	PendingNotices int `json:"pendingNotices"`
	// Closed counts ended operations whose indexes were brought up to date.
	Finalized int `json:"finalized"`
	// Failed counts operations that could not be looked at this time, Left
	// those for which there was no time.
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

func (s *SweepResult) add(one SweepResult) {
	s.Parked += one.Parked
	s.Overdue += one.Overdue
	s.PendingNotices += one.PendingNotices
	s.Finalized += one.Finalized
	s.Failed += one.Failed
	s.Skipped += one.Skipped
}

// Bounds of one sweep: how many operations are looked at at once, and how long
// it goes on. An invocation has two minutes, and what follows in it needs some.
const (
	maxConcurrentSweeps = 16
	MaxSweepTime        = 75 * time.Second
)

// Sweep looks at every live operation: it wakes those whose message did not
// come or which owe a notice, and closes those whose end was not settled. It
// never writes a row, and its cost grows with live operations only. It begins
// anywhere in the list: what one sweep has no time for comes early in another.
// It goes on where one operation cannot be looked at, and returns an error when
// the list itself breaks off; what was listed until then is looked at all the
// same.
func (e *Engine) Sweep(ctx context.Context) (SweepResult, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxSweepTime)
	defer cancel()
	var all []LiveMarker
	var broken error
	for live, err := range e.cfg.Store.ListLive(ctx) {
		if err != nil {
			broken = fmt.Errorf("list live operations: %w", err)
			break
		}
		all = append(all, live)
	}
	s := SweepResult{Live: len(all)}
	first := int(e.cfg.Jitter() * float64(len(all)))
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(maxConcurrentSweeps)
	for n := range all {
		live := all[(first+n)%len(all)]
		group.Go(func() error {
			one := e.sweepOrLeave(ctx, live)
			mu.Lock()
			defer mu.Unlock()
			s.add(one)
			return nil
		})
	}
	_ = group.Wait() // nobody gives an error: each is counted
	e.cfg.Log.InfoContext(ctx, "swept", "live", s.Live, "parked", s.Parked, "overdue", s.Overdue,
		"pendingNotices", s.PendingNotices, "finalized", s.Finalized, "failed", s.Failed, "skipped", s.Skipped)
	return s, broken
}

// sweepOrLeave looks at one operation, unless the sweep's time is over.
func (e *Engine) sweepOrLeave(ctx context.Context, live LiveMarker) SweepResult {
	if ctx.Err() != nil {
		return SweepResult{Skipped: 1}
	}
	one, err := e.sweepOne(ctx, live)
	if err != nil {
		one.Failed++
		e.cfg.Log.WarnContext(ctx, "sweep could not look at an operation", "op", live.ID, "error", err)
	}
	return one
}

func (e *Engine) sweepOne(ctx context.Context, live LiveMarker) (one SweepResult, err error) {
	now := e.cfg.Now()
	row, err := e.cfg.Store.Load(ctx, live.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		// The marker is written before the row: give its writer time.
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
		// One that has something to run sends its notices then.
		if wake, overdue := op.OverdueNotice(now, e.cfg.Waits); overdue && op.Idle(now) {
			log.WarnContext(ctx, "a notice is owed, waking its operation", "kind", string(op.PendingNotices[0].Kind))
			return one, e.cfg.Queue.Send(ctx, NoticeMessage(op, wake, now, op.TraceParent))
		}
	}
	rescue, overdue := op.Overdue(now, e.cfg.Waits)
	if !overdue {
		return one, nil
	}
	one.Overdue++
	log.WarnContext(ctx, "operation is overdue, waking it", "due", op.DueAt, "rescue", rescue)
	return one, e.cfg.Queue.Send(ctx, RescueMessage(op, rescue, now, op.TraceParent))
}

// NoticeMessage is the wake-up that the sweep sends to an operation that has
// nothing to run but owes a notice. The same wake-up has the same message id,
// however many sweeps send it.
func NoticeMessage(op operation.Operation, wake int, due time.Time, trace string) Message {
	return WakeMessage(op, due, fmt.Sprintf("notice-%d", wake), trace)
}
