package jobcache_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
)

const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"

// azure is a fake of a vault. It records the since time of each list.
type azure struct {
	mu    sync.Mutex
	clock *clockwork.FakeClock
	jobs  []jobcache.Job
	since []time.Time
	calls int
	err   error
	ids   int
}

func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func (a *azure) newID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids++
	return fmt.Sprint("lease ", a.ids)
}

func (a *azure) list(_ context.Context, since time.Time) ([]jobcache.Job, int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since = append(a.since, since)
	return append([]jobcache.Job(nil), a.jobs...), a.calls, a.err
}

func (a *azure) lists() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.since)
}

// running adds a running job of the given age and returns its name.
func (a *azure) running(age time.Duration) string {
	name := fmt.Sprintf("job-%d", len(a.jobs))
	a.jobs = append(a.jobs, jobcache.Job{Name: name, Status: "InProgress", Start: a.clock.Now().Add(-age)})
	return name
}

func newAzure() *azure { return &azure{clock: clockwork.NewFakeClockAt(morning()), calls: 1} }

// cache returns the cache of one instance of the app.
func (a *azure) cache(t *testing.T, store jobcache.Store, change ...func(*jobcache.Config)) *jobcache.Cache {
	c := jobcache.Config{Store: store, Now: a.clock.Now, NewID: a.newID, Waits: operation.AzureWaits()}
	for _, f := range change {
		f(&c)
	}
	t.Helper()
	made, err := jobcache.New(c)
	require.NoError(t, err)
	return made
}

func newStore() jobcache.Store { return state.SharedRows{Store: memory.New(), Kind: "jobs"} }

func (a *azure) query(job string) jobcache.Query {
	q := jobcache.Query{Vault: vault, Job: job, RequestedAt: a.clock.Now(), Own: true, List: a.list}
	for _, j := range a.jobs {
		if j.Name == job {
			q.RequestedAt = j.Start
		}
	}
	return q
}

func find(t *testing.T, c *jobcache.Cache, q jobcache.Query) jobcache.Result {
	t.Helper()
	got, err := c.Find(t.Context(), q)
	require.NoError(t, err)
	return got
}

// fill makes other jobs wait, so that the cache lists the vault.
func (a *azure) fill(t *testing.T, c *jobcache.Cache) {
	t.Helper()
	for _, other := range []string{"other-1", "other-2"} {
		find(t, c, a.query(other))
	}
}

func TestCache_FewJobsAreReadDirectlyAndMoreAreListedOnce(t *testing.T) {
	t.Parallel()
	a := newAzure()
	c := a.cache(t, newStore())
	jobs := []string{a.running(time.Hour), a.running(time.Hour), a.running(time.Hour), a.running(time.Hour)}
	for _, job := range jobs[:2] {
		require.True(t, find(t, c, a.query(job)).ReadDirectly)
	}
	require.Zero(t, a.lists())
	for _, job := range []string{jobs[2], jobs[3], jobs[0], jobs[1]} {
		got := find(t, c, a.query(job))
		require.True(t, got.Listed)
		require.Equal(t, job, got.Job.Name)
		require.Positive(t, got.Next)
	}
	require.Equal(t, 1, a.lists())
	for _, job := range jobs[:2] {
		c.Forget(vault, job)
	}
	require.True(t, find(t, c, a.query(jobs[3])).ReadDirectly, "two jobs are left")
}

func TestCache_IntervalFollowsYoungestRunningJob(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ages []time.Duration
		want time.Duration
	}{
		"all jobs are old: maximum":         {[]time.Duration{5 * time.Hour, 3 * time.Hour}, 9 * time.Minute},
		"a tenth of the youngest job's age": {[]time.Duration{5 * time.Hour, 50 * time.Minute}, 270 * time.Second},
		"a job has just started: minimum":   {[]time.Duration{5 * time.Hour, time.Minute}, 27 * time.Second},
		"ended jobs do not count":           {[]time.Duration{5 * time.Hour, 3 * time.Hour, -1}, 9 * time.Minute},
		"the order of jobs does not matter": {[]time.Duration{50 * time.Minute, 5 * time.Hour}, 270 * time.Second},
		"at a tenth equal to the maximum":   {[]time.Duration{100 * time.Minute}, 9 * time.Minute},
		"never above the maximum":           {[]time.Duration{47 * time.Hour}, 9 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAzure()
			c := a.cache(t, newStore())
			for _, age := range test.ages {
				if age >= 0 {
					a.running(age)
					continue
				}
				a.jobs = append(a.jobs, jobcache.Job{Name: "done", Status: "Completed", Start: a.clock.Now().Add(-time.Minute)})
			}
			a.fill(t, c)
			got := find(t, c, a.query("job-0"))
			require.Equal(t, test.want, got.Next)
			a.clock.Advance(test.want - time.Second)
			require.Equal(t, time.Second, find(t, c, a.query("job-0")).Next)
			require.Equal(t, 1, a.lists())
			a.clock.Advance(time.Second)
			find(t, c, a.query("job-0"))
			require.Equal(t, 2, a.lists())
		})
	}
}

// A list with many pages takes many reads of the quota, so it is made less often.
func TestCache_IntervalGrowsWithLittleQuotaLeft(t *testing.T) {
	t.Parallel()
	a := newAzure()
	a.calls = 7
	var calls []int
	c := a.cache(t, newStore(), func(c *jobcache.Config) {
		c.MinGap = func(of string, n int) time.Duration {
			require.Equal(t, vault, of)
			calls = append(calls, n)
			return time.Duration(n) * 10 * time.Minute
		}
	})
	job := a.running(time.Minute)
	others := []string{a.running(time.Minute), a.running(time.Minute)}
	require.True(t, find(t, c, a.query(others[0])).ReadDirectly)
	require.True(t, find(t, c, a.query(others[1])).ReadDirectly)
	for _, each := range []string{job, others[0], others[1]} {
		require.Equal(t, 70*time.Minute, find(t, c, a.query(each)).Next)
	}
	require.Equal(t, []int{7}, calls)
	a.clock.Advance(69 * time.Minute)
	require.Equal(t, time.Minute, find(t, c, a.query(job)).Next)
	require.Equal(t, 1, a.lists())
	a.clock.Advance(time.Minute)
	a.calls = 1
	require.Equal(t, 10*time.Minute, find(t, c, a.query(job)).Next, "one page: a shorter gap")
}

func TestCache_MissingJobIsReadDirectlyAfterListDelay(t *testing.T) {
	t.Parallel()
	a := newAzure()
	c := a.cache(t, newStore())
	old := a.running(time.Hour)
	a.fill(t, c)
	missing := a.query("missing")
	find(t, c, a.query(old))
	got := find(t, c, missing)
	require.False(t, got.ReadDirectly, "it may have started after the list was made")
	require.False(t, got.Listed)
	require.Positive(t, got.Next)
	waited := time.Duration(0)
	for ; !got.ReadDirectly; got = find(t, c, missing) {
		require.Less(t, waited, time.Minute)
		waited += got.Next
		a.clock.Advance(got.Next)
	}
	lists := a.lists()
	foreign := jobcache.Query{Vault: vault, Job: "foreign", RequestedAt: a.clock.Now(), List: a.list}
	require.True(t, find(t, c, foreign).ReadDirectly, "a job that something else started is older than its operation")
	require.Equal(t, lists, a.lists())
}

func TestCache_ListGoesBackToOldestRunningJob(t *testing.T) {
	t.Parallel()
	a := newAzure()
	c := a.cache(t, newStore())
	old, middle, young := a.running(30*time.Hour), a.running(2*time.Hour), a.running(time.Hour)
	a.fill(t, c)
	all := func() {
		for _, job := range []string{old, middle, young} {
			find(t, c, a.query(job))
		}
		a.clock.Advance(9 * time.Minute)
	}
	all()
	all()
	require.Equal(t, []time.Time{morning().Add(-30*time.Hour - time.Minute), morning().Add(-30*time.Hour - time.Minute)}, a.since)
	a.jobs[0].Status = "Completed"
	all()
	all()
	require.Equal(t, morning().Add(-2*time.Hour-time.Minute), a.since[3])
	a.jobs = a.jobs[1:]
	require.Equal(t, "Completed", find(t, c, jobcache.Query{Vault: vault, Job: old, List: a.list}).Job.Status, "kept for operations that have not checked it yet")
}

func TestCache_InstanceUsesListOfAnotherInstance(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	one, two := a.cache(t, store), a.cache(t, store)
	job := a.running(time.Hour)
	a.fill(t, one)
	find(t, one, a.query(job))
	a.fill(t, two)
	require.True(t, find(t, two, a.query(job)).Listed)
	require.Equal(t, 1, a.lists())
}

// Jobs that no operation has checked for a while do not keep the list alive.
func TestCache_ForgottenWaitersDoNotCount(t *testing.T) {
	t.Parallel()
	a := newAzure()
	c := a.cache(t, newStore())
	a.fill(t, c)
	a.clock.Advance(time.Hour)
	require.True(t, find(t, c, a.query(a.running(time.Hour))).ReadDirectly)
	require.Zero(t, a.lists())
}

// A job that something else started is checked as often as the vault's list is
// due, whatever the age of the request that follows it.
func TestCache_FollowedJobDoesNotShortenTheInterval(t *testing.T) {
	t.Parallel()
	a := newAzure()
	c := a.cache(t, newStore())
	job := a.running(2 * time.Hour)
	a.fill(t, c)
	q := a.query(job)
	q.Own, q.RequestedAt = false, a.clock.Now()
	first := find(t, c, q)
	require.True(t, first.Listed)
	require.Greater(t, first.Next, 5*time.Minute)
	a.clock.Advance(2 * time.Minute)
	require.True(t, find(t, c, q).Listed)
	require.Equal(t, 1, a.lists())
}
