package state

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Create implements engine.Store: marker, then row and event, then the entries
// that list the operation. What a crash leaves undone is done by whoever
// creates the same operation again, or by Close. The error is *TooLarge,
// before anything is written, when the operation has no room to grow.
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
	if err := s.mark(ctx, op.ID, op.CreatedAt); err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	etag, err := s.write(ctx, aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd}, op, record, ev, event)
	if hasCode(err, aztables.EntityAlreadyExists) {
		row, err := s.existing(ctx, op)
		return row, false, err
	}
	if err != nil {
		return engine.Row{}, false, failed(doing, err)
	}
	if err := s.list(ctx, op); err != nil {
		return engine.Row{}, false, err
	}
	row, err := s.written(ctx, etag, record, op)
	return row, true, err
}

// existing is the row that was there already. While it is live its marker and
// entries are made good, in case whoever created it could not finish.
func (s *Store) existing(ctx context.Context, op operation.Operation) (engine.Row, error) {
	row, err := s.Load(ctx, op.ID)
	if err != nil || row.Operation.Status.Terminal() {
		return row, err
	}
	if createdAt := row.Operation.CreatedAt; !createdAt.Equal(op.CreatedAt) {
		if err := s.mark(ctx, op.ID, createdAt); err != nil {
			return engine.Row{}, failed("create operation "+op.ID, err)
		}
	}
	return row, s.list(ctx, row.Operation)
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
	record, err := recordOf(answer.Value, operationRow)
	if err != nil {
		return engine.Row{}, failed(doing, err)
	}
	op, err := Decode(record)
	if err != nil {
		return engine.Row{}, failed(doing, err)
	}
	return engine.Row{Operation: op, ETag: string(answer.ETag)}, nil
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
	}, op, record, ev, event)
	switch {
	case outdated(err), hasCode(err, aztables.EntityAlreadyExists):
		return "", fmt.Errorf("%s: %w", doing, engine.ErrChanged)
	case missing(err):
		return "", fmt.Errorf("%s: %w", doing, engine.ErrNotFound)
	case err != nil:
		return "", failed(doing, err)
	}
	saved, err := s.written(ctx, etag, record, op)
	return saved.ETag, err
}

// write puts row and event into one transaction; action says how the row.
func (s *Store) write(
	ctx context.Context, action aztables.TransactionAction, op operation.Operation, record []byte, ev operation.Event, event []byte,
) (etag string, err error) {
	action.Entity, err = operationEntity(op, record)
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
func (s *Store) written(ctx context.Context, etag string, record []byte, op operation.Operation) (engine.Row, error) {
	if etag != "" {
		stored, err := Decode(record)
		return engine.Row{Operation: stored, ETag: etag}, err
	}
	row, err := s.Load(ctx, op.ID)
	if err == nil && row.Operation.WriteID != op.WriteID {
		err = fmt.Errorf("read back operation %s: %w", op.ID, engine.ErrChanged)
	}
	return row, err
}
