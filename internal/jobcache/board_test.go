package jobcache_test

import (
	"context"
	"errors"
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

// azure is a vault's jobs, and who listed them since when.
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

// running adds a job that started so long ago, and gives its name.
func (a *azure) running(age time.Duration) string {
	name := fmt.Sprintf("job-%d", len(a.jobs))
	a.jobs = append(a.jobs, jobcache.Job{Name: name, Status: "InProgress", Start: a.clock.Now().Add(-age)})
	return name
}

func newAzure() *azure { return &azure{clock: clockwork.NewFakeClockAt(morning()), calls: 1} }

// board is an instance of the app.
func (a *azure) board(shelf jobcache.Shelf, change ...func(*jobcache.Config)) *jobcache.Board {
	c := jobcache.Config{Shelf: shelf, Clock: a.clock.Now, NewID: a.newID, Waits: operation.AzureWaits()}
	for _, f := range change {
		f(&c)
	}
	return jobcache.New(c)
}

func newShelf() jobcache.Shelf { return state.Shelf{Rows: memory.New(), Kind: "jobs"} }

func (a *azure) query(job string) jobcache.Query {
	q := jobcache.Query{Vault: vault, Job: job, Since: a.clock.Now(), Asked: true, List: a.list}
	for _, j := range a.jobs {
		if j.Name == job {
			q.Since = j.Start
		}
	}
	return q
}

func find(t *testing.T, b *jobcache.Board, q jobcache.Query) jobcache.Answer {
	t.Helper()
	got, err := b.Find(t.Context(), q)
	require.NoError(t, err)
	return got
}

// crowd makes a board know that many wait.
func (a *azure) crowd(t *testing.T, b *jobcache.Board) {
	t.Helper()
	for _, other := range []string{"other-1", "other-2"} {
		find(t, b, a.query(other))
	}
}

func TestFew_jobs_are_read_alone_and_more_are_listed_once(t *testing.T) {
	t.Parallel()
	a := newAzure()
	b := a.board(newShelf())
	jobs := []string{a.running(time.Hour), a.running(time.Hour), a.running(time.Hour), a.running(time.Hour)}
	for _, job := range jobs[:2] {
		require.True(t, find(t, b, a.query(job)).Alone)
	}
	require.Zero(t, a.lists())
	for _, job := range []string{jobs[2], jobs[3], jobs[0], jobs[1]} {
		got := find(t, b, a.query(job))
		require.True(t, got.Listed)
		require.Equal(t, job, got.Job.Name)
		require.Positive(t, got.Next)
	}
	require.Equal(t, 1, a.lists())
	for _, job := range jobs[:2] {
		b.Forget(vault, job)
	}
	require.True(t, find(t, b, a.query(jobs[3])).Alone, "two are left")
}

func TestThe_interval_follows_the_youngest_job_that_runs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ages []time.Duration
		want time.Duration
	}{
		"all are old: the longest wait":        {[]time.Duration{5 * time.Hour, 3 * time.Hour}, 9 * time.Minute},
		"a tenth of the age of the youngest":   {[]time.Duration{5 * time.Hour, 50 * time.Minute}, 270 * time.Second},
		"one has just begun: the shortest":     {[]time.Duration{5 * time.Hour, time.Minute}, 27 * time.Second},
		"one that has ended does not count":    {[]time.Duration{5 * time.Hour, 3 * time.Hour, -1}, 9 * time.Minute},
		"what began between does not count":    {[]time.Duration{50 * time.Minute, 5 * time.Hour}, 270 * time.Second},
		"nobody asks sooner than it is worth":  {[]time.Duration{100 * time.Minute}, 9 * time.Minute},
		"and later than the longest wait none": {[]time.Duration{47 * time.Hour}, 9 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAzure()
			b := a.board(newShelf())
			for _, age := range c.ages {
				if age >= 0 {
					a.running(age)
					continue
				}
				a.jobs = append(a.jobs, jobcache.Job{Name: "done", Status: "Completed", Start: a.clock.Now().Add(-time.Minute)})
			}
			a.crowd(t, b)
			got := find(t, b, a.query("job-0"))
			require.Equal(t, c.want, got.Next)
			a.clock.Advance(c.want - time.Second)
			require.Equal(t, time.Second, find(t, b, a.query("job-0")).Next)
			require.Equal(t, 1, a.lists())
			a.clock.Advance(time.Second)
			find(t, b, a.query("job-0"))
			require.Equal(t, 2, a.lists())
		})
	}
}

// A list of many pages takes many reads of the quota: it is made less often.
func TestThe_interval_grows_where_little_of_the_quota_is_left_for_its_pages(t *testing.T) {
	t.Parallel()
	a := newAzure()
	a.calls = 7
	var asked []int
	b := a.board(newShelf(), func(c *jobcache.Config) {
		c.Pace = func(of string, calls int) time.Duration {
			require.Equal(t, vault, of)
			asked = append(asked, calls)
			return time.Duration(calls) * 10 * time.Minute
		}
	})
	job := a.running(time.Minute)
	others := []string{a.running(time.Minute), a.running(time.Minute)}
	require.True(t, find(t, b, a.query(others[0])).Alone)
	require.True(t, find(t, b, a.query(others[1])).Alone)
	for _, each := range []string{job, others[0], others[1]} {
		require.Equal(t, 70*time.Minute, find(t, b, a.query(each)).Next)
	}
	require.Equal(t, []int{7}, asked)
	a.clock.Advance(69 * time.Minute)
	require.Equal(t, time.Minute, find(t, b, a.query(job)).Next)
	require.Equal(t, 1, a.lists())
	a.clock.Advance(time.Minute)
	a.calls = 1
	require.Equal(t, 10*time.Minute, find(t, b, a.query(job)).Next, "one page: a shorter wait")
}

func TestA_job_that_is_missing_from_the_list_is_read_alone_but_not_at_once(t *testing.T) {
	t.Parallel()
	a := newAzure()
	b := a.board(newShelf())
	old := a.running(time.Hour)
	a.crowd(t, b)
	missing := a.query("missing")
	find(t, b, a.query(old))
	got := find(t, b, missing)
	require.False(t, got.Alone, "it may have begun after the list was made")
	require.False(t, got.Listed)
	require.Positive(t, got.Next)
	waited := time.Duration(0)
	for ; !got.Alone; got = find(t, b, missing) {
		require.Less(t, waited, time.Minute)
		waited += got.Next
		a.clock.Advance(got.Next)
	}
	lists := a.lists()
	stranger := jobcache.Query{Vault: vault, Job: "stranger", Since: a.clock.Now(), List: a.list}
	require.True(t, find(t, b, stranger).Alone, "a job that something else started is older than its operation")
	require.Equal(t, lists, a.lists())
}

func TestA_listing_reaches_back_to_the_oldest_job_that_runs(t *testing.T) {
	t.Parallel()
	a := newAzure()
	b := a.board(newShelf())
	old, middle, young := a.running(30*time.Hour), a.running(2*time.Hour), a.running(time.Hour)
	a.crowd(t, b)
	all := func() {
		for _, job := range []string{old, middle, young} {
			find(t, b, a.query(job))
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
	require.Equal(t, "Completed", find(t, b, jobcache.Query{Vault: vault, Job: old, List: a.list}).Job.Status, "kept for who has not looked yet")
}

func TestAn_instance_answers_from_what_another_listed(t *testing.T) {
	t.Parallel()
	a, shelf := newAzure(), newShelf()
	one, two := a.board(shelf), a.board(shelf)
	job := a.running(time.Hour)
	a.crowd(t, one)
	find(t, one, a.query(job))
	a.crowd(t, two)
	require.True(t, find(t, two, a.query(job)).Listed)
	require.Equal(t, 1, a.lists())
}

// together holds two instances' reads of the row until both have read it.
type together struct {
	jobcache.Shelf

	mu      sync.Mutex
	waiting int
	both    chan struct{}
}

func (s *together) Get(ctx context.Context, key string) ([]byte, string, error) {
	value, etag, err := s.Shelf.Get(ctx, key)
	s.mu.Lock()
	if s.waiting++; s.waiting == 2 {
		close(s.both)
	}
	s.mu.Unlock()
	select {
	case <-s.both:
	case <-ctx.Done():
	}
	return value, etag, err
}

func TestOf_two_instances_that_find_the_list_old_exactly_one_lists(t *testing.T) {
	t.Parallel()
	a := newAzure()
	shelf := &together{Shelf: newShelf(), both: make(chan struct{})}
	job := a.running(time.Hour)
	answers := make([]jobcache.Answer, 2)
	var group sync.WaitGroup
	for i := range answers {
		b := a.board(shelf)
		// Two that are read alone: the third asks for the list.
		require.True(t, find(t, b, a.query("x")).Alone)
		require.True(t, find(t, b, a.query("y")).Alone)
		group.Go(func() {
			var err error
			if answers[i], err = b.Find(t.Context(), a.query(job)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Equal(t, 1, a.lists())
	listed := 0
	for _, got := range answers {
		require.False(t, got.Alone)
		require.Positive(t, got.Next)
		if got.Listed {
			listed++
		}
	}
	require.Equal(t, 1, listed, "the other looks again soon")
}

func TestThe_list_of_an_instance_that_died_is_made_by_another_when_its_lease_ends(t *testing.T) {
	t.Parallel()
	a, shelf := newAzure(), newShelf()
	one, two := a.board(shelf), a.board(shelf)
	job := a.running(time.Hour)
	a.crowd(t, one)
	a.crowd(t, two)
	dying := a.query(job)
	dying.List = func(context.Context, time.Time) ([]jobcache.Job, int, error) { panic("killed") }
	require.Panics(t, func() { _, _ = one.Find(t.Context(), dying) })
	waited := time.Duration(0)
	for a.lists() == 0 {
		got := find(t, two, a.query(job))
		require.False(t, got.Alone)
		if a.lists() == 0 {
			require.Positive(t, got.Next)
			waited += got.Next
			a.clock.Advance(got.Next)
		}
	}
	require.Equal(t, 2*time.Minute, waited)
}

func TestWhat_Azure_refuses_is_not_asked_again_before_it_allows(t *testing.T) {
	t.Parallel()
	a, shelf := newAzure(), newShelf()
	one, two := a.board(shelf), a.board(shelf)
	job := a.running(time.Hour)
	for _, b := range []*jobcache.Board{one, two} {
		require.True(t, find(t, b, a.query("x")).Alone)
		require.True(t, find(t, b, a.query("y")).Alone)
	}
	a.err = &operation.Error{Code: "TooManyRequests", Class: operation.Throttled, RetryAfter: 20 * time.Minute}
	_, err := one.Find(t.Context(), a.query(job))
	require.ErrorIs(t, err, a.err)
	a.err = nil
	a.clock.Advance(time.Minute)
	require.Equal(t, 19*time.Minute, find(t, two, a.query(job)).Next)
	require.Equal(t, 1, a.lists())
	a.clock.Advance(19 * time.Minute)
	require.True(t, find(t, two, a.query(job)).Listed)
}

// away is a shelf that cannot be reached.
type away struct {
	jobcache.Shelf

	gets, puts bool
}

var errAway = errors.New("the table is away")

func (s *away) Get(ctx context.Context, key string) ([]byte, string, error) {
	if s.gets {
		return nil, "", errAway
	}
	return s.Shelf.Get(ctx, key)
}

func (s *away) Put(ctx context.Context, key string, value []byte, etag string) (string, bool, error) {
	if s.puts {
		return "", false, errAway
	}
	return s.Shelf.Put(ctx, key, value, etag)
}

func TestWhere_the_row_is_out_of_reach_jobs_are_read_alone(t *testing.T) {
	t.Parallel()
	a := newAzure()
	shelf := &away{Shelf: newShelf(), gets: true}
	b := a.board(shelf)
	job := a.running(time.Hour)
	a.crowd(t, b)
	require.True(t, find(t, b, a.query(job)).Alone)
	shelf.gets, shelf.puts = false, true
	require.True(t, find(t, b, a.query(job)).Alone)
	require.Zero(t, a.lists(), "nobody could learn of what it would tell")
	shelf.puts = false
	require.True(t, find(t, b, a.query(job)).Listed)
	shelf.gets, shelf.puts = true, true
	require.True(t, find(t, b, a.query(job)).Listed, "as long as the list is new enough")
	a.clock.Advance(time.Hour)
	require.True(t, find(t, b, a.query(job)).Alone)
	require.Equal(t, 1, a.lists())
}

func TestA_row_that_cannot_be_read_is_written_anew(t *testing.T) {
	t.Parallel()
	a, shelf := newAzure(), newShelf()
	b := a.board(shelf)
	job := a.running(time.Hour)
	_, done, err := shelf.Put(t.Context(), "/subscriptions/s/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v", []byte("{no"), "")
	require.NoError(t, err)
	require.True(t, done)
	a.crowd(t, b)
	require.True(t, find(t, b, a.query(job)).Listed)
}

// A vault may have more jobs than a row has room for: those that run are kept,
// and who is not found is read alone.
func TestA_list_without_room_keeps_what_runs(t *testing.T) {
	t.Parallel()
	a, shelf := newAzure(), newShelf()
	one, two := a.board(shelf), a.board(shelf)
	for i := range 3000 {
		a.jobs = append(a.jobs, jobcache.Job{
			Name: fmt.Sprintf("ended-%05d", i), Status: "Completed", Start: a.clock.Now().Add(-time.Duration(i) * time.Second),
		})
	}
	job := a.running(20 * time.Hour)
	a.crowd(t, one)
	require.True(t, find(t, one, a.query(job)).Listed)
	a.crowd(t, two)
	require.True(t, find(t, two, a.query(job)).Listed)
	require.True(t, find(t, two, a.query("ended-00003")).Listed)
	require.True(t, find(t, two, a.query("ended-02999")).Alone, "the oldest has no room")
	require.Equal(t, 1, a.lists())
}
