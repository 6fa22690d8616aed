package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
)

// plan chooses other items at each call.
type plan struct {
	calls int
	err   error
	items func(call int) ([]schedule.Item, int)
	// running is the function that the runner passed last.
	running func(schedule.Item) bool
}

func (p *plan) Items(_ context.Context, _ string, running func(schedule.Item) bool) ([]schedule.Item, int, error) {
	p.calls++
	p.running = running
	if p.err != nil {
		return nil, 0, p.err
	}
	items, left := p.items(p.calls)
	return items, left, nil
}

func (p *plan) Parameters(_ string, item schedule.Item) (json.RawMessage, error) {
	return json.Marshal(map[string]string{"itemId": item.ID})
}

func planItems(from, n int) []schedule.Item {
	var items []schedule.Item
	for i := from; i < from+n; i++ {
		items = append(items, schedule.Item{
			ID:    fmt.Sprintf("%s/backupFabrics/Azure/protectionContainers/c/protectedItems/i%d", vault, i),
			After: time.Duration(i) * time.Minute, Tags: map[string]string{"tier": "gold"},
		})
	}
	return items
}

// drills returns the runner of one host with a daily drill.
func (s *site) drills(p schedule.Plan, change func(*schedule.RunnerConfig)) *schedule.Runner {
	s.t.Helper()
	c := s.config("version: 1\nschedules: []")
	timing, err := schedule.NewTiming("0 4 * * *", "UTC")
	require.NoError(s.t, err)
	c.Kind, c.Schedules = schedule.Drills, []schedule.Schedule{{
		Kind: schedule.Drills, Name: "nightly", Timing: timing, Enabled: true, Missed: schedule.MissedOne, Overlap: schedule.OverlapSkip,
		Request: request.Request{Flow: "backup-now"}, Plan: p,
	}}
	if change != nil {
		change(&c)
	}
	return s.runner(c)
}

func TestPlan_StartsItsItemsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	p := &plan{items: func(int) ([]schedule.Item, int) { return planItems(0, 3), 7 }}
	r := s.drills(p, nil)
	s.tick(r, "2026-03-01T03:00:00")
	s.tick(r, "2026-03-01T04:00:00")
	s.tick(r, "2026-03-01T04:01:00")
	all := s.started()
	require.Len(t, all, 3)
	due := map[time.Duration]bool{}
	for key, op := range all {
		require.True(t, strings.HasPrefix(key, "drill:nightly:2026-03-01T04:00:"), key)
		require.Equal(t, map[string]string{"drill": "nightly", "slot": "2026-03-01T04:00"}, op.Labels)
		require.Equal(t, "drill:nightly", op.Cause.Actor.ID)
		due[op.DueAt.Sub(utc("2026-03-01T04:00:00"))] = true
	}
	require.Equal(t, map[time.Duration]bool{0: true, time.Minute: true, 2 * time.Minute: true}, due)
	require.Equal(t, 1, p.calls)
	list, _, err := r.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, list[0].Record.Skipped)
	require.Empty(t, list[0].Record.Chosen)
	require.Equal(t, "2026-03-01T04:00", list[0].Record.LastSlot)
}

// crashing is an engine that ends the process before a start.
type crashing struct {
	schedule.Starter
	mu   sync.Mutex
	left int
}

var errCrash = errors.New("process killed")

func (c *crashing) Start(ctx context.Context, r request.Request, o engine.Origin) (operation.Operation, bool, error) {
	c.mu.Lock()
	crash := c.left == 0
	if !crash {
		c.left--
	}
	c.mu.Unlock()
	if crash {
		return operation.Operation{}, false, errCrash
	}
	return c.Starter.Start(ctx, r, o)
}

// A crash after any start continues with the same items, although the plan would now
// choose others.
func TestPlan_ContinuesWithTheSameItemsAfterACrash(t *testing.T) {
	t.Parallel()
	for _, manual := range []bool{false, true} {
		for crashAfter := range 4 {
			s := newSite(t, "2026-03-01T03:00:00")
			p := &plan{items: func(call int) ([]schedule.Item, int) { return planItems(100*call, 3), 0 }}
			first := s.drills(p, func(c *schedule.RunnerConfig) { c.Engine = &crashing{Starter: c.Engine, left: crashAfter} })
			s.tick(first, "2026-03-01T03:00:00")
			at := utc("2026-03-01T04:00:00")
			if manual {
				at = utc("2026-03-01T03:30:00")
				_, err := first.RunNow(t.Context(), "nightly", "r1", operation.Cause{})
				require.NoError(t, err)
			}
			s.advance(at)
			_ = first.Tick(t.Context()) // the process may be killed
			second := s.drills(p, nil)
			require.NoError(t, second.Tick(t.Context()))
			require.NoError(t, second.Tick(t.Context()))
			keys := s.keys()
			require.Len(t, keys, 3, "crash after %d starts", crashAfter)
			require.Equal(t, 1, p.calls)
			for _, op := range s.started() {
				require.Contains(t, string(op.Parameters), "/i10")
			}
			require.Equal(t, manual, strings.Contains(keys[0], ":run-r1:"))
		}
	}
}

// Two hosts that choose different items start those of the host that saved first.
func TestPlan_HasOneChoiceOnTwoHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	p := &plan{}
	a := s.drills(p, nil)
	s.tick(a, "2026-03-01T03:00:00")
	s.advance(utc("2026-03-01T04:00:00"))
	p.items = func(call int) ([]schedule.Item, int) {
		if call == 1 { // the other host is faster
			require.NoError(t, a.Tick(t.Context()))
		}
		return planItems(100*call, 3), 0
	}
	require.NoError(t, s.drills(p, nil).Tick(t.Context()))
	require.Equal(t, 2, p.calls)
	require.Len(t, s.keys(), 3)
	for _, op := range s.started() {
		require.Contains(t, string(op.Parameters), "/i20")
	}
}

func TestPlan_RejectsARunWhoseStoredItemsAreUnreadable(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	p := &plan{items: func(int) ([]schedule.Item, int) { return planItems(0, 3), 0 }}
	r := s.drills(p, nil)
	s.tick(r, "2026-03-01T03:00:00")
	records, err := s.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	record := records["drill:nightly"]
	record.Slot, record.Chosen = "2026-03-01T04:00", json.RawMessage(`{"id":1}`)
	_, err = s.store.SaveScheduleRun(t.Context(), record)
	require.NoError(t, err)
	s.advance(utc("2026-03-01T04:00:00"))
	require.ErrorContains(t, r.Tick(t.Context()), "the items of the run cannot be read")
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "drill:nightly:2026-03-01T04:00:request")
	s.tick(r, "2026-03-02T04:00:00")
	require.Len(t, s.keys(), 3, "the next run is not affected")
}

func TestPlan_RejectsARunWithoutItemsAfterAnHour(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	p := &plan{err: errors.New("vault unreachable")}
	r := s.drills(p, nil)
	s.tick(r, "2026-03-01T03:00:00")
	s.advance(utc("2026-03-01T04:00:00"))
	require.Error(t, r.Tick(t.Context()))
	require.Empty(t, s.rejected)
	s.advance(utc("2026-03-01T05:00:00"))
	require.Error(t, r.Tick(t.Context()))
	require.Len(t, s.rejected, 1)
}

// A schedule and a drill of the same name share nothing.
func TestRunners_SeparateTheKinds(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	backups := s.host(`{version: 1, schedules: [{name: nightly, cron: "0 4 * * *", timeZone: UTC, request: ` + oneItem + `}]}`)
	p := &plan{items: func(int) ([]schedule.Item, int) { return planItems(0, 1), 0 }}
	drills := s.drills(p, nil)
	both := schedule.Runners{backups, drills}
	require.NoError(t, both.Tick(t.Context()))
	_, err := drills.Pause(t.Context(), "nightly", operation.Cause{Reason: "audit"})
	require.NoError(t, err)
	s.advance(utc("2026-03-01T04:00:00"))
	require.NoError(t, both.Tick(t.Context()))
	require.Equal(t, []string{"schedule:nightly:2026-03-01T04:00:request"}, s.keys())
	_, err = drills.Resume(t.Context(), "nightly")
	require.NoError(t, err)
	s.advance(utc("2026-03-02T04:00:00"))
	require.NoError(t, both.Tick(t.Context()))
	require.Len(t, s.keys(), 2, "the run of the schedule has not ended, the drill is another")

	records, err := s.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	var names []string
	for name, record := range records {
		require.Equal(t, name, record.Name)
		require.False(t, record.Off)
		names = append(names, name)
	}
	slices.Sort(names)
	require.Equal(t, []string{"drill:nightly", "nightly"}, names)

	// A drill that is removed from the file misses no runs.
	none := s.drills(p, func(c *schedule.RunnerConfig) { c.Schedules = nil })
	require.NoError(t, schedule.Runners{backups, none}.Tick(t.Context()))
	records, err = s.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.True(t, records["drill:nightly"].Off)
	require.False(t, records["nightly"].Off)
	_, err = drills.Find("none")
	require.ErrorIs(t, err, schedule.ErrNotFound)
	require.EqualError(t, err, `drill "none" not found; GET /api/drills lists the drills`)
}

func TestRunners_ReportAnUnavailableStore(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := s.drills(&plan{}, nil)
	require.ErrorContains(t, schedule.Runners{r}.Tick(ctx), "load the schedule records")
	require.NoError(t, schedule.Runners{}.Tick(ctx))
	_, err := schedule.NewRunner(schedule.RunnerConfig{})
	require.Error(t, err)
}

// A plan that chooses an item again whose operation runs starts no second one,
// although other runs were in between.
func TestPlan_SkipsAnItemUntilItsOperationHasEnded(t *testing.T) {
	t.Parallel()
	for _, manual := range []bool{false, true} {
		s := newSite(t, "2026-03-01T03:00:00")
		p := &plan{items: func(call int) ([]schedule.Item, int) { return planItems([]int{1, 2, 1, 1}[call-1], 1), 0 }}
		r := s.drills(p, nil)
		s.tick(r, "2026-03-01T03:00:00")
		day := utc("2026-03-01T04:00:00")
		next := func() {
			s.advance(day)
			require.NoError(t, r.Tick(t.Context()))
			day = day.AddDate(0, 0, 1)
		}
		if manual {
			_, err := r.RunNow(t.Context(), "nightly", "r1", operation.Cause{})
			require.NoError(t, err)
		} else {
			next()
		}
		require.Len(t, s.keys(), 1)
		next()
		next()
		require.Len(t, s.keys(), 2, "the first and the second run")
		require.True(t, p.running(planItems(1, 1)[0]))
		require.True(t, p.running(planItems(2, 1)[0]))
		require.False(t, p.running(planItems(3, 1)[0]))
		list, _, err := r.List(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, list[0].Record.Skipped)

		for _, key := range s.keys() {
			s.end(key)
		}
		next()
		require.Len(t, s.keys(), 3)
		list, _, err = r.List(t.Context())
		require.NoError(t, err)
		require.Len(t, list[0].Record.Behind, 1, "the record forgets what has ended")
	}
}

// A request for a run that is repeated after other requests starts nothing, although the
// plan would now choose other items.
func TestRunNow_StartsARepeatedRequestOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-03-01T03:00:00")
	p := &plan{items: func(call int) ([]schedule.Item, int) { return planItems(call, 1), 0 }}
	r := s.drills(p, nil)
	s.tick(r, "2026-03-01T03:00:00")
	request := func(id string) {
		slot, err := r.RunNow(t.Context(), "nightly", id, operation.Cause{})
		require.NoError(t, err)
		require.Equal(t, "run-"+id, slot)
	}
	for _, id := range []string{"a", "b", "a", "b"} {
		request(id)
	}
	require.Len(t, s.keys(), 2)
	for i := range 60 {
		request(fmt.Sprint("n", i))
	}
	for i := range 50 {
		request(fmt.Sprint("n", 59-i))
	}
	require.Len(t, s.keys(), 62)
	list, _, err := r.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, "run-n59", list[0].Record.LastManual)
	require.Len(t, list[0].Record.EarlierManual, 49, "the record does not grow")
}
