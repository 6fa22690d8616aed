package statetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/schedule/run"
)

func scheduleRunTests() []test {
	return []test{
		{"a run is loaded as it was saved", scheduleRunIsLoaded},
		{"a run saved by another instance is not overwritten", scheduleRunIsGuarded},
		{"a new run is saved once", newScheduleRunOnce},
	}
}

func newScheduleRun(name string) run.Record {
	return run.Record{
		Name: name, Timing: "30 2 * * * Europe/Berlin", Handled: start(), LastSlot: "2025-03-01T02:30", Slot: "2025-03-02T02:30", Done: "ab", Chosen: json.RawMessage(`[{"id":"x"}]`),
		Behind:       map[string]run.Behind{"item": {Running: "2025-03-01T02:30", Waiting: "2025-03-02T02:30", Item: json.RawMessage(`{"id":"x"}`)}},
		FailingSince: start(), NotBefore: start().Add(time.Minute),
	}
}

func scheduleRunIsLoaded(t *testing.T, s Store) {
	runs, err := s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.Empty(t, runs)
	a, b := newScheduleRun("a"), newScheduleRun("b-"+strings.Repeat("x", 60))
	for _, r := range []*run.Record{&a, &b} {
		r.ETag, err = s.SaveScheduleRun(t.Context(), *r)
		require.NoError(t, err)
	}
	runs, err = s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]run.Record{a.Name: a, b.Name: b}, runs)
}

func scheduleRunIsGuarded(t *testing.T, s Store) {
	r := newScheduleRun("a")
	var err error
	r.ETag, err = s.SaveScheduleRun(t.Context(), r)
	require.NoError(t, err)
	first, second := r, r
	first.LastSlot, second.LastSlot = "first", "second"
	first.ETag, err = s.SaveScheduleRun(t.Context(), first)
	require.NoError(t, err)
	require.NotEqual(t, r.ETag, first.ETag)
	_, err = s.SaveScheduleRun(t.Context(), second)
	require.ErrorIs(t, err, run.ErrConflict)
	runs, err := s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, runs["a"])
}

func newScheduleRunOnce(t *testing.T, s Store) {
	_, err := s.SaveScheduleRun(t.Context(), newScheduleRun("a"))
	require.NoError(t, err)
	_, err = s.SaveScheduleRun(t.Context(), newScheduleRun("a"))
	require.ErrorIs(t, err, run.ErrConflict)
}
