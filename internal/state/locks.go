package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// itemLockRow is the row key of a lock. Its partition is the item.
const itemLockRow = "lock"

// LoadItemLock implements engine.Locks. The error is *operation.Unreadable if the
// lock cannot be read.
func (s *Store) LoadItemLock(ctx context.Context, item string) (operation.ItemLock, string, error) {
	action := "load lock of " + item
	if err := s.EnsureTables(ctx); err != nil {
		return operation.ItemLock{}, "", failed(action, err)
	}
	text, etag, err := getEntity(ctx, s.locks, encodeKey(item), itemLockRow)
	if missing(err) {
		return operation.ItemLock{}, "", nil
	}
	if err != nil {
		return operation.ItemLock{}, "", failed(action, err)
	}
	lock, err := itemLockOf(text)
	if err != nil {
		return operation.ItemLock{}, "", failed(action, &operation.Unreadable{Record: "lock of " + item, Err: err})
	}
	return lock, etag, nil
}

// SaveItemLock implements engine.Locks.
func (s *Store) SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error {
	action := "save lock of " + lock.Item
	record, err := encode(lock, recordLimit)
	if err != nil {
		return failed(action, err)
	}
	e := entity{"PartitionKey": encodeKey(lock.Item), "RowKey": itemLockRow}
	e.text("item", lock.Item)
	e.text("holder", lock.Holder)
	e.time("since", lock.Since)
	e.record("lock", record)
	encoded, err := e.encode()
	if err != nil {
		return failed(action, err)
	}
	_, err = s.saveIfUnchanged(ctx, s.locks, encoded, etag)
	switch {
	case errors.Is(err, errConflict):
		return fmt.Errorf("%s: %w", action, engine.ErrConflict)
	case err != nil:
		return failed(action, err)
	}
	return nil
}

func itemLockOf(text []byte) (operation.ItemLock, error) {
	var lock operation.ItemLock
	record, err := recordOf(text, "lock")
	if err != nil {
		return lock, err
	}
	if err := json.Unmarshal(record, &lock); err != nil {
		return lock, fmt.Errorf("decode item lock: %w", err)
	}
	return lock, nil
}

// expireLocks deletes at most limit locks that were taken before the given time
// by operations that no longer exist.
func (s *Store) expireLocks(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	filter := fmt.Sprintf("since lt datetime'%s'", before.UTC().Format("2006-01-02T15:04:05.0000000Z"))
	for text, err := range s.entities(ctx, s.locks, &aztables.ListEntitiesOptions{Filter: &filter}) {
		if err != nil {
			return deleted, err
		}
		if deleted == limit {
			break
		}
		lock, err := itemLockOf(text)
		if err != nil {
			continue // the other locks still expire
		}
		expired, err := s.expireLock(ctx, lock)
		if operation.IsUnreadable(err) {
			continue
		}
		if err != nil {
			return deleted, err
		}
		if expired {
			deleted++
		}
	}
	return deleted, nil
}

// expireLock deletes a lock if its holder no longer exists and the lock has not
// been taken since it was read.
func (s *Store) expireLock(ctx context.Context, lock operation.ItemLock) (expired bool, err error) {
	if _, err := s.Load(ctx, lock.Holder); !errors.Is(err, engine.ErrNotFound) {
		return false, err
	}
	current, etag, err := s.LoadItemLock(ctx, lock.Item)
	if err != nil || etag == "" || current.Holder != lock.Holder {
		return false, err
	}
	expected := azcore.ETag(etag)
	_, err = s.locks.DeleteEntity(ctx, encodeKey(lock.Item), itemLockRow, &aztables.DeleteEntityOptions{IfMatch: &expected})
	if err != nil && !missing(err) && !outdated(err) {
		return false, err
	}
	return true, nil
}
