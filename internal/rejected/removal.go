package rejected

import (
	"time"

	"azbackupflow/internal/operation"
)

// Removal records that somebody removed rejected requests: when, who, why and
// which. It holds nothing of the requests themselves.
type Removal struct {
	// ID identifies the removal; see NewID. Storing a record with the same ID
	// replaces it.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Request is the ID of the removed request. It is empty for a removal by age.
	Request string `json:"request,omitempty"`
	// Before is the limit of a removal by age: older requests were removed.
	Before time.Time `json:"before,omitzero"`
	// Removed is the number of removed requests.
	Removed int `json:"removed"`
	// Finished is false while the removal runs. The record is saved before the
	// removal, so it stays false if the process ended or storage failed: then
	// requests may have been removed or not.
	Finished bool            `json:"finished,omitempty"`
	By       operation.Cause `json:"by"`
}

// RemovalPage is one page of removals. Continue is empty after the last page.
type RemovalPage struct {
	Removals []Removal
	// Unreadable holds the IDs of removals whose rows cannot be read.
	Unreadable []string
	Continue   string
}
