package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/state"
)

// stored is a record as it is stored, so that nobody shares it.
type stored struct {
	text []byte
	etag string
}

// Schedules reads the rows of all schedules.
func (s *Store) Schedules(ctx context.Context) (map[string]state.Schedule, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := map[string]state.Schedule{}
	for name, there := range s.schedules {
		var row state.Schedule
		if err := json.Unmarshal(there.text, &row); err != nil {
			return nil, err
		}
		row.ETag = there.etag
		rows[name] = row
	}
	return rows, nil
}

// SaveSchedule writes a schedule's row if it still has its ETag.
func (s *Store) SaveSchedule(ctx context.Context, row state.Schedule) (string, error) {
	text, err := json.Marshal(row)
	if err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schedules[row.Name].etag != row.ETag {
		return "", fmt.Errorf("save schedule %s: %w", row.Name, state.ErrScheduleChanged)
	}
	etag := s.etag()
	s.schedules[row.Name] = stored{text: text, etag: etag}
	return etag, nil
}

// Excluded reads the exclusion of a resource.
func (s *Store) Excluded(ctx context.Context, resourceID string) (state.Exclusion, bool, error) {
	if err := ctx.Err(); err != nil {
		return state.Exclusion{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, found := s.exclusions[strings.ToLower(resourceID)]
	return x, found, nil
}

// RecordVerdict writes down the last verdict about a resource.
func (s *Store) RecordVerdict(ctx context.Context, v state.Verdict) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verdicts[strings.ToLower(v.ResourceID)] = v
	return nil
}

// Verdict reads the last verdict about a resource.
func (s *Store) Verdict(ctx context.Context, resourceID string) (state.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return state.Verdict{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, found := s.verdicts[strings.ToLower(resourceID)]
	if !found {
		return v, fmt.Errorf("read the verdict about %s: %w", resourceID, state.ErrNoVerdict)
	}
	return v, nil
}

// Verdicts gives one page of verdicts.
func (s *Store) Verdicts(ctx context.Context, q state.VerdictQuery) (state.VerdictPage, error) {
	after, err := q.After()
	if err != nil {
		return state.VerdictPage{}, err
	}
	if err := ctx.Err(); err != nil {
		return state.VerdictPage{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page state.VerdictPage
	for _, v := range slices.SortedFunc(maps.Values(s.verdicts), func(a, b state.Verdict) int { return strings.Compare(a.Key(), b.Key()) }) {
		switch {
		case v.Key() <= after || !q.Matches(v):
		case len(page.Verdicts) == q.Size():
			page.Continue = page.Verdicts[q.Size()-1].Continue()
			return page, nil
		default:
			page.Verdicts = append(page.Verdicts, v)
		}
	}
	return page, nil
}
