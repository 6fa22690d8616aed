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
	LoadItemLock(ctx context.Context, item string) (lock operation.ItemLock, etag string, err error)
	// SaveItemLock writes a lock over the one of the ETag, or where there is
	// none for an empty one; ErrChanged if it was changed. After any other
	// error it may or may not have been written.
	SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error
}

// Locked is what came of the attempt to take an item's lock.
type Locked struct {
	Result operation.LockResult
	// Holder is the operation that has it, where it is held.
	Holder string
}

// lock takes the lock of an item for an operation. The lock is read before its
// holder: a holder that is retried in between takes its lock anew, and then the
// save here fails.
func (e *Engine) lock(ctx context.Context, op operation.Operation, item string) (Locked, error) {
	if e.cfg.Locks == nil {
		return Locked{Result: operation.LockOwned}, nil
	}
	for range maxConflicts {
		lock, etag, err := e.cfg.Locks.LoadItemLock(ctx, item)
		if err != nil {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
		over := false
		if lock.HeldByOther(op) {
			holder, err := e.cfg.Store.Load(ctx, lock.Holder)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
			}
			over = err != nil || holder.Operation.ReleasesLock(e.cfg.Waits, e.cfg.Now())
		}
		next, verdict := lock.Acquire(op, item, over, e.cfg.StartsPerItem, e.cfg.Now())
		if verdict != operation.LockFree {
			return Locked{Result: verdict, Holder: lock.Holder}, nil
		}
		err = e.cfg.Locks.SaveItemLock(ctx, next, etag)
		if err == nil {
			return Locked{Result: operation.LockOwned}, nil
		}
		if !errors.Is(err, ErrConflict) {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
	}
	return Locked{}, fmt.Errorf("lock item %s: too many want it at once", item)
}

// item gives the protected item whose lock is needed for the step, empty if
// none is, or it is there already.
func (i Machine) neededLock(flow step.Flow, s step.Step) string {
	op := i.Row.Operation
	if flow.Item == nil || s.Effect == step.Read || op.Claim != nil || op.LockedItem != "" || i.LockedItem != "" {
		return ""
	}
	return flow.Item(op)
}

// takeLock takes the item's lock before the first call that changes anything.
func (i Machine) lockItem(item string) (Machine, Command) {
	i.Phase, i.Item = locking, item
	return i, Command{Action: Lock, Row: i.Row, Item: item}
}

// locked goes on after the attempt to take the lock.
func (i Machine) locked(env Env, r Result) (Machine, Command) {
	if r.Storage != OK {
		return i.snooze(env)
	}
	op, in := i.Row.Operation, i.input(env)
	switch r.Locked.Result {
	case operation.LockHeld:
		flow, _ := env.Flow(op.Flow, op.Version)
		return i.saveStep(op.Answered(flow.Plan(), operation.Outcome{
			Kind: operation.Wait, Note: "operation " + r.Locked.Holder, Pace: operation.PaceJob,
		}, in))
	case operation.LockLimitReached:
		return i.saveStep(op.StepFailed(&operation.Error{
			Code: "TooManyStarts", Class: operation.Fatal,
			Message:           "as many operations as are allowed have begun on this item today: " + i.Item,
			RecommendedAction: []string{"Find out who starts so many: azbackupflow list shows them. Ask again after midnight UTC, or raise the setting AZBACKUPFLOW_STARTS_PER_ITEM."},
		}, in))
	case operation.LockOwned, operation.LockFree:
	}
	i.LockedItem = i.Item
	return i.proceed(env)
}
