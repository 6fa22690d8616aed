package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// lockWorld holds two operations that change one item, and their invocations.
// Each invocation acts like Engine.lock, one request at a time, then makes its
// call and saves the result.
type lockWorld struct {
	now  time.Time
	lock operation.ItemLock
	etag int
	ops  [2]lockedOp
	runs []lockRun
	// Numbers of events that may still happen.
	starts, retries, cancels, ticks int
}

type lockedOp struct {
	op   operation.Operation
	etag int
	// called is true if a call was made in this round, so that Azure may be working.
	called bool
}

type lockRun struct {
	who     int
	started time.Time
	stage   string
	row     lockedOp
	lock    operation.ItemLock
	etag    int
	over    bool
}

// The stages of an invocation, named by its next action.
const (
	readsLock   = "read the lock"
	readsHolder = "read its holder"
	savesLock   = "save the lock"
	calls       = "call"
	saves       = "save"
)

// lockRules holds the rules that a variant of the world breaks on purpose.
type lockRules struct {
	waits       operation.Waits
	noRounds    bool // a retried operation assumes that it still has its lock
	holderFirst bool // the holder is read before the lock
}

func newLockWorld() lockWorld {
	w := lockWorld{now: modelStart, starts: 3, retries: 1, cancels: 1, ticks: 3}
	for i := range w.ops {
		w.ops[i] = lockedOp{op: operation.Operation{Identity: operation.Identity{ID: fmt.Sprintf("op%d", i)}, Progress: operation.Progress{Status: operation.Running}}, etag: 1}
	}
	return w
}

func (w lockWorld) clone() lockWorld {
	w.runs = slices.Clone(w.runs)
	return w
}

func (w lockWorld) moves(r lockRules, add func(string, func(*lockWorld))) {
	for i, o := range w.ops {
		if !o.op.Status.Terminal() && w.starts > 0 {
			add(fmt.Sprintf("a message for op%d", i), func(n *lockWorld) {
				n.starts--
				stage := readsLock
				if r.holderFirst {
					stage = readsHolder
				}
				n.runs = append(n.runs, lockRun{who: i, started: n.now, stage: stage, row: o})
			})
		}
		if !o.op.Status.Terminal() && w.cancels > 0 {
			add(fmt.Sprintf("op%d ends", i), func(n *lockWorld) { n.cancels--; n.end(i) })
		}
		if o.op.Status.Terminal() && w.retries > 0 {
			add(fmt.Sprintf("op%d is retried", i), func(n *lockWorld) {
				n.retries--
				n.ops[i] = lockedOp{op: operation.Operation{Identity: operation.Identity{ID: o.op.ID}, Progress: operation.Progress{Status: operation.Running}, Retry: operation.Retry{Round: o.op.Round + 1}}, etag: o.etag + 1}
			})
		}
	}
	for k := range w.runs {
		add(fmt.Sprintf("invocation %d of op%d: %s", k, w.runs[k].who, w.runs[k].stage), func(n *lockWorld) { n.run(r, k) })
	}
	if w.ticks > 0 {
		add("a minute passes", func(n *lockWorld) {
			n.ticks--
			n.now = n.now.Add(time.Minute)
			// An invocation whose time is up has ended.
			n.runs = slices.DeleteFunc(n.runs, func(k lockRun) bool { return !n.now.Before(k.started.Add(maxRunTime)) })
		})
	}
}

func (w *lockWorld) end(i int) {
	w.ops[i].op.Status, w.ops[i].op.EndedAt = operation.Succeeded, w.now
	w.ops[i].etag++
}

// run performs the next action of one invocation.
func (w *lockWorld) run(r lockRules, k int) {
	x := &w.runs[k]
	gone := func() { w.runs = slices.Delete(w.runs, k, k+1) }
	switch x.stage {
	case readsLock:
		x.lock, x.etag = w.lock, w.etag
		x.stage = readsHolder
		if r.holderFirst {
			x.stage = savesLock
		}
	case readsHolder:
		x.over = w.ops[1-x.who].op.ReleasesLock(r.waits, w.now)
		x.stage = savesLock
		if r.holderFirst {
			x.stage = readsLock
		}
	case savesLock:
		op := x.row.op
		if r.noRounds {
			op.Round = 0
		}
		next, exploration := x.lock.Acquire(op, "item", x.over, 0, w.now)
		switch {
		case exploration == operation.LockHeld:
			gone()
		case exploration == operation.LockOwned:
			x.stage = calls
		case x.etag != w.etag:
			x.stage = readsLock // another invocation changed the lock
			if r.holderFirst {
				x.stage = readsHolder
			}
		default:
			w.lock, x.stage = next, calls
			w.etag++
		}
	case calls:
		if w.ops[x.who].op.Round == x.row.op.Round {
			w.ops[x.who].called = true
		}
		x.stage = saves
	case saves:
		if w.ops[x.who].etag == x.row.etag {
			w.end(x.who)
		}
		gone()
	}
}

// wrong reports whether two operations change the item.
func (w lockWorld) wrong() string {
	var at [2]bool
	for i, o := range w.ops {
		at[i] = o.called && !o.op.Status.Terminal()
	}
	for _, k := range w.runs {
		at[k.who] = at[k.who] || k.stage == saves // its call is running
	}
	if at[0] && at[1] {
		return "both change the item"
	}
	return ""
}

func exploreLocks(r lockRules) (wrong string, states int) {
	type node struct {
		w    lockWorld
		from int
		by   string
	}
	nodes := []node{{w: newLockWorld(), from: -1, by: "start"}}
	seen := map[string]bool{nodes[0].w.key(): true}
	for at := 0; at < len(nodes); at++ {
		if why := nodes[at].w.wrong(); why != "" {
			var story []string
			for i := at; i >= 0; i = nodes[i].from {
				story = append(story, nodes[i].by)
			}
			slices.Reverse(story)
			return why + "\n  " + strings.Join(story, "\n  "), len(nodes)
		}
		nodes[at].w.moves(r, func(name string, change func(*lockWorld)) {
			next := nodes[at].w.clone()
			change(&next)
			if key := next.key(); !seen[key] {
				seen[key] = true
				nodes = append(nodes, node{next, at, name})
			}
		})
	}
	return "", len(nodes)
}

// key is equal for worlds that are equal. The order of the invocations does not
// matter.
func (w lockWorld) key() string {
	number := func(t time.Time) int { return int(t.Sub(modelStart) / time.Minute) }
	row := func(o lockedOp) string {
		return fmt.Sprint(o.op.Status, o.op.Round, number(o.op.EndedAt), o.etag, o.called)
	}
	var runs []string
	for _, k := range w.runs {
		runs = append(runs, fmt.Sprint(k.who, number(k.started), k.stage, row(k.row), k.lock.Holder, k.lock.Round, k.etag, k.over))
	}
	slices.Sort(runs)
	return fmt.Sprint(number(w.now), w.lock.Holder, w.lock.Round, w.etag, row(w.ops[0]), row(w.ops[1]), runs, w.starts, w.retries, w.cancels, w.ticks)
}

// The test explores every interleaving of two operations with three invocations,
// an end and a retry.
func TestModel_OneOperationChangesAnItemAtATime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: explores every interleaving")
	}
	if underRace {
		t.Skip("has no goroutines; too slow under the race detector")
	}
	wrong, states := exploreLocks(lockRules{waits: operation.AzureWaits()})
	require.Empty(t, wrong)
	t.Logf("%d states", states)
}

func TestModel_FindsTwoOperationsOnAnItem(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds: explores every interleaving")
	}
	hasty := operation.AzureWaits()
	hasty.LockCooldown = time.Minute
	for name, r := range map[string]lockRules{
		"acquired while an invocation of the holder may be running": {waits: hasty},
		"a retried operation does not acquire its lock again":       {waits: operation.AzureWaits(), noRounds: true},
		"the holder is read before the lock":                        {waits: operation.AzureWaits(), holderFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong, _ := exploreLocks(r)
			require.Contains(t, wrong, "both change the item")
		})
	}
}

// The test explores the interleavings of one operation whose call needs an item's
// lock. It never calls without the lock, and always ends.
func TestModel_NeverCallsWithoutTheItemLock(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: explores every interleaving")
	}
	for name, f := range map[string]faults{
		"nothing goes wrong":      {},
		"held, crash":             {helds: 2, crashes: 1},
		"held, lost message":      {helds: 1, lostMessages: 1},
		"held, unknown save":      {helds: 1, savesUnknown: 1},
		"held, canceled":          {helds: 2, cancels: 1},
		"table away":              {outages: 2},
		"crash and unknown save":  {crashes: 1, savesUnknown: 1},
		"lost answer, table away": {lostAnswers: 1, outages: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := soundRules()
			r.items = true
			checkWith(t, r, f, 200_000)
		})
	}
	r := soundRules()
	r.items, r.unlocked = true, true
	require.Contains(t, explore(r, faults{}, 1000).wrong, "called without the item's lock")
}
