package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/cost"
	"azbackupflow/generate/flows"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

var update = flag.Bool("update", false, "write generate/cost/counts.json") // a flag of the test binary

// TestCost_FlowsMakeTheCountedTransactions counts the transactions of
// docs/cost.md at the stand-ins: one operation of each flow at a time, on a
// stack without a sweep. The number of re-checks depends on the duration of the
// work, and so on the machine. The cost of one re-check, and all other counts,
// do not.
func TestCost_FlowsMakeTheCountedTransactions(t *testing.T) {
	t.Parallel()
	targets := flow.ExampleGuardrails().RestoreTargets
	settings := withoutSweep()
	maps.Copy(settings, map[string]string{
		"AZBACKUPFLOW_ALLOW_DELETE":    "true",
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(targets, ","),
		"AZBACKUPFLOW_DRILL_TARGETS":   strings.Join(flow.ExampleGuardrails().DrillTargets, ","),
		"AZBACKUPFLOW_NOTICES":         "notices", // as it is deployed
		"AZBACKUPFLOW_LOG_LEVEL":       "DEBUG",   // the counter reads each save
	})
	settings["DeadLetterSchedule"] = settings["SweepSchedule"] // its calls would be counted, too
	c := &counter{seen: map[string]int{}}
	c.local = startInTurn(t, stack.Config{SpeedFactor: costSpeed, Fault: c.hook, HostLines: c.logged, Queues: []string{"notices"}, Settings: settings, Drills: true})

	l := c.local

	// The first operation of an instance creates the tables and fetches a token.
	// The first operation that changes an item does not read the row of another
	// one.
	database := func(name, kind string) measured {
		r := example(t, "backup-now-sql")
		r["key"], r["parameters"] = name, map[string]any{"itemId": itemID(t, l, name), "backupType": kind}
		return c.operation(r)
	}
	cold, warm := database("orders", "CopyOnlyFull"), database("SYSTEMDB", "Differential")

	definitions, err := flow.Definitions(flow.Config{Now: time.Now})
	require.NoError(t, err)
	examples, err := flows.WithCounted(definitions)
	require.NoError(t, err)
	made := map[string]measured{}
	for _, e := range examples {
		request := example(t, e.File)
		if e.JobOf != "" {
			job := l.ARM.Jobs()[0]
			request["parameters"] = map[string]any{"jobId": job.Vault + "/backupJobs/" + job.ID}
		}
		made[e.File] = c.operation(request)
	}

	// Azure often answers that the operation is still running.
	backup, again := made["backup-now-file-share"], example(t, "backup-now-file-share")
	counted := cost.Counted{Recheck: c.recheck()}
	for _, e := range examples {
		if e.Cost == "" {
			continue // another one waited for it
		}
		counted.Flows = append(counted.Flows, cost.Part{Name: e.Definition.Name, What: e.Cost, Counts: made[e.File].without(counted.Recheck)})
	}

	more := func(name, what string, n cost.Counts) {
		if n.Lines == 0 {
			n.Bytes = 0 // the same lines, whose texts differ by some bytes
		}
		counted.More = append(counted.More, cost.Part{Name: name, What: what, Counts: n})
	}
	base := backup.without(counted.Recheck)
	delete(again, "labels")
	again["key"] = "unlabelled"
	more("a label", "each of the examples has one", base.Plus(-1, c.operation(again).without(counted.Recheck)))
	queued := example(t, "backup-now-file-share")
	queued["key"] = "queued"
	more("a request over the queue", "in place of HTTP",
		c.asked(func() { l.send("requests", message("queued", queued)) }).without(counted.Recheck).Plus(-1, base))
	more("reading an operation", "`GET /operations/{id}`", c.count(func() { l.call(http.MethodGet, "/operations/"+c.id, nil, nil) }))
	more("the start of an instance", "with its first operation", cold.without(counted.Recheck).Plus(-1, warm.without(counted.Recheck)))
	for _, timer := range []struct{ name, what string }{
		{"sweep", "every five minutes"}, {"schedule-backups", "every minute"}, {"sweep-resources", "every hour"},
		{"collect-dead-letters", "every five minutes"},
	} {
		counted.Timers = append(counted.Timers, cost.Part{Name: timer.name, What: timer.what, Counts: c.timer(timer.name)})
	}

	file := filepath.Join("..", "..", "generate", "cost", cost.File)
	raw, err := json.MarshalIndent(counted, "", "  ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, append(raw, '\n'), 0o600))
		return
	}
	page, err := cost.Read()
	require.NoError(t, err)
	require.Equal(t, page.Recheck, counted.Recheck)
	requireNear(t, page.Flows, counted.Flows)
	requireNear(t, page.More, counted.More)
	requireNear(t, page.Timers, counted.Timers)
}

// recheck counts one more poll of an unfinished backup, as the difference
// between a quick and a slow backup. It repeats the measurement if something
// else interfered, as on a busy machine.
func (c *counter) recheck() cost.Counts {
	t := c.local.t
	t.Helper()
	for n := range 5 {
		request := example(t, "backup-now-file-share")
		request["key"] = fmt.Sprint("quick-", n)
		quick := c.operation(request)
		c.local.ARM.Inject(armsim.Rule{Kind: "GET operationsStatus", Times: 12, Effect: armsim.Answer(http.StatusOK, `{"status":"InProgress"}`, nil)})
		request["key"] = fmt.Sprint("slow-", n)
		slow := c.operation(request)
		require.Greater(t, slow.waits, quick.waits)
		if each, ok := divided(slow.Plus(-1, quick.Counts), slow.waits-quick.waits); ok {
			return each
		}
	}
	require.Fail(t, "re-checks differ in their cost")
	return cost.Counts{}
}

// requireNear asserts that the page has the counted numbers. A fresh or stale
// job list of a vault, and so one more read or write of its row, depends on the
// machine: the difference is at most two table requests and one ARM call. So does
// whether a poll sees work in progress, which is logged once for each state.
func requireNear(t *testing.T, page, counted []cost.Part) {
	t.Helper()
	require.Len(t, counted, len(page))
	for i, part := range counted {
		require.Equal(t, page[i].Name+page[i].What, part.Name+part.What)
		require.Equal(t, page[i].Bus, part.Bus, "%s: bus", part.Name)
		require.Equal(t, page[i].Runs, part.Runs, "%s: executions", part.Name)
		require.InDelta(t, page[i].Table, part.Table, 2, "%s: table", part.Name)
		require.InDelta(t, page[i].ARM, part.ARM, 1, "%s: ARM", part.Name)
		require.InDelta(t, page[i].Lines, part.Lines, 5, "%s: log lines", part.Name)
	}
}
