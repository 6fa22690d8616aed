package state

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Create implements engine.Store. It takes two requests: it writes the live marker
// and the index entries in one transaction, then row and event in another. Each
// row is therefore listed, and the end of an operation need not check that.
//
// After a crash, marker and entries may point at no row: the sweep deletes the
// marker, Expire the entries. The error is *TooLarge, before anything is
// written, if the operation has no room to grow.
func (s *Store) Create(ctx context.Context, op operation.Operation, ev operation.Event) (engine.Row, bool, error) {
	action := "create operation " + op.ID
	record, err := EncodeNew(op)
	if err != nil {
		return engine.Row{}, false, failed(action, err)
	}
	event, err := EncodeEvent(ev)
	if err != nil {
		return engine.Row{}, false, failed(action, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return engine.Row{}, false, failed(action, err)
	}
	marker, err := s.indexNew(ctx, op)
	if err != nil {
		return engine.Row{}, false, failed(action, err)
	}
	etag, err := s.write(ctx, change{method: http.MethodPost}, op, marker, record, ev, event)
	if hasCode(err, aztables.EntityAlreadyExists) {
		row, err := s.existing(ctx, op)
		return row, false, err
	}
	if err != nil {
		return engine.Row{}, false, failed(action, err)
	}
	row, err := s.written(ctx, etag, marker, record, op)
	return row, true, err
}

// indexNew writes the live marker and the index entries of a new operation in one
// transaction. It returns the ETag of the marker, empty if the answer had none.
func (s *Store) indexNew(ctx context.Context, op operation.Operation) (marker string, err error) {
	first, err := markerOf(op.ID, op.CreatedAt)
	if err != nil {
		return "", err
	}
	entries, err := entriesOf(op, listsOf(op))
	if err != nil {
		return "", err
	}
	return transact(ctx, s.index, append([]change{first}, entries...)...)
}

// existing returns the row of an operation that exists already. If this Create
// used another creation time, it deletes the entries that it wrote; lists ignore
// entries that remain after a crash. If the operation is live, it writes the
// marker again with the right time.
func (s *Store) existing(ctx context.Context, op operation.Operation) (engine.Row, error) {
	row, err := s.Load(ctx, op.ID)
	if err != nil {
		return row, err
	}
	action, stored := "create operation "+op.ID, row.Operation
	if at := PositionOf(op.CreatedAt, op.ID); at != PositionOf(stored.CreatedAt, stored.ID) {
		if err := s.deleteEntries(ctx, listsOf(op), at); err != nil {
			return engine.Row{}, failed(action, err)
		}
		if !stored.Status.Terminal() {
			if err := s.writeMarker(ctx, op.ID, stored.CreatedAt); err != nil {
				return engine.Row{}, failed(action, err)
			}
		}
	}
	if row.Marker == "" && !stored.Status.Terminal() {
		return row, s.reindex(ctx, stored)
	}
	return row, nil
}

// Load implements engine.Store.
func (s *Store) Load(ctx context.Context, id string) (engine.Row, error) {
	action := "load operation " + id
	if err := s.EnsureTables(ctx); err != nil {
		return engine.Row{}, failed(action, err)
	}
	text, etag, err := getEntity(ctx, s.operations, encodeKey(id), operationRow)
	if missing(err) {
		return engine.Row{}, fmt.Errorf("%s: %w", action, engine.ErrNotFound)
	}
	if err != nil {
		return engine.Row{}, failed(action, err)
	}
	record, marker, err := operationOf(text)
	if err != nil {
		return engine.Row{}, failed(action, &operation.Unreadable{Record: id, Err: err})
	}
	op, err := Decode(record)
	if err != nil {
		return engine.Row{}, failed(action, &operation.Unreadable{Record: id, Err: err})
	}
	return engine.Row{Operation: op, ETag: etag, Marker: marker}, nil
}

// Save implements engine.Store. The error is *TooLarge, before anything is
// written, if the row or the event does not fit.
//
// engine.ErrConflict can also mean that this very save succeeded: if its answer
// is lost, the client repeats the request, which then conflicts with itself.
func (s *Store) Save(ctx context.Context, row engine.Row, ev operation.Event) (string, error) {
	op := row.Operation
	action := "save operation " + op.ID
	record, err := Encode(op)
	if err != nil {
		return "", failed(action, err)
	}
	event, err := EncodeEvent(ev)
	if err != nil {
		return "", failed(action, err)
	}
	if row.ETag == "" { // without it, the transaction would replace any row
		return "", failed(action, errors.New("the row has no ETag; load it first"))
	}
	if err := s.EnsureTables(ctx); err != nil {
		return "", failed(action, err)
	}
	etag, err := s.write(ctx, change{
		method: http.MethodPut, partition: encodeKey(op.ID), row: operationRow, etag: azcore.ETag(row.ETag),
	}, op, row.Marker, record, ev, event)
	switch {
	case outdated(err), hasCode(err, aztables.EntityAlreadyExists):
		return "", fmt.Errorf("%s: %w", action, engine.ErrConflict)
	case missing(err):
		return "", fmt.Errorf("%s: %w", action, engine.ErrNotFound)
	case err != nil:
		return "", failed(action, err)
	}
	if etag != "" {
		return etag, nil
	}
	saved, err := s.readBack(ctx, op)
	return saved.ETag, err
}

// write saves row and event in one transaction. The first change adds or replaces
// the row.
func (s *Store) write(
	ctx context.Context, first change, op operation.Operation, marker string, record []byte, ev operation.Event, event []byte,
) (etag string, err error) {
	first.entity, err = operationEntity(op, marker, record)
	if err != nil {
		return "", err
	}
	line, err := eventEntity(op.ID, ev, event)
	if err != nil {
		return "", err
	}
	return transact(ctx, s.operations, first, change{method: http.MethodPost, entity: line})
}

// written returns the row that was just written, as a load would return it. If
// the answer had no ETag, it loads the row.
func (s *Store) written(ctx context.Context, etag, marker string, record []byte, op operation.Operation) (engine.Row, error) {
	if etag != "" {
		stored, err := Decode(record)
		return engine.Row{Operation: stored, ETag: etag, Marker: marker}, err
	}
	return s.readBack(ctx, op)
}

// readBack loads a row that was just written.
func (s *Store) readBack(ctx context.Context, op operation.Operation) (engine.Row, error) {
	row, err := s.Load(ctx, op.ID)
	if err == nil && row.Operation.WriteID != op.WriteID {
		err = fmt.Errorf("read back operation %s: %w", op.ID, engine.ErrConflict)
	}
	return row, err
}
