package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"azbackupflow/internal/schedule/run"
)

// schedulePartition holds the runs of all schedules. There are few, and all of
// them are read each minute.
const schedulePartition = "schedule"

// LoadScheduleRuns returns the runs of all schedules by schedule name.
func (s *Store) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	const action = "load schedule runs"
	filter := fmt.Sprintf("PartitionKey eq '%s'", schedulePartition)
	runs := map[string]run.Record{}
	for text, err := range s.entities(ctx, s.scheduleRuns, &aztables.ListEntitiesOptions{Filter: to.Ptr(filter)}) {
		if err != nil {
			return nil, failed(action, err)
		}
		r, err := scheduleRunOf(text)
		if err != nil {
			return nil, failed(action, err)
		}
		runs[r.Name] = r
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

func scheduleRunOf(text []byte) (run.Record, error) {
	var r run.Record
	record, err := recordOf(text, "run")
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(record, &r); err != nil {
		return r, fmt.Errorf("decode schedule run: %w", err)
	}
	var tag struct {
		ETag string `json:"odata.etag"`
	}
	if err := json.Unmarshal(text, &tag); err != nil || tag.ETag == "" {
		return r, errors.New("decode schedule run: entity has no ETag")
	}
	r.ETag = tag.ETag
	return r, nil
}
