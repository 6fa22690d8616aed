package engine

import (
	"context"
	"errors"
	"iter"
	"time"

	"azbackupflow/internal/operation"
)

// Row is an operation as stored, with the ETag that guards its next save.
type Row struct {
	Operation operation.Operation
	ETag      string
	// Marker is a note of the store about the operation's live marker: whoever
	// saves the row gives it back as it was loaded. Where it is lost, Settle
	// costs more.
	Marker string
}

// With is the row with the operation as it is to be saved.
func (r Row) With(op operation.Operation) Row {
	r.Operation = op
	return r
}

// Errors that a Store gives beside "out of reach", which is any other error.
var (
	// ErrNotFound: there is no such operation.
	ErrNotFound = errors.New("operation not found")
	// ErrChanged: the row was saved by someone else since it was loaded.
	ErrConflict = errors.New("operation was changed meanwhile")
	// ErrTooLarge: there is no room for the row or its event, nor will there
	// be.
	ErrTooLarge = errors.New("operation is too large")
)

// Store keeps operations. Its contract suite is state/statetest.
type Store interface {
	// Create writes the live marker and what lists the operation, then the row
	// with its first event. Where the row exists already it is given back
	// unchanged and created is false. It is safe to repeat after any failure.
	Create(ctx context.Context, op operation.Operation, ev operation.Event) (row Row, created bool, err error)
	// Load reads one operation by a point read.
	Load(ctx context.Context, id string) (Row, error)
	// Save writes row and event in one transaction if the row still has the
	// ETag, and gives its new ETag; ErrChanged if not. After any other error
	// the save may or may not have happened.
	Save(ctx context.Context, row Row, ev operation.Event) (etag string, err error)
	// Close brings the indexes of an ended operation up to date and then
	// removes its live marker, unless it still owes a notice. It may be
	// repeated. A marker whose operation
	// does not exist is removed.
	FinalizeByID(ctx context.Context, id string) error
	// Settle is Close by whoever just loaded or saved the ended operation's row.
	// It costs less where nobody wrote the live marker since the operation was
	// created.
	Finalize(ctx context.Context, row Row) error
	// Reopen writes the live marker of an ended operation that is about to be
	// set going again; the Save that does so comes after it.
	Reopen(ctx context.Context, id string, createdAt time.Time) error
	// Live yields the operations that have not been closed. Its cost grows
	// with their number, not with history.
	ListLive(ctx context.Context) iter.Seq2[LiveMarker, error]
}

// Live is the marker of an operation that has not been closed.
type LiveMarker struct {
	ID        string
	CreatedAt time.Time
}

// Message is a wake-up to send.
type Message struct {
	// ID is the Service Bus MessageId. Duplicate detection drops a second
	// message of the same id; correctness never depends on that.
	ID     string
	Wakeup operation.Wakeup
	// Due is when the message becomes visible.
	Due time.Time
}

// Queue sends wake-ups. Its contract suite is queue/queuetest.
type Queue interface {
	// Send schedules the message. After an error it may or may not have been
	// sent.
	Send(ctx context.Context, m Message) error
}

// Notifier tells other systems about operations.
type Notifier interface {
	// Everybody reports whether there is a receiver for the notices of all
	// operations.
	Broadcasts() bool
	// Notify sends a notice. After an error it may or may not have been sent.
	// A notice whose receiver is not wanted any more is dropped, without an
	// error.
	Notify(ctx context.Context, op operation.Operation, n operation.Notice) error
}
