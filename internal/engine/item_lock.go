package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Locked is the result of an attempt to acquire an item's lock.
type Locked struct {
	Result operation.LockResult
	// Holder is the operation that holds the lock; empty if the lock cannot be
	// read.
	Holder string
}

// waitingFor describes what an operation waits for that does not get the lock.
func (l Locked) waitingFor() string {
	if l.Holder == "" {
		return "a lock whose row cannot be read"
	}
	return "operation " + l.Holder
}

// lock acquires the lock of an item for an operation. It loads the lock before
// its holder: if the holder is retried in between, it acquires its lock again,
// and the save below fails. A lock or a holder that cannot be read holds the lock,
// because Azure may still work for it.
func (e *Engine) lock(ctx context.Context, log *slog.Logger, op operation.Operation, item string) (Locked, error) {
	if e.cfg.Locks == nil {
		return Locked{Result: operation.LockOwned}, nil
	}
	for range maxConflicts {
		lock, etag, err := e.cfg.Locks.LoadItemLock(ctx, item)
		if operation.IsUnreadable(err) {
			log.ErrorContext(ctx, "item lock unreadable", "item", item, "error", err)
			return Locked{Result: operation.LockHeld}, nil
		}
		if err != nil {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
		released := false
		if lock.HeldByOther(op) {
			holder, err := e.cfg.Store.Load(ctx, lock.Holder)
			if operation.IsUnreadable(err) {
				log.ErrorContext(ctx, "holder of item lock unreadable", "item", item, "holder", lock.Holder, "error", err)
				return Locked{Result: operation.LockHeld, Holder: lock.Holder}, nil
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Locked{}, fmt.Errorf("lock item %s: load the holder: %w", item, err)
			}
			released = err != nil || holder.Operation.ReleasesLock(e.cfg.Waits, e.cfg.Now())
		}
		next, result := lock.Acquire(op, item, released, e.cfg.StartsPerItem, e.cfg.Now())
		if result != operation.LockFree {
			return Locked{Result: result, Holder: lock.Holder}, nil
		}
		err = e.cfg.Locks.SaveItemLock(ctx, next, etag)
		if err == nil {
			return Locked{Result: operation.LockOwned}, nil
		}
		if !errors.Is(err, ErrConflict) {
			return Locked{}, fmt.Errorf("lock item %s: %w", item, err)
		}
	}
	return Locked{}, fmt.Errorf("lock item %s: too many concurrent writers", item)
}

// neededLock returns the protected item whose lock the step needs. It is empty
// if the step needs none, or if the operation already has it.
func (m Machine) neededLock(flow step.Flow, s step.Step) string {
	op := m.Row.Operation
	key := flow.Item
	if flow.Lock != nil {
		key = flow.Lock
	}
	if key == nil || s.Effect == step.Read || op.Claim != nil || op.LockedItem != "" || m.LockedItem != "" {
		return ""
	}
	return key(op)
}

// lockItem acquires the item's lock before the first call that changes anything.
func (m Machine) lockItem(item string) (Machine, Command) {
	m.Phase, m.Item = locking, item
	return m, Command{Action: Lock, Row: m.Row, Item: item}
}

// locked continues after the attempt to acquire the lock.
func (m Machine) locked(env Env, r Result) (Machine, Command) {
	if r.Storage != OK {
		return m.snooze(env)
	}
	op, in := m.Row.Operation, m.stepInput(env)
	switch r.Locked.Result {
	case operation.LockHeld:
		flow, _ := env.Flow(op.Flow, op.Version)
		return m.saveStep(op.Answered(flow.Plan(), operation.Outcome{
			Kind: operation.Wait, Note: r.Locked.waitingFor(), Pace: operation.PaceJob,
		}, in))
	case operation.LockLimitReached:
		return m.saveStep(op.StepFailed(&operation.Error{
			Code: "TooManyStarts", Class: operation.Fatal,
			Message: fmt.Sprintf("too many operations have begun on item %s today", m.Item),
			RecommendedAction: []string{
				"Find out who starts them: azbackupflow list shows the operations. Send the request again after midnight UTC, or raise the setting AZBACKUPFLOW_STARTS_PER_ITEM.",
			},
		}, in))
	case operation.LockOwned, operation.LockFree:
	}
	m.LockedItem = m.Item
	return m.proceed(env)
}
