package state

import (
	"errors"
	"slices"
	"time"

	"azbackupflow/internal/operation"
)

// ErrContinue is given for a Continue that did not come from this store.
var ErrContinue = errors.New("the continuation does not come from an earlier page")

// Page sizes of List and Refusals.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// Label is one label that listed operations carry.
type Label struct {
	Key, Value string
}

// Query says which operations to list. Its zero value lists all.
type Query struct {
	// Status lists the statuses that are wanted; empty means any.
	Status []operation.Status
	// Flow is a flow's name; empty means any.
	Flow string
	// Label is wanted on each operation; the zero label means any.
	Label Label
	// Since and Until bound CreatedAt: not before Since, before Until. A zero
	// time means no bound.
	Since, Until time.Time
	// PageSize is the most operations of one page: DefaultPageSize when it is
	// not positive, never more than MaxPageSize.
	PageSize int
	// Continue is that of the page before; empty starts with the newest.
	Continue string
}

// Page is one page of a list, newest first by CreatedAt. The operations come
// without the URLs of their tracking.
type Page struct {
	Operations []operation.Operation
	// Continue asks for the next page; empty after the last. A page may hold
	// fewer operations than were asked for, even none, and still have a next
	// one.
	Continue string
}

// Size is the page size that the query comes to.
func (q Query) Size() int { return pageSize(q.PageSize) }

// Matches reports whether the query wants the operation. It does not look at
// Continue.
func (q Query) Matches(op operation.Operation) bool {
	return (len(q.Status) == 0 || slices.Contains(q.Status, op.Status)) &&
		(q.Flow == "" || q.Flow == op.Flow) &&
		(q.Label == Label{} || hasLabel(op, q.Label)) &&
		(q.Since.IsZero() || !op.CreatedAt.Before(q.Since)) &&
		(q.Until.IsZero() || op.CreatedAt.Before(q.Until))
}

func hasLabel(op operation.Operation, l Label) bool {
	value, ok := op.Labels[l.Key]
	return ok && value == l.Value
}

func pageSize(asked int) int {
	if asked <= 0 {
		return DefaultPageSize
	}
	return min(asked, MaxPageSize)
}

// Listed is the operation as lists show it: without the URLs by which Azure is
// asked for its status, because whoever holds them may ask too.
func Listed(op operation.Operation) operation.Operation {
	if op.Tracking != nil {
		shown := *op.Tracking
		shown.StatusURL, shown.ResultURL = "", ""
		op.Tracking = &shown
	}
	return op
}
