package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Expired is what one portion of housekeeping removed.
type Expired struct {
	Operations int `json:"operations"`
	Rejected   int `json:"rejected"`
	Locks      int `json:"locks"`
	// More says that there may be more to remove.
	More bool `json:"more"`
}

// mostActions is how many entities one transaction may have.
const mostActions = 100

// Expire removes what is older than the time: operations that ended before it,
// with their history and index entries, refusals, and locks of operations that
// are gone; at most so many of each. It may be repeated, and broken off
// anywhere: another call goes on. An operation that is set going again at the
// same moment stays.
func (s *Store) Expire(ctx context.Context, before time.Time, most int) (done Expired, err error) {
	for _, status := range operation.Statuses() {
		if !status.Terminal() {
			continue
		}
		n, err := s.expireEnded(ctx, status, before, most-done.Operations)
		done.Operations += n
		if err != nil {
			return done, failed("remove old operations", err)
		}
	}
	if done.Operations < most {
		if err := s.expireStrays(ctx, before, most); err != nil {
			return done, failed("remove old entries", err)
		}
	}
	if done.Rejected, err = s.expireRejected(ctx, before, most); err != nil {
		return done, failed("remove old rejected requests", err)
	}
	if done.Locks, err = s.expireLocks(ctx, before, most); err != nil {
		return done, failed("remove old locks", err)
	}
	done.More = done.Operations >= most || done.Rejected >= most || done.Locks >= most
	return done, nil
}

// expireEnded removes operations that the index lists under an end. Only those
// that were created before the time can have ended before it.
func (s *Store) expireEnded(ctx context.Context, status operation.Status, before time.Time, most int) (removed int, err error) {
	first, _ := bounds(time.Time{}, before)
	for text, err := range s.entities(ctx, s.index, &aztables.ListEntitiesOptions{Filter: to.Ptr(rangeFilter(endedPartition(status), first, ""))}) {
		if err != nil || removed >= most {
			return removed, err
		}
		p, err := pointerOf(text)
		if err != nil {
			return removed, err
		}
		old, err := s.expireOne(ctx, p, status, before)
		if err != nil {
			return removed, fmt.Errorf("operation %s: %w", p.ID, err)
		}
		if old {
			removed++
		}
	}
	return removed, nil
}

// expireOne removes one operation, if it is old. The entry that led here goes
// last, so that whoever was broken off is led here again; the entries that only
// the row names go before the row.
func (s *Store) expireOne(ctx context.Context, p pointer, status operation.Status, before time.Time) (old bool, err error) {
	row, err := s.Load(ctx, p.ID)
	there := err == nil
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return false, err
	}
	op := row.Operation
	if there && (!op.ReadyToFinalize() || !op.EndedAt.Before(before)) {
		return false, nil
	}
	position := string(PositionOf(p.CreatedAt, p.ID))
	if there {
		if err := s.unlist(ctx, partitionsOf(op.Flow, op.Labels), position); err != nil {
			return false, err
		}
	}
	kept, err := s.removePartition(ctx, p.ID, row.ETag)
	if err != nil {
		return false, err
	}
	if kept {
		// A person set it going again: it is listed again. If someone else
		// is removing it, the rest is left to the next call.
		again, err := s.Load(ctx, p.ID)
		if errors.Is(err, engine.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return false, s.list(ctx, again.Operation)
	}
	return true, s.unlist(ctx, []string{endedPartition(status)}, position)
}

// expireStrays removes entries that an attempt to create an operation left when
// it was cut short before the row, at most so many.
func (s *Store) expireStrays(ctx context.Context, before time.Time, most int) error {
	first, _ := bounds(time.Time{}, before)
	removed := 0
	for text, err := range s.entities(ctx, s.index, &aztables.ListEntitiesOptions{Filter: to.Ptr(rangeFilter(everything, first, ""))}) {
		if err != nil || removed == most {
			return err
		}
		p, err := pointerOf(text)
		if err != nil {
			return err
		}
		position := PositionOf(p.CreatedAt, p.ID)
		row, err := s.Load(ctx, p.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case err != nil:
			return err
		case position == PositionOf(row.Operation.CreatedAt, p.ID):
			continue
		}
		if err := s.unlist(ctx, partitionsOf(p.Flow, p.Labels), string(position)); err != nil {
			return err
		}
		removed++
	}
	return nil
}

// unlist removes an operation's entries from partitions of the index.
func (s *Store) unlist(ctx context.Context, partitions []string, row string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	for _, partition := range partitions {
		group.Go(func() error {
			if _, err := s.index.DeleteEntity(ctx, partition, row, nil); !missing(err) {
				return err
			}
			return nil
		})
	}
	return group.Wait()
}

// removePartition removes an operation's row, if it still has the ETag, together
// with its history. kept is true if it does not. An empty ETag says that the row
// is gone already.
func (s *Store) removePartition(ctx context.Context, id, etag string) (kept bool, err error) {
	var actions []aztables.TransactionAction
	partition := encodeKey(id)
	if etag != "" {
		guard := azcore.ETag(etag)
		remove, err := removal(partition, operationRow, &guard)
		if err != nil {
			return false, err
		}
		actions = append(actions, remove)
	}
	for text, err := range s.entities(ctx, s.operations, &aztables.ListEntitiesOptions{
		Filter: to.Ptr(rangeFilter(partition, eventPrefix, eventEnd)), Select: to.Ptr("PartitionKey,RowKey"),
	}) {
		if err != nil {
			return false, err
		}
		row, err := rowKeyOf(text)
		if err != nil {
			return false, err
		}
		remove, err := removal(partition, row, nil)
		if err != nil {
			return false, err
		}
		actions = append(actions, remove)
	}
	return s.remove(ctx, s.operations, actions)
}

// remove carries out removals within one partition. kept is true if something
// had changed since it was read; not all is removed then.
func (s *Store) remove(ctx context.Context, table *aztables.Client, actions []aztables.TransactionAction) (kept bool, err error) {
	for len(actions) > 0 {
		n := min(len(actions), mostActions)
		_, err := transact(ctx, table, actions[:n]...)
		switch {
		case outdated(err), missing(err):
			// Nothing of it was removed. What is missing was removed by someone
			// else, or by this very transaction, sent again by the client.
			return true, nil
		case err != nil:
			return false, err
		}
		actions = actions[n:]
	}
	return false, nil
}

func removal(partition, row string, guard *azcore.ETag) (aztables.TransactionAction, error) {
	key, err := entity{"PartitionKey": partition, "RowKey": row}.encode()
	if guard == nil {
		guard = to.Ptr(azcore.ETagAny)
	}
	return aztables.TransactionAction{ActionType: aztables.TransactionTypeDelete, Entity: key, IfMatch: guard}, err
}

// gone reports whether an operation does not exist any more.
func (s *Store) gone(ctx context.Context, id string) (bool, error) {
	_, err := s.Load(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return true, nil
	}
	return false, err
}
