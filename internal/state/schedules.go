package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// Schedule is how far a schedule has been handled.
type Schedule struct {
	Name string `json:"name"`
	// Timing is the cron expression and time zone that Handled belongs to.
	Timing string `json:"timing"`
	// Off: the schedule was disabled, or not in the file, when it was last
	// looked at.
	Off bool `json:"off,omitempty"`
	// Handled is the instant of the last slot that is done with, or when the
	// schedule was first seen.
	Handled time.Time `json:"handled"`
	// LastSlot is the last slot that was started.
	LastSlot string `json:"lastSlot,omitempty"`
	// Slot is the slot under way, Done the key of the last of its items that
	// is done with.
	Slot string `json:"slot,omitempty"`
	Done string `json:"done,omitempty"`
	// Behind holds, by item key, the items whose last run is not that of
	// LastSlot.
	Behind map[string]Behind `json:"behind,omitempty"`
	// FailingSince is when the slot under way could not be started first,
	// NotBefore when to try again.
	FailingSince time.Time `json:"failingSince,omitzero"`
	NotBefore    time.Time `json:"notBefore,omitzero"`

	// ETag guards the next save; empty means that there is no row yet.
	ETag string `json:"-"`
}

// Behind is an item whose run of an earlier slot was still under way.
type Behind struct {
	// Running is the slot of that run.
	Running string `json:"running"`
	// Waiting is the slot to start once it has ended; empty if none is. Item
	// is what to start it for, as the schedule knows it.
	Waiting string          `json:"waiting,omitempty"`
	Item    json.RawMessage `json:"item,omitempty"`
}

// ErrScheduleChanged says that the row of a schedule was saved by someone else
// since it was read.
var ErrScheduleChanged = errors.New("the schedule's row was changed meanwhile")

// schedulePartition holds the rows of all schedules: they are few, and all of
// them are read each minute.
const schedulePartition = "schedule"

// Schedules reads the rows of all schedules, by name.
func (s *Store) Schedules(ctx context.Context) (map[string]Schedule, error) {
	filter := fmt.Sprintf("PartitionKey eq '%s'", schedulePartition)
	rows := map[string]Schedule{}
	for text, err := range s.entities(ctx, s.schedules, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
		if err != nil {
			return nil, failed("read schedules", err)
		}
		row, err := scheduleOf(text)
		if err != nil {
			return nil, failed("read schedules", err)
		}
		rows[row.Name] = row
	}
	return rows, nil
}

// SaveSchedule writes a schedule's row if it still has the ETag that it was
// read with, and gives its new ETag; ErrScheduleChanged if not. After any other
// error the save may or may not have happened.
func (s *Store) SaveSchedule(ctx context.Context, row Schedule) (etag string, err error) {
	doing := "save schedule " + row.Name
	record, err := encode(row, recordLimit)
	if err != nil {
		return "", failed(doing, err)
	}
	e := entity{"PartitionKey": schedulePartition, "RowKey": encodeKey(row.Name)}
	e.text("timing", row.Timing)
	e.time("handled", row.Handled)
	e.text("lastSlot", row.LastSlot)
	e.record("schedule", record)
	encoded, err := e.encode()
	if err != nil {
		return "", failed(doing, err)
	}
	if err := s.EnsureTables(ctx); err != nil {
		return "", failed(doing, err)
	}
	if row.ETag == "" {
		added, err := s.schedules.AddEntity(ctx, encoded, nil)
		if hasCode(err, aztables.EntityAlreadyExists) {
			return "", fmt.Errorf("%s: %w", doing, ErrScheduleChanged)
		}
		if err != nil {
			return "", failed(doing, err)
		}
		return string(added.ETag), nil
	}
	updated, err := s.schedules.UpdateEntity(ctx, encoded, &aztables.UpdateEntityOptions{
		IfMatch: to.Ptr(azcore.ETag(row.ETag)), UpdateMode: aztables.UpdateModeReplace,
	})
	if outdated(err) || missing(err) {
		return "", fmt.Errorf("%s: %w", doing, ErrScheduleChanged)
	}
	if err != nil {
		return "", failed(doing, err)
	}
	return string(updated.ETag), nil
}

func scheduleOf(text []byte) (Schedule, error) {
	var row Schedule
	record, err := recordOf(text, "schedule")
	if err != nil {
		return row, err
	}
	if err := json.Unmarshal(record, &row); err != nil {
		return row, fmt.Errorf("read stored schedule: %w", err)
	}
	var tag struct {
		ETag string `json:"odata.etag"`
	}
	if err := json.Unmarshal(text, &tag); err != nil || tag.ETag == "" {
		return row, errors.New("read stored schedule: it has no ETag")
	}
	row.ETag = tag.ETag
	return row, nil
}
