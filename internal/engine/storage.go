package engine

import (
	"context"
	"errors"
	"iter"
	"time"

	"azbackupflow/internal/operation"
)

// Row is an operation as stored, with the ETag for its next save.
type Row struct {
	Operation operation.Operation
	ETag      string
	// Marker is an opaque token of the store about the operation's live marker.
	// Pass it back unchanged. Without it, Finalize costs more.
	Marker string
}

// With returns the row with the operation to save.
func (r Row) With(op operation.Operation) Row {
	r.Operation = op
	return r
}

// Errors that a Store returns. Any other error means that the store is
// unavailable.
var (
	// ErrNotFound: the operation does not exist.
	ErrNotFound = errors.New("operation not found")
	// ErrConflict: another writer saved the row since it was loaded.
	ErrConflict = errors.New("operation was changed by another writer")
	// ErrTooLarge: the row or its event does not fit.
	ErrTooLarge = errors.New("operation is too large to be stored")
)

// Store keeps operations. Its contract suite is state/statetest.
type Store interface {
	// Create writes the live marker and the index entries in one transaction,
	// then the row with its first event in another. If the row already exists, Create returns it unchanged,
	// and created is false. Create may be repeated after any failure.
	Create(ctx context.Context, op operation.Operation, ev operation.Event) (row Row, created bool, err error)
	// Load returns the operation with the given ID. It is a point read.
	Load(ctx context.Context, id string) (Row, error)
	// Save writes row and event in one transaction if the row still has the
	// ETag, and returns its new ETag. It returns ErrConflict if the ETag does
	// not match. After any other error the save may have happened.
	Save(ctx context.Context, row Row, ev operation.Event) (etag string, err error)
	// Finalize updates the indexes of an ended operation and removes its live
	// marker, unless notices are pending. The caller has just loaded or saved
	// the row. Finalize costs less if the live marker was not written since the
	// operation was created. It may be repeated.
	Finalize(ctx context.Context, row Row) error
	// FinalizeByID loads the operation and finalizes it. If the operation does
	// not exist, only its live marker is removed.
	FinalizeByID(ctx context.Context, id string) error
	// Reopen writes the live marker of an ended operation before the Save that
	// continues it.
	Reopen(ctx context.Context, id string, createdAt time.Time) error
	// Relabel updates the index before the Save that replaces the labels or the bulk
	// of an operation. It may be repeated; Finalize repairs the index.
	Relabel(ctx context.Context, before, after operation.Operation) error
	// ListLive yields the operations that have not been finalized. Its cost
	// grows with their number, not with history. It continues after an
	// *operation.Unreadable; any other error is the last.
	ListLive(ctx context.Context) iter.Seq2[LiveMarker, error]
}

// LiveMarker marks an operation that has not been finalized.
type LiveMarker struct {
	ID        string
	CreatedAt time.Time
}

// Locks keeps the locks of protected items. Its contract suite is part of
// state/statetest.
type Locks interface {
	// LoadItemLock returns the lock of an item and its ETag. Both are zero if
	// the item has no lock.
	LoadItemLock(ctx context.Context, item string) (lock operation.ItemLock, etag string, err error)
	// SaveItemLock replaces the lock with the given ETag. An empty ETag creates
	// the lock. It returns ErrConflict if the lock has changed. After any other
	// error the save may have happened.
	SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error
}
