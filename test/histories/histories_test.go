package histories_test

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

var (
	oneSeed = flag.Uint64("seed", 0, "run only the history of this seed, and print it")
	seeds   = flag.Uint64("seeds", 10000, "number of histories to run")
)

// shortSeeds is the number of histories under -short.
const shortSeeds = 300

// history runs the history of a seed.
func history(t *testing.T, seed uint64) (w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		w, err = run(seed)
		require.NoError(t, err)
	})
	return w
}

func (w *world) story() string {
	var b strings.Builder
	for _, l := range w.trace {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// TestMain lets more garbage gather: histories make much, and keep none.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

const repeat = "go test ./test/histories -run '^TestHistories_HoldEveryRule$' -v -seed "

func TestHistories_HoldEveryRule(t *testing.T) {
	if *oneSeed != 0 {
		w := history(t, *oneSeed)
		t.Log("\n" + w.story())
		require.Empty(t, w.violations)
		return
	}
	count := *seeds
	if testing.Short() {
		count = min(count, shortSeeds)
	}
	var next, events, failed atomic.Uint64
	statuses := make(chan map[operation.Status]int, runtime.GOMAXPROCS(0))
	t.Run("seeds", func(t *testing.T) {
		for range cap(statuses) {
			t.Run("worker", func(t *testing.T) {
				t.Parallel()
				ends := map[operation.Status]int{}
				for seed := next.Add(1); seed <= count && failed.Load() < 3; seed = next.Add(1) {
					w := history(t, seed)
					events.Add(uint64(len(w.trace)))
					for _, op := range w.current {
						ends[op.Status]++
					}
					if len(w.violations) > 0 {
						failed.Add(1)
						t.Errorf("seed %d: %v\nrepeat it with: %s%d", seed, w.violations, repeat, seed)
					}
				}
				statuses <- ends
			})
		}
	})
	close(statuses)
	ends := map[operation.Status]int{}
	for one := range statuses {
		for s, n := range one {
			ends[s] += n
		}
	}
	t.Logf("%d histories of %d events on average; ends: %v", count, events.Load()/count, ends)
}

func TestHistories_SameSeedSameTrace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		first, second := history(t, seed+1), history(t, seed+1)
		require.Equal(t, first.story(), second.story(), "seed %d", seed+1)
	}
}
