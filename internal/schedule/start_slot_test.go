package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/schedule/run"
)

// failingStore fails saves as the test requires.
type failingStore struct {
	schedule.Store
	save func(run.Record) error
}

func (r failingStore) SaveScheduleRun(ctx context.Context, row run.Record) (string, error) {
	if err := r.save(row); err != nil {
		return "", err
	}
	return r.Store.SaveScheduleRun(ctx, row)
}

func TestTick_SpreadsTheItemsOfASelection(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(150)
	r := s.host(allItems(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T02:30:00")
	started := s.started()
	require.Len(t, started, 150)
	ids, due := map[string]bool{}, map[time.Time]bool{}
	for _, op := range started {
		var p flow.BackupNow
		require.NoError(t, json.Unmarshal(op.Parameters, &p))
		ids[p.ItemID] = true
		due[op.DueAt] = true
		wait := op.DueAt.Sub(s.clock.Now())
		require.True(t, wait >= 0 && wait <= 5*time.Minute, wait)
		require.Equal(t, 48*time.Hour+wait, op.Deadline.Sub(s.clock.Now()), "the deadline counts from the due time")
	}
	require.Len(t, ids, 150)
	require.Greater(t, len(due), 140)
}

// The process dies before or after each save. The next tick continues, and each
// item has exactly one operation.
func TestTick_ContinuesAfterACrash(t *testing.T) {
	t.Parallel()
	died := errors.New("the process died")
	for death := range 6 {
		t.Run(fmt.Sprint("at save ", death), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			s.items = items(150)
			config := s.config(allItems(""))
			r := s.runner(config)
			s.tick(r, "2026-11-20T12:00:00")
			saves, lost := 0, death%2 == 1
			config.Store = failingStore{s.store, func(row run.Record) error {
				if saves++; saves-1 != death/2 {
					return nil
				}
				if lost { // the save succeeded but the answer was lost
					_, err := s.store.SaveScheduleRun(t.Context(), row)
					require.NoError(t, err)
				}
				return died
			}}
			s.advance(utc("2026-11-21T02:30:00"))
			require.ErrorIs(t, s.runner(config).Tick(t.Context()), died)
			before := len(s.keys())
			require.Positive(t, before)
			s.items = slices.Clone(s.items)
			slices.Reverse(s.items)
			s.tick(r, "2026-11-21T02:31:00")
			s.tick(r, "2026-11-21T02:32:00")
			require.Equal(t, 150, len(s.keys())) //nolint:testifylint // the list of keys is long
		})
	}
}

func TestTick_RejectsARunAfterAnHourOfFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(allItems(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "AuthorizationFailed", Class: operation.UserAction, Message: "may not be read"}
	for minute := range 61 {
		s.advance(utc("2026-11-21T02:30:00").Add(time.Duration(minute) * time.Minute))
		require.ErrorContains(t, r.Tick(t.Context()), "may not be read")
		require.Len(t, s.rejected, minute/60, "minute %d", minute)
	}
	require.Contains(t, s.rejected[0], "schedule:daily:2026-11-21T02:30:request: AuthorizationFailed")
	s.listing = nil
	s.tick(r, "2026-11-21T05:00:00")
	require.Empty(t, s.keys(), "a rejected run is not started later")
	s.tick(r, "2026-11-22T02:30:00")
	require.Len(t, s.keys(), 1)
}

func TestTick_RetriesEachRunForItsOwnHour(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(strings.Replace(allItems(""), "30 2 * * *", "30 * * * *", 1))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "unavailable"}
	for minute := range 80 { // the first run at 12:31, the second from 13:30
		s.advance(utc("2026-11-20T12:31:00").Add(time.Duration(minute) * time.Minute))
		require.Error(t, r.Tick(t.Context()))
	}
	require.Len(t, s.rejected, 1, "the second run replaced the first, and has its own hour")
	require.Contains(t, s.rejected[0], "schedule:daily:2026-11-20T12:30:request: the run could not start since 2026-11-20T12:31:00Z")
	s.listing = nil
	s.tick(r, "2026-11-20T13:55:00")
	require.Len(t, s.rejected, 1)
	require.Equal(t, []string{"2026-11-20T13:30"}, slotsOf(s.keys()))
}

// A schedule that runs each hour reports each run that failed until the next, and
// counts each missed run once.
func TestTick_RejectsEachRunThatANewerRunReplaces(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"one", "skip"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:30:00")
			r := s.host(strings.Replace(allItems("  missed: "+policy+"\n"), "30 2 * * *", "0 * * * *", 1))
			s.tick(r, "2026-11-20T12:30:00")
			s.tick(r, "2026-11-20T13:00:00")
			s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "unavailable"}
			for minute := range 24 * 60 { // the runs from 17:00 on fail; those before are missed
				s.advance(utc("2026-11-20T17:00:00").Add(time.Duration(minute) * time.Minute))
				require.Error(t, r.Tick(t.Context()))
			}
			list, _, err := r.List(t.Context())
			require.NoError(t, err)
			require.Len(t, s.rejected, 23)
			require.Equal(t, 23, list[0].Record.Rejected)
			require.Equal(t, 3, list[0].Record.Skipped, "14:00, 15:00 and 16:00")
		})
	}
}

// A failing run that is missed when the app returns is rejected, although no other
// run starts.
func TestTick_RejectsAFailingRunThatIsMissed(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:30:00")
	r := s.host(strings.Replace(allItems("  missed: skip\n"), "30 2 * * *", "0 * * * *", 1))
	s.tick(r, "2026-11-20T12:30:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "unavailable"}
	s.advance(utc("2026-11-20T13:00:00"))
	require.Error(t, r.Tick(t.Context()))
	s.listing = nil
	s.tick(r, "2026-11-20T14:30:00")
	s.tick(r, "2026-11-20T14:31:00")
	require.Len(t, s.rejected, 1)
	list, _, err := r.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, list[0].Record.Rejected)
	require.Equal(t, 1, list[0].Record.Skipped, "the run at 14:00")
	require.Zero(t, list[0].Record.FailingSince)
}

// The process dies after a run that was replaced is rejected and before the record is
// saved. The rejection is repeated with the same key, and counted once.
func TestTick_RepeatsARejectionThatWasNotRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:30:00")
	config := s.config(strings.Replace(allItems(""), "30 2 * * *", "0 * * * *", 1))
	s.tick(s.runner(config), "2026-11-20T12:30:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "unavailable"}
	s.advance(utc("2026-11-20T13:00:00"))
	require.Error(t, s.runner(config).Tick(t.Context()))
	s.listing = nil
	died := errors.New("the process died")
	config.Store = failingStore{s.store, func(run.Record) error { return died }}
	s.advance(utc("2026-11-20T14:00:00"))
	require.ErrorIs(t, s.runner(config).Tick(t.Context()), died)
	config.Store = s.store
	s.tick(s.runner(config), "2026-11-20T14:01:00")
	require.Len(t, s.rejected, 2)
	require.Equal(t, s.rejected[0], s.rejected[1])
	list, _, err := s.runner(config).List(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, list[0].Record.Rejected)
}

// A schedule that is resumed has no failing run, and waits for no Retry-After.
func TestResume_ForgetsTheFailingRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:30:00")
	r := s.host(strings.Replace(allItems(""), "30 2 * * *", "0 * * * *", 1))
	s.tick(r, "2026-11-20T12:30:00")
	s.listing = &operation.Error{Code: "ResourceRequestsThrottled", Class: operation.Throttled, RetryAfter: 3 * time.Hour}
	s.advance(utc("2026-11-20T13:00:00"))
	require.Error(t, r.Tick(t.Context()))
	_, err := r.Pause(t.Context(), "daily", operation.Cause{})
	require.NoError(t, err)
	status, err := r.Resume(t.Context(), "daily")
	require.NoError(t, err)
	require.Zero(t, status.Record.FailingSince)
	require.Zero(t, status.Record.NotBefore)
}

func TestTick_RetriesAStartedRunThatMayBeSkipped(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(allItems("  missed: skip\n"))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "unavailable"}
	for _, at := range []string{"2026-11-21T02:30:00", "2026-11-21T02:45:00", "2026-11-21T03:10:00"} {
		s.advance(utc(at))
		require.Error(t, r.Tick(t.Context()))
	}
	s.listing = nil
	s.tick(r, "2026-11-21T03:15:00")
	require.Len(t, s.keys(), 1)
}

// slotsOf returns the slots in the keys of operations.
func slotsOf(keys []string) (slots []string) {
	for _, key := range keys {
		parts := strings.SplitN(key, ":", 4)
		slots = append(slots, parts[2]+":"+parts[3][:2])
	}
	return slots
}

func TestTick_KeepsRunsWhileTheFileIsInvalid(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	config := s.config(daily(""))
	right := s.runner(config)
	s.tick(right, "2026-11-20T12:00:00")
	config.Schedules, config.Incomplete = nil, true
	wrong := s.runner(config)
	for _, at := range []string{"2026-11-20T13:00:00", "2026-11-21T01:30:00", "2026-11-21T09:00:00"} {
		s.tick(wrong, at)
	}
	require.Empty(t, s.keys())
	s.tick(right, "2026-11-21T10:00:00")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys(), "the missed run is started")
}

func TestTick_HonorsRetryAfterOfTheVault(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(allItems(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ResourceRequestsThrottled", Class: operation.Throttled, RetryAfter: 324 * time.Second}
	s.advance(utc("2026-11-21T02:30:00"))
	require.Error(t, r.Tick(t.Context()))
	for minute := 31; minute <= 35; minute++ {
		s.tick(r, fmt.Sprintf("2026-11-21T02:%d:00", minute))
	}
	s.listing = nil
	s.tick(r, "2026-11-21T02:35:10")
	require.Empty(t, s.keys())
	s.tick(r, "2026-11-21T02:36:00")
	require.Len(t, s.keys(), 1)
}

func TestTick_RejectsARunThatCanNeverStart(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	yaml := strings.Replace(daily(""), "parameters: {", "parameters: {recoveryPointExpiryTimeInUTC: 2026-11-21T00:00:00Z, ", 1)
	r := s.host(yaml)
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T01:30:00")
	s.tick(r, "2026-11-21T01:31:00")
	require.Empty(t, s.keys())
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "parameters.recoveryPointExpiryTimeInUTC")
	require.Contains(t, s.rejected[0], "has passed")
}

func TestTick_RetriesAfterTheTableWasUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	r := s.host(daily(""))
	s.tick(r, "2026-11-20T12:00:00")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	s.advance(utc("2026-11-21T01:30:00"))
	require.Error(t, r.Tick(canceled))
	s.tick(r, "2026-11-21T01:31:00")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys())
}

// A requested run that is retried does not keep the schedule from its own runs.
func TestTick_StartsItsRunsWhileARequestedRunFails(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	config := s.config(allItems("  missed: skip\n"))
	config.Engine = failingManual{config.Engine}
	r := s.runner(config)
	s.tick(r, "2026-11-20T12:00:00")
	s.advance(utc("2026-11-21T02:20:00"))
	_, err := r.RunNow(t.Context(), "daily", "a", operation.Cause{})
	require.NoError(t, err)
	for minute := range 60 {
		s.advance(utc("2026-11-21T02:20:00").Add(time.Duration(minute) * time.Minute))
		require.ErrorContains(t, r.Tick(t.Context()), "requested run run-a: unavailable")
		require.Len(t, s.keys(), min(minute/10, 1), "minute %d", minute)
	}
	s.tick(r, "2026-11-21T03:20:00")
	require.Equal(t, []string{"2026-11-21T02:30"}, slotsOf(s.keys()))
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "schedule:daily:run-a:request")
	list, _, err := r.List(t.Context())
	require.NoError(t, err)
	require.Zero(t, list[0].Record.Skipped)
}

// failingManual is an engine that starts no requested runs.
type failingManual struct{ schedule.Starter }

func (e failingManual) Start(ctx context.Context, r request.Request, from engine.Origin) (operation.Operation, bool, error) {
	if strings.Contains(r.Key, ":run-") {
		return operation.Operation{}, false, errors.New("unavailable")
	}
	return e.Starter.Start(ctx, r, from)
}
