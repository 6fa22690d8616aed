package api

import "time"

// MaxPageSize is the maximum number of entries on one page of a list.
const MaxPageSize = 500

// OperationQuery filters a list of operations. Zero fields match everything.
type OperationQuery struct {
	Status []Status
	Flow   string
	Label  Label
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
