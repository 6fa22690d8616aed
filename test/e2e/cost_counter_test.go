package e2e

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/generate/cost"
	"azbackupflow/internal/api"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/operation"
)

// costSpeed is the speed factor of the stack that counts costs.
const costSpeed = 600

// counter counts the requests that the stand-ins serve during an action. It
// sends no request to the app meanwhile, because that would count too.
type counter struct {
	local *local
	// id is the operation that ended last, at its end time, waits the number of
	// its re-checks, and late how often it was too late for a claimed call.
	id          string
	at          time.Time
	waits, late int

	mu   sync.Mutex
	seen map[string]int
}

// hook is the fault hook of the stack.
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

// logged counts a line that the host sends to Application Insights. The handler logs
// at DEBUG here, for the test to see each save; the app that is deployed logs at INFO.
func (c *counter) logged(line functionshost.HostLine) {
	var handler struct{ Level string }
	if json.Unmarshal([]byte(line.Text), &handler) == nil && handler.Level == slog.LevelDebug.String() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen["log lines"]++
	c.seen["log bytes"] += len(line.Text)
}

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// count counts the requests that act causes, until all messages are settled.
// Requests of timers that fire meanwhile do not count.
func (c *counter) count(act func()) cost.Counts {
	c.local.t.Helper()
	before := c.snapshot()
	act()
	var after map[string]int
	require.Eventually(c.local.t, func() bool {
		after = c.snapshot()
		for _, queue := range []string{"steps", "requests"} {
			// A message may be completed before its sender has received the
			// confirmation.
			if after["bus send "+queue] != after["ended bus complete "+queue] {
				return false
			}
		}
		return true
	}, maxWait, 10*time.Millisecond)
	for _, timed := range []string{"host invoke schedule-backups", "host invoke sweep-resources", "table GET scheduleruns"} {
		delete(after, timed)
	}
	return counts(before, after)
}

// counts returns the requests between two snapshots.
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
		case key == "log lines":
			n.Lines += made
		case key == "log bytes":
			n.Bytes += made
		case service == "host" && strings.HasPrefix(kind, "invoke "):
			n.Runs += made
		}
	}
	return n
}

// measured holds the counts of a whole operation, its re-checks, and how often
// it was too late for a call.
type measured struct {
	cost.Counts
	waits, late int
}

// without subtracts the parts that depend on the machine: re-checks, and runs
// that claimed a call and were too late for it (after a tenth of a second at
// this speed). Such a run saves the claim instead of calling Azure.
func (m measured) without(recheck cost.Counts) cost.Counts {
	late := recheck.Plus(1, cost.Counts{Table: 1, ARM: -1, Lines: 1})
	return m.Plus(-m.waits, recheck).Plus(-m.late, late)
}

// operation counts a whole operation that is requested over HTTP.
func (c *counter) operation(request map[string]any) measured {
	c.local.t.Helper()
	return c.asked(func() { c.local.begin(request) })
}

// asked counts the operation that act requests.
func (c *counter) asked(act func()) measured {
	c.local.t.Helper()
	n := c.count(func() { c.ends(act) })
	return measured{n, c.waits, c.late}
}

// ends waits until the operation that act requests has succeeded and has sent
// its notice, according to the log of the handler.
func (c *counter) ends(act func()) {
	c.local.t.Helper()
	// The item becomes free some time after the previous operation has ended.
	require.Eventually(c.local.t, func() bool {
		return time.Since(c.at) > operation.NewWaits(costSpeed).LockCooldown
	}, maxWait, 10*time.Millisecond)
	seen := len(c.local.output())
	act()
	var status api.Status
	require.Eventually(c.local.t, func() bool {
		status, c.waits, c.late = "", 0, 0
		noticed := false
		for _, text := range c.local.output()[seen:] {
			var line struct {
				Msg, Op, What string
				Status        api.Status
			}
			if json.Unmarshal([]byte(text), &line) != nil || line.Msg != "operation saved" {
				continue
			}
			c.id, status = line.Op, line.Status
			switch what, _, _ := strings.Cut(line.What, ":"); what {
			case "notice sent":
				noticed = status.Terminal()
			case "waiting":
				assert.NotContains(c.local.t, line.What, "waiting: operation", "the item is free")
				c.waits++
			case "claim expired before the call; nothing was called":
				c.late++
			}
		}
		return noticed
	}, maxWait, 10*time.Millisecond)
	require.Equal(c.local.t, api.Succeeded, status)
	c.at = time.Now()
}

// timer counts one run of the function of a timer.
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
	}, maxWait, 10*time.Millisecond)
	// The timer may also have fired on its own.
	each, ok := divided(counts(before, after), after[begun]-before[begun])
	require.True(c.local.t, ok, "all runs cost the same")
	return each
}

// divided divides counts by n. ok is false if they are not divisible. Log lines need
// not be: the first poll that sees work in progress is logged, the others are not.
func divided(c cost.Counts, n int) (part cost.Counts, ok bool) {
	lines, bytes := c.Lines, c.Bytes
	c.Lines, c.Bytes = 0, 0
	part = cost.Counts{ARM: c.ARM / n, Bus: c.Bus / n, Table: c.Table / n, Runs: c.Runs / n}
	ok = c == cost.Counts{}.Plus(n, part)
	if lines >= n {
		part.Lines, part.Bytes = lines/n, bytes/n
	}
	return part, ok
}
