package jobcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
)

// barrier holds the loads of two instances until both have loaded the row.
type barrier struct {
	jobcache.Store

	mu      sync.Mutex
	waiting int
	both    chan struct{}
}

func (s *barrier) Load(ctx context.Context, key string) ([]byte, string, error) {
	value, etag, err := s.Store.Load(ctx, key)
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

func TestCache_OneOfTwoInstancesRefreshesOldList(t *testing.T) {
	t.Parallel()
	a := newAzure()
	store := &barrier{Store: newStore(), both: make(chan struct{})}
	job := a.running(time.Hour)
	answers := make([]jobcache.Result, 2)
	var group sync.WaitGroup
	for i := range answers {
		c := a.cache(t, store)
		// Two jobs are read directly; the third causes a list.
		require.True(t, find(t, c, a.query("x")).ReadDirectly)
		require.True(t, find(t, c, a.query("y")).ReadDirectly)
		group.Go(func() {
			var err error
			if answers[i], err = c.Find(t.Context(), a.query(job)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Equal(t, 1, a.lists())
	listed := 0
	for _, got := range answers {
		require.False(t, got.ReadDirectly)
		require.Positive(t, got.Next)
		if got.Listed {
			listed++
		}
	}
	require.Equal(t, 1, listed, "the other instance retries soon")
}

func TestCache_LeaseOfDeadInstanceExpires(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	one, two := a.cache(t, store), a.cache(t, store)
	job := a.running(time.Hour)
	a.fill(t, one)
	a.fill(t, two)
	dying := a.query(job)
	dying.List = func(context.Context, time.Time) ([]jobcache.Job, int, error) { panic("killed") }
	require.Panics(t, func() { _, _ = one.Find(t.Context(), dying) })
	waited := time.Duration(0)
	for a.lists() == 0 {
		got := find(t, two, a.query(job))
		require.False(t, got.ReadDirectly)
		if a.lists() == 0 {
			require.Positive(t, got.Next)
			waited += got.Next
			a.clock.Advance(got.Next)
		}
	}
	require.Equal(t, 2*time.Minute, waited)
}

func TestCache_ThrottledListIsNotRetriedBeforeRetryAfter(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	one, two := a.cache(t, store), a.cache(t, store)
	job := a.running(time.Hour)
	for _, c := range []*jobcache.Cache{one, two} {
		require.True(t, find(t, c, a.query("x")).ReadDirectly)
		require.True(t, find(t, c, a.query("y")).ReadDirectly)
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

// unavailable is a store that fails to load or save.
type unavailable struct {
	jobcache.Store

	loads, saves bool
}

var errUnavailable = errors.New("table unavailable")

func (s *unavailable) Load(ctx context.Context, key string) ([]byte, string, error) {
	if s.loads {
		return nil, "", errUnavailable
	}
	return s.Store.Load(ctx, key)
}

func (s *unavailable) Save(ctx context.Context, key string, value []byte, etag string) (string, bool, error) {
	if s.saves {
		return "", false, errUnavailable
	}
	return s.Store.Save(ctx, key, value, etag)
}

func TestCache_JobsAreReadDirectlyWhileStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	a := newAzure()
	store := &unavailable{Store: newStore(), loads: true}
	c := a.cache(t, store)
	job := a.running(time.Hour)
	a.fill(t, c)
	require.True(t, find(t, c, a.query(job)).ReadDirectly)
	store.loads, store.saves = false, true
	require.True(t, find(t, c, a.query(job)).ReadDirectly)
	require.Zero(t, a.lists(), "a list that cannot be shared is not made")
	store.saves = false
	require.True(t, find(t, c, a.query(job)).Listed)
	store.loads, store.saves = true, true
	require.True(t, find(t, c, a.query(job)).Listed, "while the list is fresh")
	a.clock.Advance(time.Hour)
	require.True(t, find(t, c, a.query(job)).ReadDirectly)
	require.Equal(t, 1, a.lists())
}

func TestCache_RowThatCannotBeDecodedIsReplaced(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	c := a.cache(t, store)
	job := a.running(time.Hour)
	_, done, err := store.Save(t.Context(), "/subscriptions/s/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v", []byte("{no"), "")
	require.NoError(t, err)
	require.True(t, done)
	a.fill(t, c)
	require.True(t, find(t, c, a.query(job)).Listed)
}

// A vault can have more jobs than a row has room for. Running jobs are kept;
// jobs that are missing are read directly.
func TestCache_FullListKeepsRunningJobs(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	one, two := a.cache(t, store), a.cache(t, store)
	for i := range 3000 {
		a.jobs = append(a.jobs, jobcache.Job{
			Name: fmt.Sprintf("ended-%05d", i), Status: "Completed", Start: a.clock.Now().Add(-time.Duration(i) * time.Second),
		})
	}
	job := a.running(20 * time.Hour)
	a.fill(t, one)
	require.True(t, find(t, one, a.query(job)).Listed)
	a.fill(t, two)
	require.True(t, find(t, two, a.query(job)).Listed)
	require.True(t, find(t, two, a.query("ended-00003")).Listed)
	require.True(t, find(t, two, a.query("ended-02999")).ReadDirectly, "the oldest job has no room")
	require.Equal(t, 1, a.lists())
}

func TestCache_SpeedFactorDividesLeaseDuration(t *testing.T) {
	t.Parallel()
	a, store := newAzure(), newStore()
	fast := func(c *jobcache.Config) { c.SpeedFactor = 60 }
	one, two := a.cache(t, store, fast), a.cache(t, store, fast)
	job := a.running(time.Hour)
	a.fill(t, one)
	a.fill(t, two)
	dying := a.query(job)
	dying.List = func(context.Context, time.Time) ([]jobcache.Job, int, error) { panic("killed") }
	require.Panics(t, func() { _, _ = one.Find(t.Context(), dying) })
	waited := time.Duration(0)
	for a.lists() == 0 {
		if got := find(t, two, a.query(job)); a.lists() == 0 {
			require.False(t, got.ReadDirectly)
			require.Positive(t, got.Next)
			waited += got.Next
			a.clock.Advance(got.Next)
		}
	}
	require.InDelta(t, 2*time.Second, waited, float64(100*time.Millisecond))
}

func TestNew_ReportsIncompleteConfig(t *testing.T) {
	t.Parallel()
	_, err := jobcache.New(jobcache.Config{Store: newStore()})
	require.Error(t, err)
}
