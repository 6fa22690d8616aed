package schedule_test

import (
	"bytes"
	"context"
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
		Kind:      schedule.Backups,
		Schedules: schedules, Store: s.store, Engine: e, Items: s, Tenant: "test", Now: s.clock.Now, SpeedFactor: 1,
		Reject: func(_ context.Context, _ time.Time, key string, _ []byte, reason error) error {
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
