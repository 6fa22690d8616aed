package report

import (
	"fmt"
	"math"
	"strings"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/work"
)

// conclusions returns what a reader should know first, from the figures of the
// scenario with the largest number of operations.
func conclusions(run work.Run, all []scenarioFigures) []string {
	s := all[len(all)-1]
	var found []string
	ours, ok := s.of("azbackupflow")
	if ok {
		line := fmt.Sprintf("**CPU.** A step, which is one call to Azure, costs %.2f ms of CPU in azbackupflow's process, with its state in Table Storage and its messages in Service Bus", ours.CPU)
		if memory, ok := s.of("azbackupflow-memory"); ok {
			line += fmt.Sprintf(", and %.2f ms with both in memory", memory.CPU)
		}
		found = append(found, line+". "+rank(s, ours, "cheapest", "%.2f ms", func(f figures) float64 { return f.CPU }))
		found = append(found, fmt.Sprintf("**Lateness.** With %s operations, half of the ends are found within %s, and 99 %% within %s. ", thousands(s.Operations), millis(ours.P50), millis(ours.P99))+
			rank(s, ours, "most punctual", "%.0f ms at p99", func(f figures) float64 { return f.P99 }))
		found = append(found, fmt.Sprintf("**Memory.** The process needs at most %.1f MiB, %.1f MiB of it since the first operation. A waiting operation needs none. ", ours.Peak, ours.Growth)+
			rank(s, ours, "smallest", "%.1f MiB", func(f figures) float64 { return f.Peak }))
	}
	if line := sequentialConclusion(run.Results); line != "" {
		found = append(found, line)
	}
	for _, line := range []string{growthConclusion(run.Growth), startConclusion(run.Startup)} {
		if line != "" {
			found = append(found, line)
		}
	}
	return found
}

// rank compares azbackupflow with the best of the other durable contestants.
func rank(s scenarioFigures, ours figures, best, format string, value func(figures) float64) string {
	var first *figures
	for _, f := range s.Figures {
		if f.Contestant.Kind == contestant.Durable && !f.Contestant.Ours && f.Failure == "" && (first == nil || value(f) < value(*first)) {
			first = &f
		}
	}
	if first == nil || math.IsInf(value(ours), 1) {
		return ""
	}
	if value(ours) <= value(*first) {
		return fmt.Sprintf("That is the %s of the durable contestants; the next is %s with "+format+".", best, first.Contestant.Title, value(*first))
	}
	return fmt.Sprintf("The %s of the other durable contestants is %s with "+format+": its state is on the same machine.", best, first.Contestant.Title, value(*first))
}

// sequentialRow holds the figures of a run of sequential steps.
type sequentialRow struct {
	Title          string
	Steps          int
	PerSecond, CPU float64
	Peak           float64
	Failure        string
}

func sequentialRows(results []work.Result) []sequentialRow {
	var rows []sequentialRow
	for _, r := range results {
		if r.Scenario.Sequential == 0 {
			continue
		}
		c, _ := contestant.Find(r.Contestant)
		steps := r.Usage.Ended * r.Scenario.Sequential
		row := sequentialRow{Title: c.Title, Steps: steps, Peak: float64(r.Usage.RSSPeak) / (1 << 20), Failure: r.Failure}
		if steps > 0 && r.Usage.Wall > 0 {
			row.PerSecond = float64(steps) / r.Usage.Wall.Seconds()
			row.CPU = (r.Usage.User + r.Usage.System).Seconds() * 1000 / float64(steps)
		}
		rows = append(rows, row)
	}
	return rows
}

func sequentialConclusion(results []work.Result) string {
	var parts []string
	for _, r := range sequentialRows(results) {
		if r.PerSecond > 0 {
			parts = append(parts, fmt.Sprintf("%s steps per second (%s)", thousands(int(r.PerSecond)), r.Title))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "**Throughput.** Operations of five steps that do nothing run at " + strings.Join(parts, " and ") + ". Microsoft publishes 250 work items per second for Durable Functions on Azure Storage, and 1,400 for its Durable Task Scheduler, in the same shape on other machines."
}

func growthConclusion(all []work.Growth) string {
	var first, last *work.Growth
	for i, g := range all {
		if g.Store != "memory" || g.Ended > 0 {
			continue
		}
		if first == nil {
			first = &all[i]
		}
		if g.Live > first.Live && (last == nil || g.Live > last.Live) {
			last = &all[i]
		}
	}
	if last == nil {
		return ""
	}
	return fmt.Sprintf("**Growth.** From %s to %s live operations, the CPU time of a poll goes from %s to %s, and that of a sweep from %s to %s for each live operation. History costs nothing.",
		thousands(first.Live), thousands(last.Live), micros(first.Poll), micros(last.Poll), micros(first.Sweep), micros(last.Sweep))
}

func micros(s work.Spent) string { return fmt.Sprintf("%.0f µs", float64(s.CPU.Nanoseconds())/1000) }
