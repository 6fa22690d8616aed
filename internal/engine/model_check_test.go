package engine

import (
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// exploration is the result of exploring a model.
type exploration struct {
	states, ends int
	// wrong describes the broken rule and the moves that led there. Empty means
	// that no rule is broken.
	wrong string
}

// explore visits every reachable world and checks it: there are never two starts,
// and in a world without further moves the operation has ended correctly. Worlds
// only go forward in time and use up faults, so that a stuck operation shows as a
// world without moves.
func explore(r rules, f faults, maxStates int) exploration {
	seed := maphash.MakeSeed()
	type node struct {
		w    world
		from int
		by   string
	}
	var nodes []node
	var trail []struct {
		from int
		by   string
	}
	seen := map[uint64]struct{}{}
	visit := func(w world, from int, by string) {
		h := maphash.Bytes(seed, w.key())
		if _, ok := seen[h]; ok {
			return
		}
		seen[h] = struct{}{}
		trail = append(trail, struct {
			from int
			by   string
		}{from, by})
		nodes = append(nodes, node{w, len(trail) - 1, by})
	}
	story := func(at int, why string) string {
		var lines []string
		for ; at >= 0 && len(lines) < 200; at = trail[at].from {
			lines = append(lines, trail[at].by)
		}
		slices.Reverse(lines)
		return why + "\n  " + strings.Join(lines, "\n  ")
	}
	var v exploration
	visit(newWorld(r, f), -1, "start")
	// Depth first keeps the list of unvisited worlds short.
	for len(nodes) > 0 {
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		v.states++
		if v.states > maxStates {
			v.wrong = story(n.from, fmt.Sprintf("more than %d states", maxStates))
			return v
		}
		if len(n.w.jobs) > 1 {
			v.wrong = story(n.from, "two starts")
			return v
		}
		if n.w.trespassed {
			v.wrong = story(n.from, "called without the item's lock")
			return v
		}
		moves := n.w.moves(r)
		if len(moves) == 0 {
			v.ends++
			if why := wrongEnd(r, n.w); why != "" {
				v.wrong = story(n.from, why)
				return v
			}
		}
		for _, m := range moves {
			visit(m.to, n.from, m.name)
		}
	}
	return v
}

// wrongEnd returns the error of a world without further moves, or an empty string.
func wrongEnd(r rules, w world) string {
	op := w.row
	if op.Status.Terminal() && r.notices {
		if why := noticeError(w); why != "" {
			return why
		}
	}
	if notCleaned(r, w) {
		return fmt.Sprintf("ended as %s without a clean-up", op.Status)
	}
	switch {
	case r.cleans && endedAsItFailed(op):
		return ""
	case !op.Status.Terminal():
		return fmt.Sprintf("stuck: %s at step %s, seq %d", op.Status, op.Step, op.Seq)
	case !w.finalized && !r.noSweep:
		return "its live marker was never removed"
	case op.Status == operation.Succeeded && len(w.jobs) != 1:
		return fmt.Sprintf("succeeded with %d starts", len(w.jobs))
	case op.Status == operation.Canceled && op.CancelRequested, op.Status == operation.Succeeded:
		return ""
	}
	return fmt.Sprintf("ended as %s: %v", op.Status, op.LastError)
}

// The test explores every interleaving of the real fencing and transition code
// around a call that must happen once, for combinations of faults.
func TestModel_StartsOnceAndNeverGetsStuck(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: explores every interleaving")
	}
	cases := map[string]faults{
		"nothing goes wrong":           {},
		"crashes":                      {crashes: 2},
		"crash and duplicate":          {crashes: 1, duplicates: 1},
		"crash and lost lock":          {crashes: 1, lockLosses: 1},
		"crash and lost answer":        {crashes: 1, lostAnswers: 1},
		"crash and unknown save":       {crashes: 1, savesUnknown: 1},
		"crash and unknown send":       {crashes: 1, sendsUnknown: 1},
		"crash and lost message":       {crashes: 1, lostMessages: 1},
		"duplicates and lost answer":   {duplicates: 2, lostAnswers: 1},
		"duplicate and unknown save":   {duplicates: 1, savesUnknown: 1},
		"lost lock and lost answer":    {lockLosses: 1, lostAnswers: 1},
		"lost lock and unknown save":   {lockLosses: 1, savesUnknown: 1},
		"lost answers":                 {lostAnswers: 2},
		"slow and duplicate":           {slow: 1, duplicates: 1},
		"slow and crash":               {slow: 1, crashes: 1},
		"throttled":                    {throttles: 2, crashes: 1},
		"deferred and crash":           {deferrals: 1, crashes: 1},
		"deferred and lost answer":     {deferrals: 1, lostAnswers: 1},
		"table away and crash":         {outages: 1, crashes: 1},
		"table away and unknown save":  {outages: 1, savesUnknown: 1, duplicates: 1},
		"lost messages":                {lostMessages: 2, duplicates: 1},
		"canceled":                     {cancels: 1, crashes: 1},
		"canceled during a duplicate":  {cancels: 1, duplicates: 1},
		"canceled and the answer lost": {cancels: 1, lostAnswers: 1},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, f, 200_000)
		})
	}
}

// Three kinds of faults at once take minutes, so this test does not run by default.
func TestModel_Deeper(t *testing.T) {
	t.Parallel()
	if os.Getenv("AZBACKUPFLOW_DEEP") == "" {
		t.Skip("explores millions of states; make soak sets AZBACKUPFLOW_DEEP")
	}
	cases := map[string]faults{
		"table away twice, crash":       {outages: 2, crashes: 1},
		"duplicate, lock, lost answer":  {duplicates: 1, lockLosses: 1, lostAnswers: 1},
		"crash, unknown save, lock":     {crashes: 1, savesUnknown: 1, lockLosses: 1},
		"crash, duplicate, lost answer": {crashes: 1, duplicates: 1, lostAnswers: 1},
	}
	for name, f := range cases { //nolint:paralleltest // each case needs gigabytes
		t.Run(name, func(t *testing.T) {
			check(t, f, 5_000_000)
		})
	}
}

func check(t *testing.T, f faults, maxStates int) {
	t.Helper()
	checkWith(t, soundRules(), f, maxStates)
}

func checkWith(t *testing.T, r rules, f faults, maxStates int) {
	t.Helper()
	if underRace && f.crashes+f.duplicates+f.lockLosses > 1 {
		t.Skip("has no goroutines; too slow under the race detector")
	}
	v := explore(r, f, maxStates)
	require.Empty(t, v.wrong)
	require.Positive(t, v.ends)
	t.Logf("%d states, %d ends", v.states, v.ends)
}

// A check that cannot fail proves nothing. Each world below breaks one of the
// rules, and the exploration must find it.
func TestModel_FindsBrokenRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*rules)
		faults faults
		want   string
	}{
		{"jobs that show only after the grace period are started twice", func(r *rules) { r.lateJobs = 10 * time.Minute }, faults{lostAnswers: 1}, "two starts"},
		{"without the grace period a start may be repeated", func(r *rules) { r.waits.ClaimGrace = 0; r.lateJobs = 90 * time.Second }, faults{lostAnswers: 1}, "two starts"},
		{"without the sweep a lost message is final", func(r *rules) { r.noSweep = true }, faults{lostMessages: 1}, "stuck"},
		{"without the claim on the row a crash starts again", func(r *rules) { r.noClaims = true }, faults{crashes: 1}, "two starts"},
		{"without the claim on the row a duplicate starts again", func(r *rules) { r.noClaims = true }, faults{duplicates: 1}, "two starts"},
		{"without resending a crash between save and send waits for the sweep", func(r *rules) { r.noSweep, r.noResend = true, true }, faults{crashes: 1}, "stuck"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := soundRules()
			c.change(&r)
			v := explore(r, c.faults, 200_000)
			require.NotEmpty(t, v.wrong)
			require.Contains(t, v.wrong, c.want)
		})
	}
}
