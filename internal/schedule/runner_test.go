package schedule_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/schedule/run"
	statememory "azbackupflow/internal/state/memory"
)

// site holds the stores of a runner and a clock that the test advances.
type site struct {
	t     *testing.T
	store *statememory.Store
	queue *queuememory.Queue
	clock *clockwork.FakeClock

	mu       sync.Mutex
	rejected []string
	log      bytes.Buffer
	items    []schedule.Item
	listing  error
}

func newSite(t *testing.T, now string) *site {
	t.Helper()
	return &site{t: t, store: statememory.New(), queue: &queuememory.Queue{}, clock: clockwork.NewFakeClockAt(utc(now))}
}

func (s *site) advance(to time.Time) {
	s.clock.Advance(to.Sub(s.clock.Now()))
}

// Items returns the items of the vault.
func (s *site) Items(context.Context, schedule.Selection) ([]schedule.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.items), s.listing
}

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

// Write stores log output.
func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// host returns the runner of one host.
func (s *site) host(yaml string) *schedule.Runner {
	s.t.Helper()
	return s.runner(s.config(yaml))
}

func (s *site) runner(c schedule.RunnerConfig) *schedule.Runner {
	s.t.Helper()
	r, err := schedule.NewRunner(c)
	require.NoError(s.t, err)
	return r
}

func (s *site) config(yaml string) schedule.RunnerConfig {
	s.t.Helper()
	flows, err := flow.New(flow.Config{Now: s.clock.Now})
	require.NoError(s.t, err)
	e, err := engine.New(engine.Config{
		Store: s.store, Queue: s.queue, Flows: flows, Waits: operation.AzureWaits(), Tenant: "test",
		Now: s.clock.Now, Jitter: func() float64 { return 0 }, NewID: uuid.NewString,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(s.t, err)
	schedules, err := schedule.Parse(schedule.FileName, []byte(yaml), e.Check)
	require.NoError(s.t, err)
	return schedule.RunnerConfig{
		Schedules: schedules, Store: s.store, Engine: e, Items: s, Tenant: "test", Now: s.clock.Now, SpeedFactor: 1,
		Reject: func(_ context.Context, key string, _ []byte, reason error) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.rejected = append(s.rejected, key+": "+reason.Error())
			return nil
		},
		Log: slog.New(slog.NewTextHandler(s, nil)),
	}
}

// started returns the operations by key.
func (s *site) started() map[string]operation.Operation {
	s.t.Helper()
	all := map[string]operation.Operation{}
	q := operation.Query{PageSize: operation.MaxPageSize}
	for {
		page, err := s.store.List(s.t.Context(), q)
		require.NoError(s.t, err)
		for _, op := range page.Operations {
			require.NotContains(s.t, all, op.Key)
			all[op.Key] = op
		}
		if q.Continue = page.Continue; q.Continue == "" {
			return all
		}
	}
}

func (s *site) keys() []string {
	var all []string
	for key := range s.started() {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// end marks an operation as succeeded.
func (s *site) end(key string) {
	s.t.Helper()
	op, ok := s.started()[key]
	require.True(s.t, ok, key)
	row, err := s.store.Load(s.t.Context(), op.ID)
	require.NoError(s.t, err)
	row.Operation.Status, row.Operation.Seq, row.Operation.EndedAt = operation.Succeeded, 9, s.clock.Now()
	_, err = s.store.Save(s.t.Context(), row, operation.Event{Seq: 9})
	require.NoError(s.t, err)
}

// tick advances the clock and runs one tick.
func (s *site) tick(r *schedule.Runner, at string) {
	s.t.Helper()
	s.advance(utc(at))
	require.NoError(s.t, r.Tick(s.t.Context()))
}

const (
	vault   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	oneItem = "{flow: backup-now, parameters: {itemId: " + vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i}}"
)

func daily(more string) string {
	return fmt.Sprintf("version: 1\nschedules:\n- name: daily\n  cron: 30 2 * * *\n  timeZone: Europe/Berlin\n  request: %s\n%s", oneItem, more)
}

// item returns the n-th item of the vault.
func item(n int) schedule.Item {
	return schedule.Item{ID: fmt.Sprintf("%s/backupFabrics/Azure/protectionContainers/c/protectedItems/i%04d", vault, n), Name: fmt.Sprintf("i%04d", n)}
}

func items(n int) []schedule.Item {
	all := make([]schedule.Item, n)
	for i := range all {
		all[i] = item(i)
	}
	return all
}

func allItems(more string) string {
	return "version: 1\nschedules:\n- name: daily\n  cron: 30 2 * * *\n  timeZone: UTC\n  select: {vaultId: " + vault + "}\n  request: {flow: backup-now, parameters: {}}\n" + more
}

// Two hosts tick every minute through both clock changes in two zones, and through
// the night after. Each day has one run.
func TestTick_RunsOnceADayAcrossClockChangesOnTwoHosts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, from string
		want       []string
	}{
		{"Europe/Berlin", "2026-03-28T11:00:00", []string{"2026-03-29T03:30", "2026-03-30T02:30"}},
		{"Europe/Berlin", "2026-10-24T11:00:00", []string{"2026-10-25T02:30", "2026-10-26T02:30"}},
		{"America/New_York", "2026-03-07T17:00:00", []string{"2026-03-08T03:30", "2026-03-09T02:30"}},
		{"America/New_York", "2026-10-31T16:00:00", []string{"2026-11-01T01:30", "2026-11-02T01:30"}},
	} {
		t.Run(c.zone+" "+c.from, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.from)
			yaml := strings.ReplaceAll(daily("  overlap: allow\n"), "Europe/Berlin", c.zone)
			if strings.HasSuffix(c.want[0], "01:30") {
				yaml = strings.ReplaceAll(yaml, "30 2 * * *", "30 1 * * *")
			}
			one, two := s.host(yaml), s.host(yaml)
			zone, err := time.LoadLocation(c.zone)
			require.NoError(t, err)
			for minute := range 48 * 60 {
				now := utc(c.from).Add(time.Duration(minute) * time.Minute)
				if now.In(zone).Hour() >= 5 && minute%60 > 0 {
					continue // by day, once an hour
				}
				s.advance(now)
				var hosts sync.WaitGroup
				failures := make([]error, 2)
				for i, host := range []*schedule.Runner{one, two} {
					hosts.Go(func() { failures[i] = host.Tick(t.Context()) })
				}
				hosts.Wait()
				require.NoError(t, errors.Join(failures...))
			}
			var want []string
			for _, slot := range c.want {
				want = append(want, "schedule:daily:"+slot+":request")
			}
			require.Equal(t, want, s.keys())
			for key, op := range s.started() {
				slot := strings.TrimSuffix(strings.TrimPrefix(key, "schedule:daily:"), ":request")
				require.Equal(t, map[string]string{"schedule": "daily", "slot": slot}, op.Labels)
				require.Equal(t, slot, op.CreatedAt.In(zone).Format("2006-01-02T15:04"), "the run starts in its minute")
			}
		})
	}
}

func TestTick_StartsNothingBeforeAScheduleIsFirstSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	r := s.host(daily(""))
	s.tick(r, "2026-11-20T12:00:00")
	require.Empty(t, s.keys())
	s.tick(r, "2026-11-21T01:30:10")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys())
}

func TestTick_AppliesThePolicyForMissedRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy, back string
		want         []string
	}{
		{"  missed: skip\n", "2026-11-24T12:00:00", nil},
		{"  missed: skip\n", "2026-11-24T01:35:00", []string{"2026-11-24T02:30"}},
		{"  missed: one\n", "2026-11-24T12:00:00", []string{"2026-11-24T02:30"}},
		{"  missed: all\n  overlap: allow\n", "2026-11-24T12:00:00", []string{"2026-11-21T02:30", "2026-11-22T02:30", "2026-11-23T02:30", "2026-11-24T02:30"}},
		{"  missed: all\n  overlap: allow\n  missedLimit: 2\n", "2026-11-24T12:00:00", []string{"2026-11-23T02:30", "2026-11-24T02:30"}},
		{"  missed: one\n", "2027-02-01T12:00:00", []string{"2027-02-01T02:30"}},
	} {
		t.Run(c.policy+c.back, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			r := s.host(daily(c.policy))
			s.tick(r, "2026-11-20T12:00:00")
			for range 3 {
				s.tick(r, c.back)
			}
			var want []string
			for _, slot := range c.want {
				want = append(want, "schedule:daily:"+slot+":request")
			}
			require.Equal(t, want, s.keys())
		})
	}
}

func TestTick_NeverMissesRunsOfDisabledOrChangedSchedules(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]string{
		"disabled": daily("  enabled: false\n"),
		"removed":  "version: 1\nschedules: []\n",
		"moved":    strings.ReplaceAll(daily(""), "30 2", "30 1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			on, config := s.host(daily("")), s.config(meanwhile)
			off := s.runner(config)
			s.tick(on, "2026-11-20T12:00:00")
			s.tick(off, "2026-11-20T13:00:00")
			if name == "moved" {
				config.Schedules = nil
				off = s.runner(config)
			}
			s.tick(off, "2026-11-21T13:00:00")
			s.tick(on, "2026-11-21T14:00:00")
			require.Empty(t, s.keys())
			s.tick(on, "2026-11-22T01:30:00")
			require.Equal(t, []string{"schedule:daily:2026-11-22T02:30:request"}, s.keys())
		})
	}
}

func TestTick_AppliesThePolicyForOverlappingRuns(t *testing.T) {
	t.Parallel()
	const first, second, third = "schedule:daily:2026-11-21T02:30:request", "schedule:daily:2026-11-22T02:30:request", "schedule:daily:2026-11-23T02:30:request"
	begin := func(t *testing.T, policy string) (*site, *schedule.Runner) {
		t.Helper()
		s := newSite(t, "2026-11-20T12:00:00")
		r := s.host(daily(policy))
		s.tick(r, "2026-11-20T12:00:00")
		s.tick(r, "2026-11-21T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		s.tick(r, "2026-11-22T01:30:00")
		return s, r
	}
	t.Run("skip skips every run until the first has ended", func(t *testing.T) {
		t.Parallel()
		s, r := begin(t, "  overlap: skip\n")
		require.Equal(t, []string{first}, s.keys())
		s.tick(r, "2026-11-23T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		require.Contains(t, s.log.String(), "run skipped: previous run has not ended")
		s.end(first)
		s.tick(r, "2026-11-24T01:30:00")
		require.Len(t, s.keys(), 2)
	})
	t.Run("queue starts the newest after the first has ended", func(t *testing.T) {
		t.Parallel()
		s, r := begin(t, "  overlap: queue\n")
		s.tick(r, "2026-11-23T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		s.end(first)
		s.tick(r, "2026-11-23T08:00:00")
		require.Equal(t, []string{first, third}, s.keys())
		s.tick(r, "2026-11-24T01:30:00")
		require.Equal(t, []string{first, third}, s.keys(), "the third run has not ended")
	})
	t.Run("allow starts the run", func(t *testing.T) {
		t.Parallel()
		s, _ := begin(t, "  overlap: allow\n")
		require.Equal(t, []string{first, second}, s.keys())
	})
	t.Run("a parked run delays nothing", func(t *testing.T) {
		t.Parallel()
		s, r := begin(t, "  overlap: skip\n")
		row, err := s.store.Load(t.Context(), s.started()[first].ID)
		require.NoError(t, err)
		row.Operation.Status = operation.Parked
		_, err = s.store.Save(t.Context(), row, operation.Event{Seq: 2})
		require.NoError(t, err)
		s.tick(r, "2026-11-23T01:30:00")
		require.Equal(t, []string{first, third}, s.keys())
	})
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
	require.Empty(t, s.rejected, "the second run replaced the first within the first hour")
	s.listing = nil
	s.tick(r, "2026-11-20T13:55:00")
	require.Equal(t, []string{"2026-11-20T13:30"}, slotsOf(s.keys()))
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
