// Package decision defines the records of automatic protection: the last
// decision about each resource, and the resources that are excluded.
//
// The package holds plain records. It must not know how decisions are made or
// stored.
package decision

import (
	"errors"
	"time"

	"azbackupflow/internal/operation"
)

// ErrNotFound reports that no decision is stored for a resource.
var ErrNotFound = errors.New("decision not found")

// Record is the last decision about a resource. Of the event that caused it, it
// holds only ID and time.
type Record struct {
	// ResourceID is the ID of the file share or server. It is the ID of the
	// storage account if the account's shares could not be listed.
	ResourceID string    `json:"resourceId"`
	At         time.Time `json:"at"`
	// Outcome is a word such as protect, exclude or none. Rule is the name of
	// the deciding rule, Reason explains the decision in plain words.
	Outcome string `json:"outcome"`
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason"`
	// DryRunMatches lists the dry-run rules that matched, with their outcomes.
	DryRunMatches []string `json:"dryRunMatches,omitempty"`
	// OperationID is the operation that protects the resource; the latest one
	// if there were several attempts.
	OperationID string `json:"operationId,omitempty"`
	// Created is the creation time of the resource. It keeps the decision about
	// a deleted resource from being applied to a new one of the same name.
	Created time.Time `json:"created,omitzero"`
	// Source is event or sweep; EventID is the ID of the event.
	Source  string `json:"source"`
	EventID string `json:"eventId,omitempty"`
}

// Query selects decisions to list, in the order of their resources.
type Query struct {
	// Outcome and Rule must equal those of the decision; empty accepts any.
	Outcome, Rule string
	// PageSize and Continue are as in operation.Query.
	PageSize int
	Continue string
}

// Page is one page of decisions. Continue is empty after the last page.
type Page struct {
	Decisions []Record
	// Unreadable holds the keys of decisions whose rows cannot be read.
	Unreadable []string
	Continue   string
}

// Size returns the effective page size.
func (q Query) Size() int { return operation.PageSize(q.PageSize) }

// Matches reports whether the query selects the decision. It ignores Continue.
func (q Query) Matches(r Record) bool {
	return (q.Outcome == "" || q.Outcome == r.Outcome) && (q.Rule == "" || q.Rule == r.Rule)
}

// Exclusion excludes a resource from automatic protection, because an
// operator deleted or stopped its protection on purpose.
type Exclusion struct {
	// ResourceID is the resource ID of the datasource: file share, server or
	// virtual machine. IDs are compared without regard to case.
	ResourceID string `json:"resourceId"`
	// OperationID is the operation that stored the exclusion.
	OperationID string    `json:"operationId"`
	At          time.Time `json:"at"`
	// PolicyID is the policy that a protected item had when its protection was
	// stopped. It is stored with the datasource and with the item's own ID,
	// because several items may have one datasource.
	PolicyID string `json:"policyId,omitempty"`
	// PolicyAt is when the item was seen to have the policy; zero means At. A later
	// exclusion keeps both.
	PolicyAt time.Time `json:"policyAt,omitzero"`
}

// Outdated reports whether a resource that was created at a time is another one than
// the exclusion is about: one of the same name that was created later. Without both
// times, it is the same.
func (x Exclusion) Outdated(created time.Time) bool {
	return !x.At.IsZero() && created.After(x.At)
}
