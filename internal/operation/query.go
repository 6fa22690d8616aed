package operation

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrContinue reports a continuation token that no earlier page returned.
var ErrContinue = errors.New("unknown continuation token; use the one from the previous page")

// Page sizes of lists.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// Label is one label of an operation.
type Label struct {
	Key, Value string
}

// Query selects operations to list. The zero value lists all.
type Query struct {
	// Status lists the accepted statuses; empty accepts any.
	Status []Status
	// Flow is the name of a flow; empty accepts any.
	Flow string
	// Labels must all be present on each operation.
	Labels []Label
	// Bulk is the key of the bulk that started the operations; empty accepts any.
	Bulk string
	// Where is a further condition; nil accepts any operation.
	Where func(Operation) bool
	// Since and Until limit CreatedAt: not before Since, before Until. A zero
	// time sets no limit.
	Since, Until time.Time
	// PageSize is the maximum number of operations in a page; see PageSize.
	PageSize int
	// Continue is the token of the previous page; empty starts with the newest.
	Continue string
}

// Page is one page of a list, newest first by CreatedAt. The operations do not
// contain the URLs of their tracking; see WithoutURLs.
type Page struct {
	Operations []Operation
	// Unreadable holds the IDs of operations, or the keys of index entries, whose
	// rows cannot be read. The page skips them.
	Unreadable []string
	// Continue is the token for the next page; empty after the last page. A
	// page may hold fewer operations than requested, even none, and still have
	// a next page.
	Continue string
}

// Size returns the effective page size.
func (q Query) Size() int { return PageSize(q.PageSize) }

// PageSize returns DefaultPageSize if requested is not positive, and at most
// MaxPageSize.
func PageSize(requested int) int {
	if requested <= 0 {
		return DefaultPageSize
	}
	return min(requested, MaxPageSize)
}

// Matches reports whether the query selects the operation. It ignores Continue.
func (q Query) Matches(op Operation) bool {
	return (len(q.Status) == 0 || slices.Contains(q.Status, op.Status)) &&
		(q.Flow == "" || q.Flow == op.Flow) &&
		(q.Bulk == "" || q.Bulk == op.Bulk) &&
		!slices.ContainsFunc(q.Labels, func(l Label) bool { return !hasLabel(op, l) }) &&
		(q.Since.IsZero() || !op.CreatedAt.Before(q.Since)) &&
		(q.Until.IsZero() || op.CreatedAt.Before(q.Until)) &&
		(q.Where == nil || q.Where(op))
}

func hasLabel(op Operation, l Label) bool {
	value, ok := op.Labels[l.Key]
	return ok && value == l.Value
}

// WithoutURLs returns the operation without the URLs of its tracking. Lists use
// it, because anyone who holds a signed status URL can read the status.
func (op Operation) WithoutURLs() Operation {
	if op.Tracking != nil {
		shown := *op.Tracking
		shown.StatusURL, shown.ResultURL = "", ""
		op.Tracking = &shown
	}
	return op
}

// OldestFirst returns the time as 19 digits that sort from old to new. Times
// outside the range of nanoseconds since 1970, such as the zero time, become
// the nearest time within it.
func OldestFirst(t time.Time) string { return fmt.Sprintf("%019d", clampedNanos(t)) }

// NewestFirst returns the time as 19 digits that sort from new to old. See
// OldestFirst for the range.
func NewestFirst(t time.Time) string { return fmt.Sprintf("%019d", math.MaxInt64-clampedNanos(t)) }

func clampedNanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, 0)):
		return 0
	case t.After(time.Unix(0, math.MaxInt64-1)):
		return math.MaxInt64 - 1
	}
	return t.UnixNano()
}

// Member is an operation that a bulk has started.
type Member struct {
	ID     string
	Status Status
}

// Counts holds numbers of operations by flow and status.
type Counts map[string]map[Status]int

// Add counts one operation.
func (c Counts) Add(flow string, status Status) {
	if c[flow] == nil {
		c[flow] = map[Status]int{}
	}
	c[flow][status]++
}
