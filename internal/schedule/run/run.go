// Package run defines the record of how far a schedule has run.
//
// The package holds plain records. It must not know how schedules are evaluated
// or how records are stored.
package run

import (
	"encoding/json"
	"errors"
	"time"

	"azbackupflow/internal/operation"
)

// ErrConflict reports that another instance saved the record since it was
// loaded.
var ErrConflict = errors.New("schedule run changed by another instance; load it again")

// Record is how far a schedule has run.
type Record struct {
	// Name is the name of the schedule.
	Name string `json:"name"`
	// Timing is the cron expression and time zone that Handled belongs to.
	Timing string `json:"timing"`
	// Off is set if the schedule was disabled, or missing from the file, when it
	// was last evaluated.
	Off bool `json:"off,omitempty"`
	// Handled is the time of the last slot that is complete or skipped, or of the
	// first evaluation of the schedule.
	Handled time.Time `json:"handled"`
	// LastSlot is the last slot that was started.
	LastSlot string `json:"lastSlot,omitempty"`
	// Slot is the slot in progress, Done the key of its last complete item.
	Slot string `json:"slot,omitempty"`
	Done string `json:"done,omitempty"`
	// Chosen are the items of the slot in progress, in the schedule's own format, if
	// the schedule has a plan.
	Chosen json.RawMessage `json:"chosen,omitempty"`
	// Behind holds, by item key, the items whose last run does not belong to
	// LastSlot. If the schedule has a plan, which chooses other items for each run,
	// it holds every item whose run has not ended.
	Behind map[string]Behind `json:"behind,omitempty"`
	// FailingSince is the time of the first failure to start the slot in
	// progress, NotBefore the time of the next attempt.
	FailingSince time.Time `json:"failingSince,omitzero"`
	NotBefore    time.Time `json:"notBefore,omitzero"`
	// Paused is set while an operator pauses the schedule.
	Paused *Pause `json:"paused,omitempty"`
	// Manual is a run that an operator requested and that is not complete.
	// LastManual is the slot of the last complete one, EarlierManual some before it,
	// newest first.
	Manual        *Manual  `json:"manual,omitempty"`
	LastManual    string   `json:"lastManual,omitempty"`
	EarlierManual []string `json:"earlierManual,omitempty"`
	// Skipped counts the runs that were not started: missed, overlapping or while
	// paused. Rejected counts those that could never start. A run of several items
	// counts once for each item, except for missed and paused runs.
	Skipped  int `json:"skipped,omitempty"`
	Rejected int `json:"rejected,omitempty"`

	// ETag makes the next save conditional; empty means that the record is not
	// stored yet.
	ETag string `json:"-"`
	// Unreadable is why the stored record cannot be read; nil if it can. The
	// record then holds only what is stored next to it: Name, and if possible
	// Timing, Handled and LastSlot.
	Unreadable error `json:"-"`
}

// Behind is an item whose run of an earlier slot, or of a requested run, has not ended.
type Behind struct {
	// Running is the slot of that run.
	Running string `json:"running"`
	// Waiting is the slot to start after that run; empty if there is none. Item
	// is the item to start, in the schedule's own format.
	Waiting string          `json:"waiting,omitempty"`
	Item    json.RawMessage `json:"item,omitempty"`
}

// Pause holds who paused a schedule, and when.
type Pause struct {
	At time.Time       `json:"at"`
	By operation.Cause `json:"by,omitzero"`
}

// Manual is a run that an operator requested.
type Manual struct {
	// Slot is the name of the run. A request with the same name is the same run.
	Slot string          `json:"slot"`
	At   time.Time       `json:"at"`
	By   operation.Cause `json:"by,omitzero"`
	// Done is the key of the last item that was started.
	Done string `json:"done,omitempty"`
	// Chosen are the items of the run, if the schedule has a plan.
	Chosen json.RawMessage `json:"chosen,omitempty"`
}
