package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/report"
	"azbackupflow/bench/internal/work"
)

func TestWrite_PageAndPlotsFitTheRawFigures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../results/latest.json")
	require.NoError(t, err)
	var run work.Run
	require.NoError(t, json.Unmarshal(text, &run))
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, run))
	written, err := filepath.Glob(filepath.Join(dir, "*", "*.svg"))
	require.NoError(t, err)
	require.NotEmpty(t, written)
	for _, path := range append(written, filepath.Join(dir, "performance.md")) {
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		have, err := os.ReadFile(filepath.Join("../../../docs", name))
		require.NoError(t, err, "run make bench, which writes it")
		require.True(t, bytes.Equal(want, have), "docs/%s does not fit the raw figures: do not edit it, run make bench", name)
	}
}

func TestWrite_TargetsFollowTheFigures(t *testing.T) {
	t.Parallel()
	run := func(change func(ours, memory, peerFile, peerMemory, azcore *work.Result)) string {
		results := []work.Result{
			result("azbackupflow", 1, 20, 5), result("azbackupflow-memory", 1, 20, 5), result("durabletask-file", 8, 40, 60),
			result("durabletask-memory", 4, 40, 60), result("azcore", 1, 10, 1),
		}
		results[0].Usage.RSSBefore = 15 << 20
		results[0].Usage.Cost = &work.Cost{
			Accept: work.Requests{Invocations: 2, TableWrites: 4, Sends: 2, MaxTable: 2, MaxSends: 1},
			Poll:   work.Requests{Invocations: 10, TableReads: 10, TableWrites: 10, Sends: 10, MaxTable: 2, MaxSends: 1},
			Last:   work.Requests{Invocations: 2, TableReads: 2, TableWrites: 4, MaxTable: 3},
		}
		change(&results[0], &results[1], &results[2], &results[3], &results[4])
		dir := t.TempDir()
		require.NoError(t, report.Write(dir, work.Run{Results: results, Startup: started(40*time.Millisecond, 10<<20)}))
		page, err := os.ReadFile(filepath.Join(dir, "performance.md"))
		require.NoError(t, err)
		return string(page)
	}
	type r = *work.Result
	good := func(_, _, _, _, azcore r) { azcore.Usage.RSSPeak = 40 << 20 }
	require.NotContains(t, run(good), "**missed**")
	for name, c := range map[string]struct {
		change func(ours, memory, peerFile, peerMemory, azcore r)
		says   string
	}{
		"CPU":          {func(_, memory, _, _, _ r) { memory.Usage.User *= 2 }, "Missed by 1.00 ms, because the share is 50 %"},
		"step":         {func(ours, _, _, _, _ r) { ours.Usage.User *= 2 }, "that makes 2.5 requests to the table service per call"},
		"lateness":     {func(ours, _, _, _, _ r) { ours.ARM.Lateness = []float64{140, 140} }, "Missed by 40 ms, because program"},
		"early":        {func(ours, _, _, _, _ r) { ours.ARM.Early = 1 }, "| no early polls | 1 in all runs of azbackupflow | **missed** |"},
		"calls":        {func(ours, _, _, _, _ r) { ours.ARM.MaxCalls = 5 }, "An operation made 5 calls, and 4 are allowed"},
		"transactions": {func(ours, _, _, _, _ r) { ours.Usage.Cost.Poll.MaxTable = 3 }, "poll at most 3 and 1, in 10; end at most 3 and 0, in 2 | **missed** |"},
		"acceptance":   {func(ours, _, _, _, _ r) { ours.Usage.Cost.Accept.MaxTable = 4 }, "accept at most 4 and 1, in 2;"},
		"memory":       {func(_, _, _, _, azcore r) { azcore.Usage.RSSPeak = 10 << 20 }, "Missed by 2.5 MiB, because steps allocate"},
		"no figures":   {func(ours, _, _, _, _ r) { ours.Usage.RSSPeak = 0 }, "| growth of memory with 2 waiting operations at most a quarter of azcore's | not run | **missed** |"},
		"unfinished":   {func(ours, _, _, _, _ r) { ours.ARM.Lateness = []float64{5} }, "azbackupflow ∞,"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := run(func(ours, memory, file, mem, azcore r) {
				good(ours, memory, file, mem, azcore)
				c.change(ours, memory, file, mem, azcore)
			})
			require.Contains(t, page, c.says)
			require.Contains(t, page, "**missed**")
		})
	}
	require.Contains(t, run(good), "It meets 9 of its 9 [targets](#targets)")
	require.Contains(t, run(func(_, _, file, _, azcore r) {
		good(nil, nil, nil, nil, azcore)
		file.ARM.Lateness = nil
	}), "durabletask-go, file ∞ | met |")
}

func TestWrite_ShowsSequentialStepsGrowthAndConclusions(t *testing.T) {
	t.Parallel()
	steps := work.Result{Contestant: "azbackupflow", Scenario: work.Scenario{Name: "5 steps", Operations: 10, Sequential: 5}, Repeat: 1}
	steps.Usage = work.Usage{User: 100 * time.Millisecond, Wall: time.Second, Ended: 10, RSSPeak: 30 << 20}
	run := work.Run{Results: []work.Result{result("azbackupflow", 1, 20, 5), result("dbos-file", 2, 40, 3), steps}}
	for _, n := range []int{10, 100, 1000} {
		spent := work.Spent{CPU: time.Duration(n) * time.Microsecond, Requests: 2}
		run.Growth = append(run.Growth, work.Growth{Store: "memory", Live: n, Sweep: spent, List: spent, Start: spent, Poll: spent})
	}
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, run))
	page, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	for _, want := range []string{
		"**CPU.** A step, which is one call to Azure, costs 1.00 ms", "cheapest of the durable contestants; the next is DBOS Transact, file with 2.00 ms",
		"The most punctual of the other durable contestants is DBOS Transact, file with 3 ms at p99",
		"run at 50 steps per second (azbackupflow)", "| azbackupflow | 50 | 50 | 2.00 ms | 30.0 MiB |",
		"From 10 to 1,000 live operations, the CPU time of a poll goes from 10 µs to 1000 µs",
		"| memory | 100 | 0 | 100 µs | 2.00 |", "(performance/growth-live-memory.svg)",
	} {
		require.Contains(t, string(page), want)
	}
	plot, err := os.ReadFile(filepath.Join(dir, "performance", "growth-live-memory.svg"))
	require.NoError(t, err)
	require.Contains(t, string(plot), "sweep, per live operation")
}

func TestWrite_JudgesTheStartsAndTheSizeOfThePackage(t *testing.T) {
	t.Parallel()
	page := func(s *work.Startup) string {
		dir := t.TempDir()
		require.NoError(t, report.Write(dir, work.Run{Results: []work.Result{result("azbackupflow", 1, 20, 5)}, Startup: s}))
		text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
		require.NoError(t, err)
		return string(text)
	}
	good := page(started(40*time.Millisecond, 10<<20))
	require.Contains(t, good, "| 40 ms, the median of 3; 39 ms to 90 ms | met |")
	require.Contains(t, good, "| 10.0 MiB; the program in it has 30.0 MiB | met |")
	require.Contains(t, good, "**Start.** The packaged program answers 40 ms after its start. The package has 10.0 MiB.")
	bad := page(started(60*time.Millisecond, 12<<20))
	require.Contains(t, bad, "| 60 ms, the median of 3; 39 ms to 90 ms | **missed** |")
	require.Contains(t, bad, "Missed by 10.0 ms")
	require.Contains(t, bad, "Missed by 1.0 MiB")
	require.Contains(t, page(nil), "as the median of its starts | not run | **missed** |")
}

func started(median time.Duration, archive int64) *work.Startup {
	return &work.Startup{Took: []time.Duration{39 * time.Millisecond, median, 90 * time.Millisecond}, ProgramBytes: 30 << 20, ArchiveBytes: archive}
}

func TestWrite_RejectsARunWithoutFigures(t *testing.T) {
	t.Parallel()
	require.Error(t, report.Write(t.TempDir(), work.Run{}))
}

func result(name string, cpu, peak int, late float64) work.Result {
	return work.Result{
		Contestant: name, Repeat: 1,
		Scenario: work.Scenario{Name: "2 waiting", Operations: 2, RetryAfter: time.Second, Polls: 2},
		Usage:    work.Usage{User: time.Duration(cpu) * 10 * time.Millisecond, RSSPeak: int64(peak) << 20},
		ARM:      work.ARM{Starts: 2, Polls: 8, MaxCalls: 3, Ended: 2, Lateness: []float64{late, late}},
	}
}
