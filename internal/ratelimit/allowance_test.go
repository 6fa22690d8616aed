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

// observed returns an allowance for which Azure reported the remaining calls.
func observed(remaining float64) *ratelimit.Allowance {
	a := &ratelimit.Allowance{}
	a.ObserveRemaining(start(), remaining, 0, ratelimit.DefaultAssumptions(1))
	return a
}

func TestAllowance_UnknownLimitAdmitsEveryCall(t *testing.T) {
	t.Parallel()
	var a ratelimit.Allowance
	ok, _ := a.Admit(start(), operation.PriorityOther, false, ratelimit.DefaultAssumptions(1))
	require.True(t, ok)
}

func TestAllowance_LastCallsAreReservedForHigherPriorities(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := observed(199)
	spent := map[operation.Priority]int{}
	for _, p := range []operation.Priority{
		operation.PriorityOther, operation.PriorityBackup, operation.PriorityProtect, operation.PriorityFollow, operation.PriorityRestore,
	} {
		for {
			copied := *a
			if ok, _ := copied.Admit(start(), p, false, s); !ok {
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

func TestAllowance_SlotsFollowTheRefillRate(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := observed(0)
	a.Limit, a.RefillRate = 200, 10
	last := start()
	for range 50 {
		ok, at := a.Admit(start(), operation.PriorityBackup, false, s)
		require.False(t, ok)
		require.True(t, at.After(last))
		last = at
	}
	ok, restore := a.Admit(start(), operation.PriorityRestore, false, s)
	require.False(t, ok)
	require.Less(t, restore.Sub(start()), time.Second, "a restore does not wait behind lower priorities")
	ok, _ = a.Admit(last, operation.PriorityBackup, true, s)
	require.True(t, ok, "a call is admitted at its slot")
}

func TestLimiter_LearnsAQuotaFromThrottling(t *testing.T) {
	t.Parallel()
	now := start()
	l, err := ratelimit.New(ratelimit.Config{Now: func() time.Time { return now }})
	require.NoError(t, err)
	c, err := l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs)
	require.NoError(t, err)
	c.Done(ratelimit.Observation{Failed: true, Throttled: &ratelimit.Throttling{
		PerAction: true, Limit: 150, Window: time.Hour, Wait: 324 * time.Second,
	}})
	_, quota := l.Allowances(http.MethodGet, vaultJobs)
	require.InDelta(t, 150, quota.Limit, 0)
	require.Equal(t, time.Hour, quota.Window)
	require.Equal(t, now.Add(324*time.Second), quota.ResetAt)

	_, err = l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs+"/j")
	var off *operation.Deferral
	require.ErrorAs(t, err, &off)
	require.Equal(t, "backupjobs read quota", off.Limit)
	require.GreaterOrEqual(t, off.Wait, 324*time.Second)
	require.Less(t, off.Wait, 340*time.Second)
	var known *operation.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, operation.Throttled, known.Class)

	_, err = l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodPost, trigger)
	require.NoError(t, err, "another allowance has capacity")
	now = now.Add(off.Wait)
	_, err = l.Acquire(t.Context(), ratelimit.Caller{Reservation: off.Reservation}, http.MethodGet, vaultJobs+"/j")
	require.NoError(t, err)
}

func TestLimiter_MeasuresTheRefillRateOfABucket(t *testing.T) {
	t.Parallel()
	now := start()
	l, err := ratelimit.New(ratelimit.Config{Now: func() time.Time { return now }})
	require.NoError(t, err)
	left := 199.0
	for range 30 {
		c, err := l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodPost, trigger)
		require.NoError(t, err)
		c.Done(ratelimit.Observation{Remaining: map[string]int{"subscription-writes": int(left)}})
		// Ten calls a second are spent, and five are refilled.
		now = now.Add(100 * time.Millisecond)
		left -= 0.5
	}
	bucket, _ := l.Allowances(http.MethodPost, trigger)
	require.InDelta(t, 5, bucket.RefillRate, 1)
	require.InDelta(t, 200, bucket.Limit, 0)
}

func TestMerge_KeepsTheLaterAnswerAndAllSlots(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a, b := *observed(10), *observed(10)
	b.ObserveRemaining(start().Add(time.Second), 4, 0, s)
	_, _ = a.Admit(start(), operation.PriorityOther, false, s)
	_, _ = a.Admit(start(), operation.PriorityOther, false, s)
	ab, ba := ratelimit.Merge(a, b), ratelimit.Merge(b, a)
	require.Equal(t, ab, ba)
	require.InDelta(t, 4, ab.Remaining, 0)
	require.Equal(t, a.LastSlots, ab.LastSlots)
}

func TestMerge_TakesEachWaitAndSlot(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a, b := *observed(10), *observed(10)
	a.ObserveThrottling(start(), ratelimit.Throttling{Wait: time.Minute}, s)
	_, slot := a.Admit(start(), operation.PriorityBackup, false, s)
	b.ObserveRemaining(start().Add(time.Second), 4, 0, s) // the later answer
	for _, merged := range []ratelimit.Allowance{ratelimit.Merge(a, b), ratelimit.Merge(b, a)} {
		require.Equal(t, start().Add(time.Minute), merged.BlockedUntil)
		require.Equal(t, slot, merged.LastSlots[operation.PriorityBackup])
		require.InDelta(t, 4, merged.Remaining, 0)
	}
}

func TestAllowance_BucketHoldsAtMostItsLimit(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := observed(9)
	a.RefillRate = 1
	spent := 0
	for now := start().Add(time.Hour); ; spent++ {
		ok, _ := a.Admit(now, operation.PriorityRestore, false, s)
		if !ok {
			break
		}
		a.Spend(now, s)
	}
	require.Equal(t, 10, spent)
}

func TestAllowance_ClockThatGoesBackTakesNothing(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := observed(9)
	a.RefillRate = 1
	ok, _ := a.Admit(start().Add(-time.Minute), operation.PriorityRestore, false, s)
	require.True(t, ok)
}

func TestAllowance_SmallQuotaHasACallForEveryPriority(t *testing.T) {
	t.Parallel()
	a := observed(0) // a limit of one
	a.Remaining = 1
	ok, _ := a.Admit(start(), operation.PriorityOther, false, ratelimit.DefaultAssumptions(1))
	require.True(t, ok)
}

func TestAllowance_NewCallWaitsBehindThoseWithASlot(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := observed(99)
	a.Remaining, a.RefillRate = 0, 10
	_, restore := a.Admit(start(), operation.PriorityRestore, false, s)
	_, first := a.Admit(start(), operation.PriorityBackup, false, s)
	require.True(t, first.After(restore), "a waiting restore is first")
	for range 500 {
		_, restore = a.Admit(start(), operation.PriorityRestore, false, s)
	}
	_, first = a.Admit(start(), operation.PriorityBackup, false, s)
	require.True(t, first.After(restore), "so are many of them")
	a.Remaining = 100 // a refill that came early
	ok, second := a.Admit(start(), operation.PriorityBackup, false, s)
	require.False(t, ok)
	require.True(t, second.After(first))
}

func TestAllowance_SpentQuotaIsProbedRarely(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := &ratelimit.Allowance{Quota: true, Limit: 150, UpdatedAt: start(), ResetAt: start().Add(time.Hour), ResetGuessed: true}
	ok, _ := a.Admit(start().Add(s.Probe-time.Second), operation.PriorityBackup, true, s)
	require.False(t, ok)
	ok, _ = a.Admit(start().Add(s.Probe), operation.PriorityBackup, true, s)
	require.True(t, ok)
}

// The slots of a quota lie at the beginning of its intervals, for as many calls as
// the priority may use.
func TestAllowance_SlotsOfAQuotaFollowItsResets(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	reset := start().Add(10 * time.Minute)
	a := &ratelimit.Allowance{Quota: true, Limit: 10, UpdatedAt: start(), ResetAt: reset, Window: time.Hour}
	perInterval := map[int]int{}
	for range 30 {
		ok, slot := a.Admit(start(), operation.PriorityRestore, false, s)
		require.False(t, ok)
		require.True(t, slot.After(reset))
		interval := slot.Sub(reset) / time.Hour
		require.LessOrEqual(t, slot.Sub(reset)-interval*time.Hour, 15*time.Minute)
		perInterval[int(interval)]++
	}
	require.Equal(t, map[int]int{0: 10, 1: 10, 2: 10}, perInterval)
}

func TestAllowance_SpacingLeavesAQuarterToOthers(t *testing.T) {
	t.Parallel()
	s := ratelimit.DefaultAssumptions(1)
	a := &ratelimit.Allowance{Quota: true, Limit: 160, Remaining: 100, UpdatedAt: start(), ResetAt: start().Add(time.Hour)}
	require.Equal(t, time.Minute, a.Spacing(start(), 1, s), "60 of 100 calls in an hour")
}
