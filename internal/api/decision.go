package api

import "time"

// Decision is the last decision of automatic protection about a resource.
type Decision struct {
	// ResourceID is the resource id of the file share or the server. It is the
	// storage account's id if the account's shares could not be read.
	ResourceID string    `json:"resourceId"`
	At         time.Time `json:"at"`
	// Outcome is a word such as protect, exclude or none.
	Outcome string `json:"outcome"`
	// Rule names the rule that decided.
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
	// DryRunMatches holds the dry-run rules that matched, each with its outcome.
	DryRunMatches []string `json:"dryRunMatches,omitempty"`
	// OperationID is the id of the last operation that protects the resource.
	OperationID string `json:"operationId,omitempty"`
	// Created is the time of the resource's creation. A decision about a deleted
	// resource does not apply to a new resource with the same id.
	Created time.Time `json:"created,omitzero"`
	// Source is event or sweep. EventID is the id of the event.
	Source  string `json:"source"`
	EventID string `json:"eventId,omitempty"`
}

// DecisionPage is one page of decisions, ordered by resource.
type DecisionPage struct {
	Decisions []Decision `json:"decisions"`
	// Unreadable holds the keys of decisions whose rows cannot be read.
	Unreadable []string `json:"unreadable,omitempty"`
	// Continue requests the next page; empty on the last page.
	Continue string `json:"continue,omitempty"`
}
