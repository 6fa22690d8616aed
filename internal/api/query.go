package api

import "time"

// MaxPageSize is the maximum number of entries on one page of a list.
const MaxPageSize = 500

// MaxSorted is the maximum number of operations that a list sorts.
const MaxSorted = 1000

// Sorts returns the fields that a list of operations can be sorted by.
func Sorts() []string {
	return []string{"createdAt", "updatedAt", "endedAt", "dueAt", "deadline", "duration", "status", "flow", "key"}
}

// OperationQuery filters a list of operations. Zero fields match everything.
type OperationQuery struct {
	Status []Status
	Flow   string
	// ID is the beginning of the id. Key is the whole key.
	ID, Key string
	// Item and Vault are resource ids, or their last parts.
	Item, Vault string
	// Schedule and Bulk are the name and the key of what started the operation.
	Schedule, Bulk string
	// Labels must all be present.
	Labels []Label
	// Errors selects operations with an error, Paused those that an operator has
	// paused, Overdue those whose next check is more than ten minutes late.
	Errors, Paused, Overdue bool
	// Sort is one of Sorts, after "-" for the opposite order. A sorted list has one
	// page; it is an error if more than MaxSorted operations match.
	Sort string
	// Since and Until limit the time of creation; Until is exclusive.
	Since, Until time.Time
	PageSize     int
	// Continue is the value of Continue on the page before.
	Continue string
}

// Label is one label of an operation.
type Label struct{ Key, Value string }

// RejectedQuery filters a list of rejected requests.
type RejectedQuery struct {
	// Since limits the time of rejection.
	Since    time.Time
	PageSize int
	// Continue is the value of Continue on the page before.
	Continue string
}

// DecisionQuery filters a list of decisions of automatic protection. Zero
// fields match everything.
type DecisionQuery struct {
	Outcome, Rule string
	PageSize      int
	// Continue is the value of Continue on the page before.
	Continue string
}
