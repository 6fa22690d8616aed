package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/generate/cost"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/operation"
)

// costSpeed is that of the stack on which costs are counted.
const costSpeed = 600

// counter counts what the stand-ins serve while something happens. It asks the
// app nothing meanwhile: that would be counted, too.
type counter struct {
	local *local
	// id is the operation that ended last, at is when, waits how often it
	// looked again, and late how often it was too late for a call it had claimed.
	id          string
	at          time.Time
	waits, late int

	mu   sync.Mutex
	seen map[string]int
}

// hook is the stack's fault hook.
func (c *counter) hook(m fault.Moment, r fault.Request) {
	key := r.Service + " " + r.Kind
	if m == fault.After {
		key = "ended " + key
	}
	if m == fault.During {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[key]++
}

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// count counts what act makes, until all messages are settled; what timers make
// that fire meanwhile is no part of it.
func (c *counter) count(act func()) cost.Counts {
	c.local.t.Helper()
	before := c.snapshot()
	act()
	var after map[string]int
	require.Eventually(c.local.t, func() bool {
		after = c.snapshot()
		for _, queue := range []string{"steps", "requests"} {
			// What is sent may be done before its sender has heard so.
			if after["bus send "+queue] != after["ended bus complete "+queue] {
				return false
			}
		}
		return true
	}, patience, 10*time.Millisecond)
	for _, timed := range []string{"host invoke schedule-backups", "host invoke sweep-resources", "table GET schedules"} {
		delete(after, timed)
	}
	return counts(before, after)
}

// counts are what was served between two snapshots.
func counts(before, after map[string]int) (n cost.Counts) {
	for key, all := range after {
		made := all - before[key]
		service, kind, _ := strings.Cut(key, " ")
		switch {
		case service == "arm":
			n.ARM += made
		case service == "bus":
			n.Bus += made
		case service == "table":
			n.Table += made
		case service == "host" && strings.HasPrefix(kind, "invoke "):
			n.Runs += made
		}
	}
	return n
}

// measured is a whole operation, how often it looked again, and how often it
// was too late for a call.
type measured struct {
	cost.Counts
	waits, late int
}

// without leaves out what depends on the machine: its re-checks, and the runs
// that claimed a call and came too late for it, at this speed after a tenth of
// a second. Such a run saves the claim in place of asking Azure.
func (m measured) without(recheck cost.Counts) cost.Counts {
	late := recheck.Plus(1, cost.Counts{Table: 1, ARM: -1})
	return m.Plus(-m.waits, recheck).Plus(-m.late, late)
}

// operation counts a whole operation that is asked for over HTTP.
func (c *counter) operation(request map[string]any) measured {
	c.local.t.Helper()
	return c.asked(func() { c.local.begin(request) })
}

// asked counts the operation that act asks for.
func (c *counter) asked(act func()) measured {
	c.local.t.Helper()
	n := c.count(func() { c.ends(act) })
	return measured{n, c.waits, c.late}
}

// ends waits until the operation that act asks for has succeeded and has told
// so, by what the handler logs.
func (c *counter) ends(act func()) {
	c.local.t.Helper()
	// The item is free some time after the operation before has ended.
	require.Eventually(c.local.t, func() bool {
		return time.Since(c.at) > operation.AzureWaits().Faster(costSpeed).LockCooldown
	}, patience, 10*time.Millisecond)
	seen := len(c.local.output())
	act()
	var status operation.Status
	require.Eventually(c.local.t, func() bool {
		status, c.waits, c.late = "", 0, 0
		told := false
		for _, text := range c.local.output()[seen:] {
			var line struct {
				Msg, Op, What string
				Status        operation.Status
			}
			if json.Unmarshal([]byte(text), &line) != nil || line.Msg != "operation moved" {
				continue
			}
			c.id, status = line.Op, line.Status
			switch what, _, _ := strings.Cut(line.What, ":"); what {
			case "notice sent":
				told = status.Terminal()
			case "waiting":
				assert.NotContains(c.local.t, line.What, "waiting: operation", "the item is free")
				c.waits++
			case "too late for the claimed call; nothing was called":
				c.late++
			}
		}
		return told
	}, patience, 10*time.Millisecond)
	require.Equal(c.local.t, operation.Succeeded, status)
	c.at = time.Now()
}

// timer counts one run of a timer's function.
func (c *counter) timer(name string) cost.Counts {
	c.local.t.Helper()
	before := c.snapshot()
	req, err := http.NewRequestWithContext(c.local.t.Context(), http.MethodPost, c.local.URL()+"/admin/functions/"+name, strings.NewReader(`{"input":""}`))
	require.NoError(c.local.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.local.t, err)
	require.NoError(c.local.t, res.Body.Close())
	require.Equal(c.local.t, http.StatusAccepted, res.StatusCode)
	var after map[string]int
	begun, ended := "host invoke "+name, "ended host invoke "+name
	require.Eventually(c.local.t, func() bool {
		after = c.snapshot()
		return after[ended] > before[ended] && after[ended] == after[begun]
	}, patience, 10*time.Millisecond)
	// It may have fired of itself, too.
	each, ok := divided(counts(before, after), after[begun]-before[begun])
	require.True(c.local.t, ok, "each costs the same")
	return each
}

// divided is a part of n equal ones; ok is false where they are not equal.
func divided(c cost.Counts, n int) (part cost.Counts, ok bool) {
	part = cost.Counts{ARM: c.ARM / n, Bus: c.Bus / n, Table: c.Table / n, Runs: c.Runs / n}
	return part, c == cost.Counts{}.Plus(n, part)
}
