package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Expired is the number of records that one call of Expire deleted.
type Expired struct {
	Operations int `json:"operations"`
	Rejected   int `json:"rejected"`
	Removals   int `json:"removals"`
	Locks      int `json:"locks"`
	// More reports whether there may be more records to delete.
	More bool `json:"more"`
}

// Expire deletes records that are older than the given time: operations that
// ended earlier, with their history and index entries, rejected requests, records
// of their removal, and locks of operations that no longer exist. It deletes at most
// limit records of each type.
//
// Expire may be repeated, and may be interrupted at any point: the next call
// continues. An operation that is reopened at the same time is kept.
func (s *Store) Expire(ctx context.Context, before time.Time, limit int) (done Expired, err error) {
	for _, status := range operation.Statuses() {
		if !status.Terminal() {
			continue
		}
		n, err := s.expireEnded(ctx, status, before, limit-done.Operations)
		done.Operations += n
		if err != nil {
			return done, failed("expire operations", err)
		}
	}
	if done.Operations < limit {
		if err := s.expireOrphans(ctx, before, limit); err != nil {
			return done, failed("expire index entries", err)
		}
	}
	var moreRejected, moreRemovals bool
	if done.Rejected, moreRejected, err = s.expireRejected(ctx, rejectedPartition, before, limit); err != nil {
		return done, failed("expire rejected requests", err)
	}
	if done.Removals, moreRemovals, err = s.expireRejected(ctx, removalsPartition, before, limit); err != nil {
		return done, failed("expire records of removals", err)
	}
	if done.Locks, err = s.expireLocks(ctx, before, limit); err != nil {
		return done, failed("expire item locks", err)
	}
	if err := s.expireBulks(ctx, before, limit); err != nil {
		return done, failed("expire bulks", err)
	}
	done.More = done.Operations >= limit || moreRejected || moreRemovals || done.Locks >= limit
	return done, nil
}

// expireEnded deletes operations that the index lists under a final status. It
// looks only at operations that were created before the given time, because
// others cannot have ended before it.
func (s *Store) expireEnded(ctx context.Context, status operation.Status, before time.Time, limit int) (deleted int, err error) {
	first, _ := bounds(time.Time{}, before)
	for text, err := range s.listed(ctx, endedList(status), first, "", nil) {
		if err != nil || deleted >= limit {
			return deleted, err
		}
		p, err := pointerOf(text)
		if err != nil {
			if err := s.deleteUnreadable(ctx, text); err != nil {
				return deleted, err
			}
			continue
		}
		expired, err := s.expireOperation(ctx, p, status, before, s.deletionFor(text))
		if operation.IsUnreadable(err) {
			continue // an operator must look at it
		}
		if err != nil {
			return deleted, fmt.Errorf("operation %s: %w", p.ID, err)
		}
		if expired {
			deleted++
		}
	}
	return deleted, nil
}

// expireOperation deletes one operation if it ended before the given time. It
// deletes the entry that led to the operation last, so that an interrupted call
// is continued. It deletes the entries that only the row names before the row.
func (s *Store) expireOperation(
	ctx context.Context, p pointer, status operation.Status, before time.Time, deleteEntries deletion,
) (expired bool, err error) {
	row, err := s.Load(ctx, p.ID)
	exists := err == nil
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return false, err
	}
	op := row.Operation
	if exists && (!op.ReadyToFinalize() || !op.EndedAt.Before(before)) {
		return false, nil
	}
	position := PositionOf(p.CreatedAt, p.ID)
	if exists {
		if err := deleteEntries(ctx, listsOf(op), position); err != nil {
			return false, err
		}
	}
	changed, err := s.deleteOperation(ctx, p.ID, row.ETag)
	if err != nil {
		return false, err
	}
	if changed {
		// If the operation was reopened, list it again. If another process is
		// deleting it, the next call continues.
		again, err := s.Load(ctx, p.ID)
		if errors.Is(err, engine.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return false, s.reindex(ctx, again.Operation)
	}
	return true, deleteEntries(ctx, []string{endedList(status)}, position)
}

// deletion deletes an operation's entries from lists.
type deletion func(ctx context.Context, lists []string, at Position) error

// deletionFor returns the deletion for the operation of an entry. An entry that
// version 0.1.0 wrote has others of that version.
func (s *Store) deletionFor(entry []byte) deletion {
	if partition, err := partitionKeyOf(entry); err == nil && partition == listsPartition {
		return s.deleteEntries
	}
	return s.deleteAllEntries
}

// expireOrphans deletes at most limit entries of a Create that was interrupted
// before it wrote the row.
func (s *Store) expireOrphans(ctx context.Context, before time.Time, limit int) error {
	first, _ := bounds(time.Time{}, before)
	deleted := 0
	for text, err := range s.listed(ctx, allList, first, "", nil) {
		if err != nil || deleted == limit {
			return err
		}
		p, err := pointerOf(text)
		if err != nil {
			if err := s.deleteUnreadable(ctx, text); err != nil {
				return err
			}
			continue
		}
		position := PositionOf(p.CreatedAt, p.ID)
		row, err := s.Load(ctx, p.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case operation.IsUnreadable(err):
			continue
		case err != nil:
			return err
		case position == PositionOf(row.Operation.CreatedAt, p.ID):
			continue
		}
		lost := operation.Operation{Identity: operation.Identity{Flow: p.Flow, Labels: p.Labels, Bulk: p.Bulk}}
		if err := s.deletionFor(text)(ctx, listsOf(lost), position); err != nil {
			return err
		}
		deleted++
	}
	return nil
}

// deleteUnreadable deletes an index entry that cannot be read. The entry is older
// than the retention, and an entry holds only the place of its operation.
func (s *Store) deleteUnreadable(ctx context.Context, text []byte) error {
	var e struct{ PartitionKey, RowKey string }
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("decode entity: %w", err)
	}
	return s.deleteEntry(ctx, e.PartitionKey, e.RowKey)
}
