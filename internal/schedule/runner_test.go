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

// site is a schedule's surroundings with a clock that the test turns.
type site struct {
	t     *testing.T
	store *statememory.Store
	queue *queuememory.Queue
	clock *clockwork.FakeClock

	mu       sync.Mutex
	refusals []string
	log      bytes.Buffer
	items    []schedule.Item
	listing  error
}

func newSite(t *testing.T, now string) *site {
	t.Helper()
	return &site{t: t, store: statememory.New(), queue: &queuememory.Queue{}, clock: clockwork.NewFakeClockAt(utc(now))}
}

func (s *site) turn(to time.Time) {
	s.clock.Advance(to.Sub(s.clock.Now()))
}

// Items is the vault's list.
func (s *site) Items(context.Context, schedule.Selection) ([]schedule.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.items), s.listing
}

// rows cuts the store off where the test wants.
type rows struct {
	schedule.Rows
	save func(run.Record) error
}

func (r rows) SaveScheduleRun(ctx context.Context, row run.Record) (string, error) {
	if err := r.save(row); err != nil {
		return "", err
	}
	return r.Rows.SaveScheduleRun(ctx, row)
}

// Write makes the site where its runners log to.
func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// host is one of the processes that look at the schedules.
func (s *site) host(yaml string) schedule.Runner {
	s.t.Helper()
	azure := flow.New(nil, s.clock.Now)
	book, err := azure.Book()
	require.NoError(s.t, err)
	e, err := engine.New(engine.Config{
		Store: s.store, Queue: s.queue, Book: book, Waits: operation.AzureWaits(), Tenant: "test",
		Clock: s.clock.Now, Jitter: func() float64 { return 0 }, NewID: uuid.NewString,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(s.t, err)
	schedules, err := schedule.Read(schedule.FileName, []byte(yaml), e.Check)
	require.NoError(s.t, err)
	return schedule.Runner{
		Schedules: schedules, Rows: s.store, Engine: e, Vaults: s, Tenant: "test", Now: s.clock.Now, Speed: 1,
		Refuse: func(_ context.Context, key string, _ []byte, why error) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refusals = append(s.refusals, key+": "+why.Error())
			return nil
		},
		Log: slog.New(slog.NewTextHandler(s, nil)),
	}
}

// started lists the operations by key, with when each was created.
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

// end ends an operation.
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

// tick turns the clock and looks.
func (s *site) tick(r schedule.Runner, at string) {
	s.t.Helper()
	s.turn(utc(at))
	require.NoError(s.t, r.Tick(s.t.Context()))
}

const (
	vault   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	oneItem = "{flow: backup-now, parameters: {itemId: " + vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i}}"
)

func daily(more string) string {
	return fmt.Sprintf("version: 1\nschedules:\n- name: daily\n  cron: 30 2 * * *\n  timeZone: Europe/Berlin\n  request: %s\n%s", oneItem, more)
}

// item is the n-th item of the vault.
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

func ofAll(more string) string {
	return "version: 1\nschedules:\n- name: daily\n  cron: 30 2 * * *\n  timeZone: UTC\n  select: {vaultId: " + vault + "}\n  request: {flow: backup-now, parameters: {}}\n" + more
}

// Both nights, in both zones, minute by minute, and the night after, by two hosts
// at the same moment: one run each day.
func TestADailyScheduleRunsOnceADayThroughBothNightsOnTwoHosts(t *testing.T) {
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
				s.turn(now)
				var hosts sync.WaitGroup
				failures := make([]error, 2)
				for i, host := range []schedule.Runner{one, two} {
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
				require.Equal(t, slot, op.CreatedAt.In(zone).Format("2006-01-02T15:04"), "it starts in its minute")
			}
		})
	}
}

func TestAScheduleBeginsWhenItIsFirstSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	r := s.host(daily(""))
	s.tick(r, "2026-11-20T12:00:00")
	require.Empty(t, s.keys())
	s.tick(r, "2026-11-21T01:30:10")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys())
}

func TestMissedRunsAreMadeGoodAsTheirPolicySays(t *testing.T) {
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

func TestARunThatIsSwitchedOffRemovedOrMovedIsNotMissed(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]string{
		"disabled": daily("  enabled: false\n"),
		"removed":  "version: 1\nschedules: []\n",
		"moved":    strings.ReplaceAll(daily(""), "30 2", "30 1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			on, off := s.host(daily("")), s.host(meanwhile)
			s.tick(on, "2026-11-20T12:00:00")
			s.tick(off, "2026-11-20T13:00:00")
			if name == "moved" {
				off.Schedules = nil
			}
			s.tick(off, "2026-11-21T13:00:00")
			s.tick(on, "2026-11-21T14:00:00")
			require.Empty(t, s.keys())
			s.tick(on, "2026-11-22T01:30:00")
			require.Equal(t, []string{"schedule:daily:2026-11-22T02:30:request"}, s.keys())
		})
	}
}

func TestARunWhosePredecessorStillRunsIsTreatedAsItsPolicySays(t *testing.T) {
	t.Parallel()
	const first, second, third = "schedule:daily:2026-11-21T02:30:request", "schedule:daily:2026-11-22T02:30:request", "schedule:daily:2026-11-23T02:30:request"
	begin := func(t *testing.T, policy string) (*site, schedule.Runner) {
		t.Helper()
		s := newSite(t, "2026-11-20T12:00:00")
		r := s.host(daily(policy))
		s.tick(r, "2026-11-20T12:00:00")
		s.tick(r, "2026-11-21T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		s.tick(r, "2026-11-22T01:30:00")
		return s, r
	}
	t.Run("skip leaves it out, and the next one too while the first runs", func(t *testing.T) {
		t.Parallel()
		s, r := begin(t, "  overlap: skip\n")
		require.Equal(t, []string{first}, s.keys())
		s.tick(r, "2026-11-23T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		require.Contains(t, s.log.String(), "this one is left out")
		s.end(first)
		s.tick(r, "2026-11-24T01:30:00")
		require.Len(t, s.keys(), 2)
	})
	t.Run("queue starts the newest when it has ended", func(t *testing.T) {
		t.Parallel()
		s, r := begin(t, "  overlap: queue\n")
		s.tick(r, "2026-11-23T01:30:00")
		require.Equal(t, []string{first}, s.keys())
		s.end(first)
		s.tick(r, "2026-11-23T08:00:00")
		require.Equal(t, []string{first, third}, s.keys())
		s.tick(r, "2026-11-24T01:30:00")
		require.Equal(t, []string{first, third}, s.keys(), "the third runs still")
	})
	t.Run("allow starts it", func(t *testing.T) {
		t.Parallel()
		s, _ := begin(t, "  overlap: allow\n")
		require.Equal(t, []string{first, second}, s.keys())
	})
	t.Run("one that is parked holds nothing up", func(t *testing.T) {
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

func TestASelectionIsStartedItemByItemAndSpread(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(150)
	r := s.host(ofAll(""))
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
		require.Equal(t, 48*time.Hour+wait, op.Deadline.Sub(s.clock.Now()), "the deadline counts from when it is due")
	}
	require.Len(t, ids, 150)
	require.Greater(t, len(due), 140)
}

// The process dies at each save in turn, and before each start: the next tick
// goes on, and each item has one operation in the end.
func TestARunThatIsCutOffGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	died := errors.New("the process died")
	for death := range 6 {
		t.Run(fmt.Sprint("at save ", death), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "2026-11-20T12:00:00")
			s.items = items(150)
			r := s.host(ofAll(""))
			s.tick(r, "2026-11-20T12:00:00")
			saves, lost := 0, death%2 == 1
			cut := r
			cut.Rows = rows{s.store, func(row run.Record) error {
				if saves++; saves-1 != death/2 {
					return nil
				}
				if lost { // it was saved, and the answer lost
					_, err := s.store.SaveScheduleRun(t.Context(), row)
					require.NoError(t, err)
				}
				return died
			}}
			s.turn(utc("2026-11-21T02:30:00"))
			require.ErrorIs(t, cut.Tick(t.Context()), died)
			before := len(s.keys())
			require.Positive(t, before)
			s.items = slices.Clone(s.items)
			slices.Reverse(s.items)
			s.tick(r, "2026-11-21T02:31:00")
			s.tick(r, "2026-11-21T02:32:00")
			require.Equal(t, 150, len(s.keys())) //nolint:testifylint // the keys would fill pages
		})
	}
}

func TestAVaultThatCannotBeReadIsTriedForAnHourAndThenRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(ofAll(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "AuthorizationFailed", Class: operation.UserAction, Message: "may not be read"}
	for minute := range 61 {
		s.turn(utc("2026-11-21T02:30:00").Add(time.Duration(minute) * time.Minute))
		require.ErrorContains(t, r.Tick(t.Context()), "may not be read")
		require.Len(t, s.refusals, minute/60, "minute %d", minute)
	}
	require.Contains(t, s.refusals[0], "schedule:daily:2026-11-21T02:30:request: AuthorizationFailed")
	s.listing = nil
	s.tick(r, "2026-11-21T05:00:00")
	require.Empty(t, s.keys(), "what was refused is not started later")
	s.tick(r, "2026-11-22T02:30:00")
	require.Len(t, s.keys(), 1)
}

func TestEachRunIsTriedForAnHourOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(strings.Replace(ofAll(""), "30 2 * * *", "30 * * * *", 1))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "away"}
	for minute := range 80 { // the first run at 12:31, the second from 13:30 on
		s.turn(utc("2026-11-20T12:31:00").Add(time.Duration(minute) * time.Minute))
		require.Error(t, r.Tick(t.Context()))
	}
	require.Empty(t, s.refusals, "the second run replaced the first before its hour was over, and began its own")
	s.listing = nil
	s.tick(r, "2026-11-20T13:55:00")
	require.Equal(t, []string{"2026-11-20T13:30"}, slotsOf(s.keys()))
}

func TestARunThatMayBeSkippedIsTriedForAnHourOnceItHasBegun(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(ofAll("  missed: skip\n"))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ServiceUnavailable", Class: operation.Transient, Message: "away"}
	for _, at := range []string{"2026-11-21T02:30:00", "2026-11-21T02:45:00", "2026-11-21T03:10:00"} {
		s.turn(utc(at))
		require.Error(t, r.Tick(t.Context()))
	}
	s.listing = nil
	s.tick(r, "2026-11-21T03:15:00")
	require.Len(t, s.keys(), 1)
}

// slotsOf are the slots in the keys of operations.
func slotsOf(keys []string) (slots []string) {
	for _, key := range keys {
		parts := strings.SplitN(key, ":", 4)
		slots = append(slots, parts[2]+":"+parts[3][:2])
	}
	return slots
}

func TestAMistakeInTheFileThrowsNoRunAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	right := s.host(daily(""))
	s.tick(right, "2026-11-20T12:00:00")
	wrong := right
	wrong.Schedules, wrong.Incomplete = nil, true
	for _, at := range []string{"2026-11-20T13:00:00", "2026-11-21T01:30:00", "2026-11-21T09:00:00"} {
		s.tick(wrong, at)
	}
	require.Empty(t, s.keys())
	s.tick(right, "2026-11-21T10:00:00")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys(), "the run of the night is made good")
}

func TestAVaultThatAsksForPatienceIsLeftAloneMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	r := s.host(ofAll(""))
	s.tick(r, "2026-11-20T12:00:00")
	s.listing = &operation.Error{Code: "ResourceRequestsThrottled", Class: operation.Throttled, RetryAfter: 324 * time.Second}
	s.turn(utc("2026-11-21T02:30:00"))
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

func TestARunThatCanNeverStartIsRefusedAndNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	yaml := strings.Replace(daily(""), "parameters: {", "parameters: {recoveryPointExpiryTimeInUTC: 2026-11-21T00:00:00Z, ", 1)
	r := s.host(yaml)
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T01:30:00")
	s.tick(r, "2026-11-21T01:31:00")
	require.Empty(t, s.keys())
	require.Len(t, s.refusals, 1)
	require.Contains(t, s.refusals[0], "parameters.recoveryPointExpiryTimeInUTC")
	require.Contains(t, s.refusals[0], "has passed")
}

func TestWhereTheTableIsAwayTheNextTickStartsTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	r := s.host(daily(""))
	s.tick(r, "2026-11-20T12:00:00")
	away, cancel := context.WithCancel(t.Context())
	cancel()
	s.turn(utc("2026-11-21T01:30:00"))
	require.Error(t, r.Tick(away))
	s.tick(r, "2026-11-21T01:31:00")
	require.Equal(t, []string{"schedule:daily:2026-11-21T02:30:request"}, s.keys())
}
