package memory

import (
	"context"
	"fmt"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// lockRow is a lock with its ETag.
type lockRow struct {
	lock operation.ItemLock
	etag string
}

// LoadItemLock implements engine.Locks.
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
		return fmt.Errorf("save lock of %s: %w", lock.Item, engine.ErrConflict)
	}
	s.locks[lock.Item] = lockRow{lock, s.etag()}
	return nil
}
