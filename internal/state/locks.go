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

// itemLockRow is the row of a lock in the partition of its item.
const itemLockRow = "lock"

// ItemLock implements engine.Locks.
func (s *Store) LoadItemLock(ctx context.Context, item string) (operation.ItemLock, string, error) {
	doing := "read the lock of " + item
	if err := s.EnsureTables(ctx); err != nil {
		return operation.ItemLock{}, "", failed(doing, err)
	}
	answer, err := s.locks.GetEntity(ctx, encodeKey(item), itemLockRow, nil)
	if missing(err) {
		return operation.ItemLock{}, "", nil
	}
	if err != nil {
		return operation.ItemLock{}, "", failed(doing, err)
	}
	lock, err := itemLockOf(answer.Value)
	if err != nil {
		return operation.ItemLock{}, "", failed(doing, err)
	}
	return lock, string(answer.ETag), nil
}

// SaveItemLock implements engine.Locks.
func (s *Store) SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error {
	doing := "save the lock of " + lock.Item
	record, err := encode(lock, recordLimit)
	if err != nil {
		return failed(doing, err)
	}
	e := entity{"PartitionKey": encodeKey(lock.Item), "RowKey": itemLockRow}
	e.text("item", lock.Item)
	e.text("holder", lock.Holder)
	e.time("since", lock.Since)
	e.record("lock", record)
	encoded, err := e.encode()
	if err != nil {
		return failed(doing, err)
	}
	_, err = s.saveIfUnchanged(ctx, s.locks, encoded, etag)
	switch {
	case errors.Is(err, errConflict):
		return fmt.Errorf("%s: %w", doing, engine.ErrConflict)
	case err != nil:
		return failed(doing, err)
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
		return lock, fmt.Errorf("read stored lock: %w", err)
	}
	return lock, nil
}

// expireLocks removes locks that were taken before the time by operations that
// are gone, at most so many.
func (s *Store) expireLocks(ctx context.Context, before time.Time, most int) (removed int, err error) {
	filter := fmt.Sprintf("since lt datetime'%s'", before.UTC().Format("2006-01-02T15:04:05.0000000Z"))
	for text, err := range s.entities(ctx, s.locks, &aztables.ListEntitiesOptions{Filter: &filter}) {
		if err != nil {
			return removed, err
		}
		if removed == most {
			break
		}
		lock, err := itemLockOf(text)
		if err != nil {
			return removed, err
		}
		gone, err := s.gone(ctx, lock.Holder)
		if err != nil {
			return removed, err
		}
		if !gone {
			continue
		}
		read, etag, err := s.LoadItemLock(ctx, lock.Item)
		if err != nil || etag == "" || read.Holder != lock.Holder {
			continue // someone is taking it
		}
		guard := azcore.ETag(etag)
		_, err = s.locks.DeleteEntity(ctx, encodeKey(lock.Item), itemLockRow, &aztables.DeleteEntityOptions{IfMatch: &guard})
		if err != nil && !missing(err) && !outdated(err) {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
