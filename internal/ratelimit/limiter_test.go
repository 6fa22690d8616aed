package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// rig is a limiter with a clock and, if there is a store, a shared row.
type rig struct {
	t   *testing.T
	now time.Time
	*ratelimit.Limiter
}

func newRig(t *testing.T, s ratelimit.Store) *rig {
	t.Helper()
	r := &rig{t: t, now: start()}
	var err error
	r.Limiter, err = ratelimit.New(ratelimit.Config{Now: func() time.Time { return r.now }, Store: s})
	require.NoError(t, err)
	return r
}

// call makes a call after which Azure reports the remaining ones, and returns the
// deferral if the limiter does not admit it.
func (r *rig) call(c ratelimit.Caller, o ratelimit.Observation) *operation.Deferral {
	r.t.Helper()
	got, err := r.Acquire(r.t.Context(), c, http.MethodPost, trigger)
	var off *operation.Deferral
	if errors.As(err, &off) {
		return off
	}
	require.NoError(r.t, err)
	got.Done(o)
	return nil
}

// writes is an answer with the number of remaining writes.
func writes(n int) ratelimit.Observation {
	return ratelimit.Observation{Remaining: map[string]int{"subscription-writes": n}}
}

func throttled(wait time.Duration) ratelimit.Observation {
	return ratelimit.Observation{Failed: true, Throttled: &ratelimit.Throttling{Wait: wait}}
}

var backup = ratelimit.Caller{Priority: operation.PriorityBackup}

// store is a shared row in memory.
type store struct {
	value []byte
	loads int
	err   error
}

func (s *store) Load(context.Context, string) ([]byte, string, error) {
	s.loads++
	return s.value, string(s.value), s.err
}

func (s *store) Save(_ context.Context, _ string, value []byte, etag string) (string, bool, error) {
	if etag != string(s.value) {
		return "", false, s.err
	}
	s.value = value
	return string(value), true, s.err
}

func TestLimiter_DeferredCallUsesItsSlot(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.Nil(t, r.call(backup, writes(99)))
	require.Nil(t, r.call(backup, writes(0)))
	first, second := r.call(backup, writes(0)), r.call(backup, writes(0))
	require.Greater(t, second.Wait, first.Wait)
	r.now = r.now.Add(first.Wait)
	require.NotNil(t, r.call(backup, writes(0)), "a new call waits behind those that have a slot")
	require.Nil(t, r.call(ratelimit.Caller{Priority: operation.PriorityBackup, Reservation: first.Reservation}, writes(0)))
}

func TestLimiter_UnknownPriorityIsTheLowest(t *testing.T) {
	t.Parallel()
	for _, p := range []operation.Priority{0, -1, operation.PriorityOther + 1} {
		r := newRig(t, nil)
		require.Nil(t, r.call(ratelimit.Caller{Priority: p}, writes(99)))
		require.Nil(t, r.call(ratelimit.Caller{Priority: operation.PriorityRestore}, writes(20)))
		require.NotNil(t, r.call(ratelimit.Caller{Priority: p}, writes(20)), "the last calls are for others")
		require.Nil(t, r.call(ratelimit.Caller{Priority: operation.PriorityRestore}, writes(19)))
	}
}

// Calls in flight are missing in what Azure reports. A call that was not sent is
// not in flight.
func TestLimiter_CountsCallsInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.Nil(t, r.call(backup, writes(100)))
	one, err := r.Acquire(t.Context(), backup, http.MethodPost, trigger)
	require.NoError(t, err)
	_, err = r.Acquire(t.Context(), backup, http.MethodPost, trigger)
	require.NoError(t, err)
	one.Done(writes(99))
	bucket, _ := r.Allowances(http.MethodPost, trigger)
	require.InDelta(t, 98, bucket.Remaining, 0, "one call is in flight")
}

func TestLimiter_DeferredCallIsNotInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	get := func() (*ratelimit.Reservation, error) {
		return r.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs)
	}
	c, err := get()
	require.NoError(t, err)
	c.Done(ratelimit.Observation{Failed: true, Throttled: &ratelimit.Throttling{PerAction: true, Limit: 150, Window: time.Hour, Wait: time.Minute}})
	for range 5 {
		_, err = get()
		require.Error(t, err)
	}
	other, err := r.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs[:len(vaultJobs)-len("/backupJobs")])
	require.NoError(t, err)
	other.Done(ratelimit.Observation{Remaining: map[string]int{"subscription-reads": 100}})
	bucket, _ := r.Allowances(http.MethodGet, vaultJobs)
	require.InDelta(t, 100, bucket.Remaining, 0)
}

func TestLimiter_ThrottledCallKeepsOthersBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.Nil(t, r.call(backup, writes(100)))
	require.Nil(t, r.call(backup, throttled(time.Minute)))
	off := r.call(backup, writes(100))
	require.NotNil(t, off)
	require.GreaterOrEqual(t, off.Wait, time.Minute, "no slot lies within the wait that Azure requested")
	r.now = r.now.Add(time.Minute - time.Second)
	require.NotNil(t, r.call(ratelimit.Caller{Priority: operation.PriorityBackup, Reservation: off.Reservation}, writes(100)), "nor does a slot overrule it")
}

func TestLimiter_EachVerbHasItsBucket(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c, err := r.Acquire(t.Context(), backup, http.MethodDelete, trigger)
	require.NoError(t, err)
	c.Done(ratelimit.Observation{Remaining: map[string]int{"subscription-deletes": 7, "subscription-writes": 70}})
	deletes, _ := r.Allowances(http.MethodDelete, trigger)
	require.InDelta(t, 7, deletes.Remaining, 0)
	unknown, _ := r.Allowances(http.MethodPut, trigger)
	require.Zero(t, unknown)
}

func TestLimiter_SharesAllowancesThatRunLow(t *testing.T) {
	t.Parallel()
	s := &store{}
	one, two := newRig(t, s), newRig(t, s)
	require.Nil(t, one.call(backup, writes(100)))
	require.Nil(t, one.call(backup, writes(99)))
	require.Zero(t, s.loads, "a full allowance needs no row")
	require.Nil(t, two.call(backup, writes(100)))

	require.Nil(t, one.call(backup, throttled(time.Minute)))
	require.NotNil(t, one.call(backup, writes(0)))
	require.Positive(t, s.loads)
	two.now = two.now.Add(time.Second)
	require.Nil(t, two.call(backup, writes(20)), "it does not know yet")
	off := two.call(backup, writes(20))
	require.NotNil(t, off, "it has learned of the wait from the row")
	require.GreaterOrEqual(t, off.Wait, 59*time.Second)
	bucket, _ := two.Allowances(http.MethodPost, trigger)
	require.Equal(t, start().Add(time.Minute), bucket.BlockedUntil)
}

func TestLimiter_InstancesReserveDifferentSlots(t *testing.T) {
	t.Parallel()
	s := &store{}
	one, two := newRig(t, s), newRig(t, s)
	slots := map[time.Duration]bool{}
	for range 5 {
		for _, r := range []*rig{one, two} {
			if len(slots) == 0 {
				require.Nil(t, one.call(backup, writes(9)))
				require.Nil(t, two.call(backup, writes(9)))
				require.Nil(t, one.call(ratelimit.Caller{Priority: operation.PriorityRestore}, writes(0)))
				require.Nil(t, two.call(ratelimit.Caller{Priority: operation.PriorityRestore}, writes(0)))
			}
			off := r.call(backup, writes(0))
			require.NotNil(t, off)
			require.False(t, slots[off.Wait], "slot %s is reserved twice", off.Wait)
			slots[off.Wait] = true
		}
	}
}

// A slot of the shared row that has passed, because no call came, is not used.
func TestLimiter_DropsSlotsThatHavePassed(t *testing.T) {
	t.Parallel()
	r := newRig(t, &store{})
	require.Nil(t, r.call(backup, writes(1199)))
	require.Nil(t, r.call(ratelimit.Caller{Priority: operation.PriorityRestore}, writes(0)))
	require.NotNil(t, r.call(backup, writes(0)), "it reserves further slots")
	r.now = r.now.Add(15300 * time.Millisecond) // the first slots are 15.15 s away
	off := r.call(backup, writes(0))
	require.NotNil(t, off, "the allowance is still low")
	require.Positive(t, off.Wait)
}

// An allowance is forgotten when it was unused for long, but not while a call is in
// flight: its answer belongs to it.
func TestLimiter_KeepsAllowancesWithCallsInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	quotaOf := func(subscription string) ratelimit.Allowance {
		_, quota := r.Allowances(http.MethodGet, strings.Replace(vaultJobs, "/s/", "/"+subscription+"/", 1))
		return quota
	}
	call := func(subscription string) *ratelimit.Reservation {
		c, err := r.Acquire(t.Context(), backup, http.MethodGet, strings.Replace(vaultJobs, "/s/", "/"+subscription+"/", 1))
		require.NoError(t, err)
		return c
	}
	learn := ratelimit.Observation{Failed: true, Throttled: &ratelimit.Throttling{PerAction: true, Limit: 150, Window: time.Hour}}
	for _, subscription := range []string{"idle", "busy"} {
		call(subscription).Done(learn)
	}
	r.now = r.now.Add(2 * time.Hour)
	_ = call("busy")
	r.now = r.now.Add(24 * time.Hour)
	for i := range 4096 {
		call(fmt.Sprint("other", i)).Done(ratelimit.Observation{})
	}
	require.Zero(t, quotaOf("idle"))
	require.InDelta(t, 150, quotaOf("busy").Limit, 0)
}

func TestLimiter_DoesNotWaitForAnUnavailableStore(t *testing.T) {
	t.Parallel()
	s := &store{err: errors.New("away")}
	r := newRig(t, s)
	require.Nil(t, r.call(backup, writes(9)))
	require.Nil(t, r.call(ratelimit.Caller{Priority: operation.PriorityRestore}, throttled(10*time.Minute)))
	for range 5 {
		require.NotNil(t, r.call(backup, writes(0)), "it decides by itself")
	}
	require.Equal(t, 1, s.loads)
	r.now = r.now.Add(time.Minute)
	require.NotNil(t, r.call(backup, writes(0)))
	require.Greater(t, s.loads, 1, "it tries again later")
}
