package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/schedule/run"
)

var errCutOff = errors.New("cut off")

// unreadableStore has rows that cannot be read: one operation, and the record of
// the schedule until it is replaced.
type unreadableStore struct {
	schedule.Store
	operation string
	record    *run.Record
}

func (s *unreadableStore) Load(ctx context.Context, id string) (engine.Row, error) {
	if id == s.operation {
		return engine.Row{}, &operation.Unreadable{Record: id, Err: errCutOff}
	}
	return s.Store.Load(ctx, id)
}

func (s *unreadableStore) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	runs, err := s.Store.LoadScheduleRuns(ctx)
	if s.record != nil {
		spoilt := *s.record
		spoilt.Name, spoilt.ETag = "daily", runs["daily"].ETag
		spoilt.Unreadable = &operation.Unreadable{Record: "daily", Err: errCutOff}
		runs["daily"] = spoilt
	}
	return runs, err
}

// unreadableStart is an engine that cannot read the operation of one key.
type unreadableStart struct {
	schedule.Starter
	key string
}

func (e unreadableStart) Start(ctx context.Context, r request.Request, o engine.Origin) (operation.Operation, bool, error) {
	if r.Key == e.key {
		return operation.Operation{}, false, &operation.Unreadable{Record: "op", Err: errCutOff}
	}
	return e.Starter.Start(ctx, r, o)
}

// An operation that cannot be read does not keep the schedule from its next run.
func TestTick_ContinuesAfterAnUnreadablePreviousRun(t *testing.T) {
	t.Parallel()
	for _, overlap := range []string{"skip", "queue"} {
		t.Run(overlap, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			s.items = items(2)
			config := s.config(allItems("  overlap: " + overlap + "\n"))
			s.tick(s.runner(config), "2026-11-20T12:00:00")
			s.tick(s.runner(config), "2026-11-21T02:30:00")
			s.tick(s.runner(config), "2026-11-22T02:30:00")
			require.Len(t, s.keys(), 2, "the runs of the first day have not ended")
			first := "schedule:daily:2026-11-21T02:30:" + keyOf(t, item(0))
			config.Store = &unreadableStore{Store: s.store, operation: s.started()[first].ID}
			s.tick(s.runner(config), "2026-11-23T02:30:00")
			last := "schedule:daily:2026-11-23T02:30:" + keyOf(t, item(0))
			require.Len(t, s.keys(), 3)
			if overlap == "skip" {
				require.Contains(t, s.keys(), last)
			}
			require.Contains(t, s.log.String(), "previous run unreadable")
			require.Empty(t, s.rejected)
		})
	}
}

// keyOf returns the part of a key that names the item.
func keyOf(t *testing.T, i schedule.Item) string {
	t.Helper()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = []schedule.Item{i}
	r := s.host(allItems(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T02:30:00")
	require.Len(t, s.keys(), 1)
	return s.keys()[0][len("schedule:daily:2026-11-21T02:30:"):]
}

// A run whose operation exists and cannot be read is rejected by itself: the runs
// of the other items start, also those of later chunks.
func TestTick_RejectsOnlyTheRunWhoseOperationIsUnreadable(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(100)
	config := s.config(allItems(""))
	bad := "schedule:daily:2026-11-21T02:30:" + keyOf(t, item(3))
	config.Engine = unreadableStart{config.Engine, bad}
	r := s.runner(config)
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T02:30:00")
	require.Len(t, s.keys(), 99)
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], bad)
	s.tick(r, "2026-11-21T02:31:00")
	require.Len(t, s.rejected, 1)
}

// A waiting run whose item cannot be read is rejected, and the schedule continues.
func TestTick_RejectsAWaitingRunWhoseItemIsUnreadable(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	r := s.host(daily("  overlap: queue\n"))
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T01:30:00")
	s.tick(r, "2026-11-22T01:30:00")
	runs, err := s.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	record := runs["daily"]
	require.Len(t, record.Behind, 1)
	for key, b := range record.Behind {
		require.NotEmpty(t, b.Waiting)
		b.Item = json.RawMessage(`7`)
		record.Behind[key] = b
	}
	_, err = s.store.SaveScheduleRun(t.Context(), record)
	require.NoError(t, err)
	s.end("schedule:daily:2026-11-21T02:30:request")
	s.tick(r, "2026-11-22T01:31:00")
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "schedule:daily:2026-11-22T02:30:request: the waiting item request cannot be read")
	s.tick(r, "2026-11-23T01:30:00")
	require.Len(t, s.rejected, 1, "it is rejected once")
	require.Contains(t, s.keys(), "schedule:daily:2026-11-23T02:30:request")
}

// A schedule whose record cannot be read replaces it, reports that, and runs
// on. The runs that it missed start if the time of the last run is known.
func TestTick_ReplacesAnUnreadableRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		known bool
		want  []string
		lost  string
	}{
		"time known":    {true, []string{"2026-11-21T02:30", "2026-11-22T02:30", "2026-11-23T02:30"}, "previous run do not start"},
		"nothing known": {false, []string{"2026-11-21T02:30", "2026-11-23T02:30"}, "previous run and missed runs do not start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			config := s.config(daily("  overlap: allow\n  missed: all\n") + "- name: other\n  cron: 0 0 1 1 *\n  timeZone: UTC\n  request: " + oneItem + "\n")
			s.tick(s.runner(config), "2026-11-20T12:00:00")
			s.tick(s.runner(config), "2026-11-21T01:30:00")
			spoilt := &run.Record{}
			if c.known {
				runs, err := s.store.LoadScheduleRuns(t.Context())
				require.NoError(t, err)
				record := runs["daily"]
				spoilt = &run.Record{Timing: record.Timing, Handled: record.Handled, LastSlot: record.LastSlot}
			}
			store := &unreadableStore{Store: s.store, record: spoilt}
			config.Store = store
			s.tick(s.runner(config), "2026-11-22T12:00:00")
			require.Len(t, s.rejected, 1)
			require.Contains(t, s.rejected[0], "the record of schedule daily cannot be read and is replaced")
			require.Contains(t, s.rejected[0], c.lost)
			require.Contains(t, s.log.String(), "schedule record unreadable")
			store.record = nil
			s.tick(s.runner(config), "2026-11-22T12:01:00")
			s.tick(s.runner(config), "2026-11-23T01:30:00")
			var want []string
			for _, slot := range c.want {
				want = append(want, "schedule:daily:"+slot+":request")
			}
			require.Equal(t, want, s.keys())
			require.Len(t, s.rejected, 1)
		})
	}
}

// A repeated rejection has the time of its run, so that it is recorded once.
func TestTick_RejectsWithTheTimeOfTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	config := s.config(daily(""))
	s.tick(s.runner(config), "2026-11-20T12:00:00")
	var times []time.Time
	config.Engine = takenKeys{}
	config.Reject = func(_ context.Context, at time.Time, _ string, _ []byte, _ error) error {
		times = append(times, at.UTC())
		return errors.New("storage is unavailable")
	}
	for _, at := range []string{"2026-11-21T01:30:05", "2026-11-21T01:31:05"} {
		s.advance(utc(at))
		require.Error(t, s.runner(config).Tick(t.Context()))
	}
	require.Equal(t, []time.Time{utc("2026-11-21T01:30:00"), utc("2026-11-21T01:30:00")}, times)
}
