package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/schedule/run"
)

// schedulePartition holds the runs of all schedules. There are few, and all of
// them are read each minute.
const schedulePartition = "schedule"

// LoadScheduleRuns returns the runs of all schedules by schedule name. A run
// whose record cannot be read has only what the other columns of its row say, and
// Unreadable is set.
func (s *Store) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	const action = "load schedule runs"
	filter := fmt.Sprintf("PartitionKey eq '%s'", schedulePartition)
	runs := map[string]run.Record{}
	for text, err := range s.entities(ctx, s.scheduleRuns, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
		if err != nil {
			return nil, failed(action, err)
		}
		if r, known := scheduleRunOf(text); known {
			runs[r.Name] = r
		}
	}
	return runs, nil
}

// SaveScheduleRun stores the run of a schedule if it still has the record's
// ETag, and returns its new ETag. It returns run.ErrConflict if not. After any
// other error the save may have succeeded.
func (s *Store) SaveScheduleRun(ctx context.Context, r run.Record) (etag string, err error) {
	action := "save run of schedule " + r.Name
	record, err := encode(r, recordLimit)
	if err != nil {
		return "", failed(action, err)
	}
	e := entity{"PartitionKey": schedulePartition, "RowKey": encodeKey(r.Name)}
	e.text("timing", r.Timing)
	e.time("handled", r.Handled)
	e.text("lastSlot", r.LastSlot)
	e.record("run", record)
	encoded, err := e.encode()
	if err != nil {
		return "", failed(action, err)
	}
	saved, err := s.saveIfUnchanged(ctx, s.scheduleRuns, encoded, r.ETag)
	switch {
	case errors.Is(err, errConflict):
		return "", fmt.Errorf("%s: %w", action, run.ErrConflict)
	case err != nil:
		return "", failed(action, err)
	}
	return saved, nil
}

// scheduleRunOf returns the run of a row. It returns false for a row that cannot
// be assigned to a schedule.
func scheduleRunOf(text []byte) (r run.Record, ok bool) {
	var row struct {
		ETag     string `json:"odata.etag"`
		RowKey   string
		Timing   string    `json:"timing"`
		Handled  time.Time `json:"handled"`
		LastSlot string    `json:"lastSlot"`
	}
	_ = json.Unmarshal(text, &row) // a column of another type stays empty
	record, err := recordOf(text, "run")
	if err == nil {
		err = json.Unmarshal(record, &r)
	}
	if err == nil && r.Name == "" {
		err = errors.New("the record has no name")
	}
	if err != nil {
		r = run.Record{Timing: row.Timing, Handled: row.Handled, LastSlot: row.LastSlot, Unreadable: unreadable(text, err)}
		r.Name, ok = decodeKey(row.RowKey)
		if !ok {
			return r, false
		}
	}
	r.ETag = row.ETag
	return r, row.ETag != ""
}
