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

// verdict is what an exploration found.
type verdict struct {
	states, ends int
	// wrong says what broke, with the moves that led there; empty if nothing.
	wrong string
}

// explore visits every world that can be reached and checks each: never two
// starts; and where nothing more can happen, the operation has ended as it
// should. Worlds only go forward in time and use up faults, so a world from
// which no end can be reached shows as a world without moves.
func explore(r rules, f faults, mostStates int) verdict {
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
	var v verdict
	visit(newWorld(r, f), -1, "start")
	// Depth first: the list of worlds still to look at stays short.
	for len(nodes) > 0 {
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		v.states++
		if v.states > mostStates {
			v.wrong = story(n.from, fmt.Sprintf("more than %d states", mostStates))
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

// wrongEnd says what is wrong with a world in which nothing more can happen.
func wrongEnd(r rules, w world) string {
	op := w.row
	if op.Status.Terminal() && r.notices {
		if why := untold(w); why != "" {
			return why
		}
	}
	switch {
	case !op.Status.Terminal():
		return fmt.Sprintf("stuck: %s at step %s, seq %d", op.Status, op.Step, op.Seq)
	case !w.closed && !r.noSweep:
		return "its live marker was never removed"
	case op.Status == operation.Succeeded && len(w.jobs) != 1:
		return fmt.Sprintf("succeeded with %d starts", len(w.jobs))
	case op.Status == operation.Canceled && op.CancelRequested, op.Status == operation.Succeeded:
		return ""
	}
	return fmt.Sprintf("ended as %s: %v", op.Status, op.LastError)
}

// Every interleaving of the real fencing and transition code around a call
// that must happen once, for mixtures of faults.
func TestModel_never_two_starts_and_never_stuck(t *testing.T) {
	t.Parallel()
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
		"put off and crash":            {putOffs: 1, crashes: 1},
		"put off and lost answer":      {putOffs: 1, lostAnswers: 1},
		"table away and crash":         {tableAways: 1, crashes: 1},
		"table away and unknown save":  {tableAways: 1, savesUnknown: 1, duplicates: 1},
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

// The same with three kinds of faults at once: minutes, so not in every run.
func TestModel_deeper(t *testing.T) {
	t.Parallel()
	if os.Getenv("AZBACKUPFLOW_DEEP") == "" {
		t.Skip("explores millions of states; make soak sets AZBACKUPFLOW_DEEP")
	}
	cases := map[string]faults{
		"table away twice, crash":       {tableAways: 2, crashes: 1},
		"duplicate, lock, lost answer":  {duplicates: 1, lockLosses: 1, lostAnswers: 1},
		"crash, unknown save, lock":     {crashes: 1, savesUnknown: 1, lockLosses: 1},
		"crash, duplicate, lost answer": {crashes: 1, duplicates: 1, lostAnswers: 1},
	}
	for name, f := range cases { //nolint:paralleltest // one at a time: each needs gigabytes
		t.Run(name, func(t *testing.T) {
			check(t, f, 5_000_000)
		})
	}
}

func check(t *testing.T, f faults, mostStates int) {
	t.Helper()
	checkWith(t, soundRules(), f, mostStates)
}

func checkWith(t *testing.T, r rules, f faults, mostStates int) {
	t.Helper()
	if underRace && f.crashes+f.duplicates+f.lockLosses > 1 {
		t.Skip("no goroutines here, and the race detector makes it slow: explored by the run without it")
	}
	v := explore(r, f, mostStates)
	require.Empty(t, v.wrong)
	require.Positive(t, v.ends)
	t.Logf("%d states, %d ends", v.states, v.ends)
}

// A check that cannot fail shows nothing: each world below breaks one of the
// rules, and the exploration must find out.
func TestModel_finds_what_a_broken_rule_does(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*rules)
		faults faults
		want   string
	}{
		{"jobs that show only after the grace are started twice", func(r *rules) { r.lateJobs = 10 * time.Minute }, faults{lostAnswers: 1}, "two starts"},
		{"without the grace a start may be repeated", func(r *rules) { r.waits.ClaimGrace = 0; r.lateJobs = 90 * time.Second }, faults{lostAnswers: 1}, "two starts"},
		{"without the sweep a lost message is the end", func(r *rules) { r.noSweep = true }, faults{lostMessages: 1}, "stuck"},
		{"without the claim on the row a crash starts again", func(r *rules) { r.noClaims = true }, faults{crashes: 1}, "two starts"},
		{"without the claim on the row a duplicate starts again", func(r *rules) { r.noClaims = true }, faults{duplicates: 1}, "two starts"},
		{"without healing a crash between save and send waits for the sweep", func(r *rules) { r.noSweep, r.noHeal = true, true }, faults{crashes: 1}, "stuck"},
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
