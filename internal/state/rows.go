package state

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Create implements engine.Store: marker and the entries that list the
// operation, then row and event. So what has a row is listed, and its end need
// not look. What a crash leaves points at no row: the sweep removes the marker,
// Expire the entries. The error is *TooLarge, before anything is written, when
// the operation has no room to grow.
func (s *Store) Create(ctx context.Context, op operation.Operation, ev operation.Event) (engine.Row, bool, error) {
	doing := "create operation " + op.ID
	record, err := EncodeNew(op)
	if err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	event, err := EncodeEvent(ev)
	if err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	marker, err := s.announce(ctx, op)
	if err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	etag, err := s.write(ctx, aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd}, op, marker, record, ev, event)
	if hasCode(err, aztables.EntityAlreadyExists) {
		row, err := s.existing(ctx, op)
		return row, false, err
	}
	if err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	row, err := s.written(ctx, etag, marker, record, op)
	return row, true, err
}

// announce writes the marker and the entries of an operation that is about to
// be created, and gives the marker's ETag.
func (s *Store) announce(ctx context.Context, op operation.Operation) (marker string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxConcurrent)
	group.Go(func() error {
		etag, err := s.mark(ctx, op.ID, op.CreatedAt)
		marker = string(etag)
		return err
	})
	for _, partition := range partitionsOf(op.Flow, op.Labels) {
		group.Go(func() error { return s.enter(ctx, op, partition) })
	}
	return marker, group.Wait()
}

// existing is the row that was there already. The entries that were written for
// it at another time are taken back; where that is cut short, lists pass them
// over. While the row is live its marker is made good.
func (s *Store) existing(ctx context.Context, op operation.Operation) (engine.Row, error) {
	row, err := s.Load(ctx, op.ID)
	if err != nil {
		return row, err
	}
	doing, there := "create operation "+op.ID, row.Operation
	if at := PositionOf(op.CreatedAt, op.ID); at != PositionOf(there.CreatedAt, there.ID) {
		if err := s.unlist(ctx, partitionsOf(op.Flow, op.Labels), string(at)); err != nil {
			return engine.Row{}, failed(doing, err)
		}
		if !there.Status.Terminal() {
			if _, err := s.mark(ctx, op.ID, there.CreatedAt); err != nil {
				return engine.Row{}, failed(doing, err)
			}
		}
	}
	if row.Marker == "" && !there.Status.Terminal() {
		return row, s.list(ctx, there)
	}
	return row, nil
}

// Load implements engine.Store.
func (s *Store) Load(ctx context.Context, id string) (engine.Row, error) {
	doing := "load operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return engine.Row{}, failed(doing, err)
	}
	answer, err := s.operations.GetEntity(ctx, encodeKey(id), operationRow, nil)
	if missing(err) {
		return engine.Row{}, fmt.Errorf("%s: %w", doing, engine.ErrNotFound)
	}
	if err != nil {
		return engine.Row{}, failed(doing, err)
	}
	record, marker, err := operationOf(answer.Value)
	if err != nil {
		return engine.Row{}, failed(doing, err)
	}
	op, err := Decode(record)
	if err != nil {
		return engine.Row{}, failed(doing, err)
	}
	return engine.Row{Operation: op, ETag: string(answer.ETag), Marker: marker}, nil
}

// Save implements engine.Store. The error is *TooLarge, before anything is
// written, for what cannot be stored. ErrChanged may mean that this very save
// was made: the client repeats a request whose answer was lost, and then finds
// the row changed by itself.
func (s *Store) Save(ctx context.Context, row engine.Row, ev operation.Event) (string, error) {
	op := row.Operation
	doing := "save operation " + op.ID
	record, err := Encode(op)
	if err != nil {
		return "", failed(doing, err)
	}
	event, err := EncodeEvent(ev)
	if err != nil {
		return "", failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return "", failed(doing, err)
	}
	guard := azcore.ETag(row.ETag)
	etag, err := s.write(ctx, aztables.TransactionAction{
		ActionType: aztables.TransactionTypeUpdateReplace, IfMatch: &guard,
	}, op, row.Marker, record, ev, event)
	switch {
	case outdated(err), hasCode(err, aztables.EntityAlreadyExists):
		return "", fmt.Errorf("%s: %w", doing, engine.ErrConflict)
	case missing(err):
		return "", fmt.Errorf("%s: %w", doing, engine.ErrNotFound)
	case err != nil:
		return "", failed(doing, err)
	}
	saved, err := s.written(ctx, etag, row.Marker, record, op)
	return saved.ETag, err
}

// write puts row and event into one transaction; action says how the row.
func (s *Store) write(
	ctx context.Context, action aztables.TransactionAction, op operation.Operation, marker string, record []byte, ev operation.Event, event []byte,
) (etag string, err error) {
	action.Entity, err = operationEntity(op, marker, record)
	if err != nil {
		return "", err
	}
	line, err := eventEntity(op.ID, ev, event)
	if err != nil {
		return "", err
	}
	return transact(ctx, s.operations, action, aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd, Entity: line})
}

// written is the row that was just written, as it will be loaded. An answer
// without an ETag costs one more read.
func (s *Store) written(ctx context.Context, etag, marker string, record []byte, op operation.Operation) (engine.Row, error) {
	if etag != "" {
		stored, err := Decode(record)
		return engine.Row{Operation: stored, ETag: etag, Marker: marker}, err
	}
	row, err := s.Load(ctx, op.ID)
	if err == nil && row.Operation.WriteID != op.WriteID {
		err = fmt.Errorf("read back operation %s: %w", op.ID, engine.ErrConflict)
	}
	return row, err
}
