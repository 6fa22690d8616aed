package ratelimit_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

func start() time.Time { return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC) }

const (
	vaultJobs = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs"
	trigger   = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/c/protectedItems/i/backup"
)

// told is an account that Azure has said something of.
func told(left float64) *ratelimit.Account {
	a := &ratelimit.Account{}
	a.Told(start(), left, 0, ratelimit.Assume(1))
	return a
}

func TestUntil_something_was_learned_calls_go_out(t *testing.T) {
	t.Parallel()
	var a ratelimit.Account
	ok, _ := a.Ask(start(), operation.PriorityOther, false, ratelimit.Assume(1))
	require.True(t, ok)
}

func TestThe_last_calls_of_a_bucket_are_kept_for_higher_priorities(t *testing.T) {
	t.Parallel()
	s := ratelimit.Assume(1)
	a := told(199)
	spent := map[operation.Priority]int{}
	for _, p := range []operation.Priority{
		operation.PriorityOther, operation.PriorityBackup, operation.PriorityProtect, operation.PriorityFollow, operation.PriorityRestore,
	} {
		for {
			copied := *a
			if ok, _ := copied.Ask(start(), p, false, s); !ok {
				break
			}
			a.Spend(start(), s)
			spent[p]++
		}
	}
	require.Equal(t, map[operation.Priority]int{
		operation.PriorityOther: 139, operation.PriorityBackup: 10, operation.PriorityProtect: 20, operation.PriorityFollow: 20, operation.PriorityRestore: 10,
	}, spent)
}

func TestPlaces_come_one_after_the_other_as_the_bucket_fills(t *testing.T) {
	t.Parallel()
	s := ratelimit.Assume(1)
	a := told(0)
	a.Limit, a.Rate = 200, 10
	last := start()
	for range 50 {
		ok, at := a.Ask(start(), operation.PriorityBackup, false, s)
		require.False(t, ok)
		require.True(t, at.After(last))
		last = at
	}
	ok, restore := a.Ask(start(), operation.PriorityRestore, false, s)
	require.False(t, ok)
	require.Less(t, restore.Sub(start()), time.Second, "a restore waits for nobody")
	ok, _ = a.Ask(last, operation.PriorityBackup, true, s)
	require.True(t, ok, "whose place has come is let through")
}

func TestA_refusal_teaches_a_quotas_limit_interval_and_reset(t *testing.T) {
	t.Parallel()
	now := start()
	l := ratelimit.New(ratelimit.Config{Clock: func() time.Time { return now }})
	c, err := l.Take(t.Context(), http.MethodGet, vaultJobs)
	require.NoError(t, err)
	c.Settle(ratelimit.Heard{Err: &operation.Error{
		Code: "ResourceRequestsThrottled", Class: operation.Throttled, HTTPStatus: 429, RetryAfter: 324 * time.Second,
		Message: "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds.",
	}})
	_, quota := l.Account(http.MethodGet, vaultJobs)
	require.InDelta(t, 150, quota.Limit, 0)
	require.Equal(t, time.Hour, quota.Window)
	require.Equal(t, now.Add(324*time.Second), quota.Reset)

	_, err = l.Take(t.Context(), http.MethodGet, vaultJobs+"/j")
	var off *operation.Deferral
	require.ErrorAs(t, err, &off)
	require.Equal(t, "backupjobs read budget", off.Limit)
	require.GreaterOrEqual(t, off.Wait, 324*time.Second)
	require.Less(t, off.Wait, 340*time.Second)
	var known *operation.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, operation.Throttled, known.Class)

	_, err = l.Take(t.Context(), http.MethodPost, trigger)
	require.NoError(t, err, "another account has room")
	now = now.Add(off.Wait)
	_, err = l.Take(ratelimit.WithCaller(t.Context(), ratelimit.Caller{Booking: off.Reservation}), http.MethodGet, vaultJobs+"/j")
	require.NoError(t, err)
}

func TestA_buckets_rate_is_measured_between_answers(t *testing.T) {
	t.Parallel()
	now := start()
	l := ratelimit.New(ratelimit.Config{Clock: func() time.Time { return now }})
	left := 199.0
	for range 30 {
		c, err := l.Take(t.Context(), http.MethodPost, trigger)
		require.NoError(t, err)
		c.Settle(ratelimit.Heard{Remaining: map[string]int{"subscription-writes": int(left)}})
		// Ten calls a second, of which five come back.
		now = now.Add(100 * time.Millisecond)
		left -= 0.5
	}
	bucket, _ := l.Account(http.MethodPost, trigger)
	require.InDelta(t, 5, bucket.Rate, 1)
	require.InDelta(t, 200, bucket.Limit, 0)
}

func TestTwo_instances_merge_to_the_later_answer_and_all_places(t *testing.T) {
	t.Parallel()
	s := ratelimit.Assume(1)
	a, b := *told(10), *told(10)
	b.Told(start().Add(time.Second), 4, 0, s)
	_, _ = a.Ask(start(), operation.PriorityOther, false, s)
	_, _ = a.Ask(start(), operation.PriorityOther, false, s)
	ab, ba := ratelimit.Merge(a, b), ratelimit.Merge(b, a)
	require.Equal(t, ab, ba)
	require.InDelta(t, 4, ab.Left, 0)
	require.Equal(t, a.Tails, ab.Tails)
}
