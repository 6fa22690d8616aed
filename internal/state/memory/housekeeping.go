package memory

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// lockRow is the lock of an item as it is kept.
type lockRow struct {
	lock operation.ItemLock
	etag string
}

// ItemLock implements engine.Locks.
func (s *Store) LoadItemLock(ctx context.Context, item string) (operation.ItemLock, string, error) {
	if err := ctx.Err(); err != nil {
		return operation.ItemLock{}, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.locks[item]
	return r.lock, r.etag, nil
}

// SaveItemLock implements engine.Locks.
func (s *Store) SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[lock.Item].etag != etag {
		return fmt.Errorf("save the lock of %s: %w", lock.Item, engine.ErrConflict)
	}
	s.locks[lock.Item] = lockRow{lock, s.etag()}
	return nil
}

// Expire removes what is older than the time; see state.Store.Expire.
func (s *Store) Expire(ctx context.Context, before time.Time, most int) (done state.Expired, err error) {
	if err := ctx.Err(); err != nil {
		return done, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.rows {
		loaded, err := r.load()
		if err != nil {
			return done, err
		}
		if op := loaded.Operation; done.Operations < most && op.ReadyToFinalize() && op.EndedAt.Before(before) {
			delete(s.rows, id)
			done.Operations++
		}
	}
	done.Rejected = s.purgeRejected(before, most)
	for item, r := range s.locks {
		if _, there := s.rows[r.lock.Holder]; done.Locks < most && !there && r.lock.Since.Before(before) {
			delete(s.locks, item)
			done.Locks++
		}
	}
	done.More = done.Operations >= most || done.Rejected >= most || done.Locks >= most
	return done, nil
}
