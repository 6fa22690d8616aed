package memory

import (
	"context"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/schedule/run"
)

// storedRun is a schedule run in its stored form, so that callers share no
// memory with the store.
type storedRun struct {
	text []byte
	etag string
}

// LoadScheduleRuns returns the runs of all schedules by schedule name.
func (s *Store) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := map[string]run.Record{}
	for name, stored := range s.scheduleRuns {
		var r run.Record
		if err := json.Unmarshal(stored.text, &r); err != nil {
			return nil, fmt.Errorf("decode schedule run: %w", err)
		}
		r.ETag = stored.etag
		runs[name] = r
	}
	return runs, nil
}

// SaveScheduleRun stores the run of a schedule if it still has the record's
// ETag. It returns run.ErrConflict if not.
func (s *Store) SaveScheduleRun(ctx context.Context, r run.Record) (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode schedule run: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scheduleRuns[r.Name].etag != r.ETag {
		return "", fmt.Errorf("save run of schedule %s: %w", r.Name, run.ErrConflict)
	}
	etag := s.etag()
	s.scheduleRuns[r.Name] = storedRun{text: text, etag: etag}
	return etag, nil
}
