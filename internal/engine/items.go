package engine

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Locks keeps the locks of protected items. Its contract suite is part of
// state/statetest.
type Locks interface {
	// ItemLock reads the lock of an item, and its ETag. Where there is none,
	// both are zero.
	ItemLock(ctx context.Context, item string) (lock operation.ItemLock, etag string, err error)
	// SaveItemLock writes a lock over the one of the ETag, or where there is
	// none for an empty one; ErrChanged if it was changed. After any other
	// error it may or may not have been written.
	SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error
}

// Locked is what came of the attempt to take an item's lock.
type Locked struct {
	Verdict operation.LockVerdict
	// Holder is the operation that has it, where it is held.
	Holder string
}

// lock takes the lock of an item for an operation. The lock is read before its
// holder: a holder that is retried in between takes its lock anew, and then the
// save here fails.
func (e *Engine) lock(ctx context.Context, op operation.Operation, item string) (Locked, error) {
	if e.cfg.Locks == nil {
		return Locked{Verdict: operation.LockIsOurs}, nil
	}
	for range mostContested {
		lock, etag, err := e.cfg.Locks.ItemLock(ctx, item)
		if err != nil {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
		over := false
		if lock.HeldByOther(op) {
			holder, err := e.cfg.Store.Load(ctx, lock.Holder)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
			}
			over = err != nil || holder.Operation.LetsGo(e.cfg.Waits, e.cfg.Clock())
		}
		next, verdict := lock.Acquire(op, item, over, e.cfg.StartsPerItem, e.cfg.Clock())
		if verdict != operation.LockIsFree {
			return Locked{Verdict: verdict, Holder: lock.Holder}, nil
		}
		err = e.cfg.Locks.SaveItemLock(ctx, next, etag)
		if err == nil {
			return Locked{Verdict: operation.LockIsOurs}, nil
		}
		if !errors.Is(err, ErrChanged) {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
	}
	return Locked{}, fmt.Errorf("lock item %s: too many want it at once", item)
}

// item gives the protected item whose lock is needed for the step, empty if
// none is, or it is there already.
func (i Invocation) item(flow step.Flow, s step.Step) string {
	op := i.Row.Operation
	if flow.Item == nil || s.Effect == step.Read || op.Claim != nil || op.LockedItem != "" || i.LockedItem != "" {
		return ""
	}
	return flow.Item(op)
}

// takeLock takes the item's lock before the first call that changes anything.
func (i Invocation) takeLock(item string) (Invocation, Command) {
	i.Phase, i.Item = locking, item
	return i, Command{Action: Lock, Row: i.Row, Item: item}
}

// locked goes on after the attempt to take the lock.
func (i Invocation) locked(env Env, r Result) (Invocation, Command) {
	if r.Reach != Fine {
		return i.snooze(env)
	}
	op, at := i.Row.Operation, i.at(env)
	switch r.Locked.Verdict {
	case operation.LockIsHeld:
		flow, _ := env.Flow(op.Flow, op.Version)
		return i.saveStep(op.Answered(flow.Plan(), operation.Outcome{
			Kind: operation.Wait, Note: "operation " + r.Locked.Holder, Pace: operation.PaceJob,
		}, at))
	case operation.LockIsUsedUp:
		return i.saveStep(op.StepFailed(&operation.Error{
			Code: "TooManyStarts", Class: operation.Fatal,
			Message:           "as many operations as are allowed have begun on this item today: " + i.Item,
			RecommendedAction: []string{"Find out who starts so many: azbackupflow list shows them. Ask again after midnight UTC, or raise the setting AZBACKUPFLOW_STARTS_PER_ITEM."},
		}, at))
	case operation.LockIsOurs, operation.LockIsFree:
	}
	i.LockedItem = i.Item
	return i.proceed(env)
}
