package engine

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testSlot = 4 * time.Millisecond

func testSpread() (s *spread, now *time.Time) {
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	now = &start
	return newSpread(testSlot, func() time.Time { return *now }), now
}

func TestSpread_LoneOperationKeepsItsDueTime(t *testing.T) {
	t.Parallel()
	s, now := testSpread()
	for n := range 100 {
		due := now.Add(time.Minute + time.Duration(n)*testSlot + time.Microsecond)
		require.Equal(t, due, s.after(due))
	}
}

func TestSpread_CrowdGetsOneSlotEach(t *testing.T) {
	t.Parallel()
	s, now := testSpread()
	due := now.Add(time.Minute + time.Millisecond)
	var got []time.Time
	for range 1000 {
		at := s.after(due)
		require.False(t, at.Before(due), "never early")
		got = append(got, at)
	}
	slices.SortFunc(got, time.Time.Compare)
	for i := 1; i < len(got); i++ {
		require.Positive(t, got[i].Sub(got[i-1]), "no two at the same moment")
		if i > 1 {
			require.Equal(t, testSlot, got[i].Sub(got[i-1]), "no slot is left free")
		}
	}
	require.Equal(t, due, got[0])

	// Others come after the crowd, or before it.
	require.True(t, s.after(due.Add(time.Second)).After(got[len(got)-1]))
	earlier := due.Add(-time.Second)
	require.Equal(t, earlier, s.after(earlier))
}

func TestSpread_ForgetsWhatIsPast(t *testing.T) {
	t.Parallel()
	s, now := testSpread()
	due := now.Add(time.Second)
	for range 10 * minSweep {
		s.after(due)
	}
	*now = now.Add(time.Hour)
	for n := range 20 * minSweep {
		at := now.Add(time.Duration(n) * testSlot)
		require.Equal(t, at, s.after(at), "the crowd of an hour ago is gone")
		*now = at
	}
	require.LessOrEqual(t, len(s.next), 20*minSweep)
	s.sweep(now.Add(time.Hour))
	require.Empty(t, s.next)
}

func TestSpread_LeavesFarAndUnspreadTimesAlone(t *testing.T) {
	t.Parallel()
	s, now := testSpread()
	far := now.Add(spreadHorizon + time.Second)
	require.Equal(t, far, s.after(far))
	require.Equal(t, far, s.after(far))
	require.Empty(t, s.next)

	none := newSpread(0, func() time.Time { return *now })
	require.Equal(t, *now, none.after(*now))
	require.Equal(t, *now, none.after(*now))
}

func TestSpread_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s, now := testSpread()
	due := now.Add(time.Minute)
	var mu sync.Mutex
	seen := map[time.Time]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				at := s.after(due)
				mu.Lock()
				seen[at] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Len(t, seen, 8*500)
}

func BenchmarkSpread_Crowd(b *testing.B) {
	s, now := testSpread()
	due := now.Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		s.after(due)
	}
}
