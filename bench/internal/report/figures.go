// Package report turns the raw figures of a run into docs/performance.md and
// its plots. It writes the whole page, the sentences about targets included, so
// that none can stay behind when figures change.
package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/runner"
	"azbackupflow/bench/internal/work"
)

// figures are the medians of one contestant's runs of one scenario.
type figures struct {
	Contestant contestant.Contestant
	Runs       int
	// Failure is why it was not done, empty if it was.
	Failure string
	// CPU and Services are milliseconds a step, in the contestant's process and
	// in the stand-ins outside.
	CPU, Services float64
	// Steps are those a second.
	Steps float64
	// P50, P95 and P99 are of the lateness, in milliseconds. Where more
	// operations did not end than the percentile leaves out, it is infinite.
	P50, P95, P99 float64
	Calls         float64 // per operation
	Early, Twice  int     // in all runs together
	Most          int     // in any run
	// Peak and Growth are MiB of resident memory: the highest, and how much of
	// that came after the start.
	Peak, Growth float64
	// Start is in milliseconds.
	Start float64
}

// Measured: there are figures of its process. A contestant that did not even
// begin has none, and holds no target.
func (f figures) Measured() bool { return f.Peak > 0 }

// scenarioFigures are all contestants' in one scenario, in the order of the list.
type scenarioFigures struct {
	work.Scenario
	Figures []figures
}

// of gives a contestant's figures, if it has any.
func (s scenarioFigures) of(name string) (figures, bool) {
	for _, f := range s.Figures {
		if f.Contestant.Name == name && f.Measured() {
			return f, true
		}
	}
	return figures{}, false
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// byScenario gives the medians: flat out first, which says nothing of waiting,
// then those that wait, in ascending order of operations. Targets are judged by
// the last.
func byScenario(results []work.Result) []scenarioFigures {
	var all []scenarioFigures
	for _, r := range results {
		if !slices.ContainsFunc(all, func(s scenarioFigures) bool { return s.Name == r.Scenario.Name }) {
			all = append(all, scenarioFigures{Scenario: r.Scenario})
		}
	}
	slices.SortStableFunc(all, func(a, b scenarioFigures) int {
		if a.ByCount != b.ByCount {
			return cmp.Compare(flag(b.ByCount), flag(a.ByCount))
		}
		return cmp.Compare(a.Operations, b.Operations)
	})
	for i := range all {
		for _, c := range contestant.All() {
			var runs []work.Result
			for _, r := range results {
				if r.Contestant == c.Name && r.Scenario.Name == all[i].Name {
					runs = append(runs, r)
				}
			}
			if len(runs) > 0 {
				all[i].Figures = append(all[i].Figures, summed(c, runs))
			}
		}
	}
	return all
}

func summed(c contestant.Contestant, runs []work.Result) figures {
	f := figures{Contestant: c, Runs: len(runs)}
	for _, r := range runs {
		f.Early += r.ARM.Early
		f.Twice += r.ARM.Twice
		f.Most = max(f.Most, r.ARM.Most)
		f.Failure = cmp.Or(f.Failure, r.Failure)
	}
	// What did not come to its figures has no part in the medians.
	if whole := slices.DeleteFunc(slices.Clone(runs), func(r work.Result) bool { return r.Usage.RSSPeak == 0 }); len(whole) > 0 {
		runs = whole
	}
	of := func(value func(work.Result) float64) float64 { return median(runs, value) }
	f.CPU = of(func(r work.Result) float64 { return perCall(r, r.Usage.User+r.Usage.System) })
	f.Services = of(func(r work.Result) float64 { return perCall(r, r.Services) })
	f.Steps = of(func(r work.Result) float64 { return float64(r.ARM.Calls()) / max(r.ARM.Span.Seconds(), 1e-9) })
	f.P50 = of(func(r work.Result) float64 { return lateness(r, 50) })
	f.P95 = of(func(r work.Result) float64 { return lateness(r, 95) })
	f.P99 = of(func(r work.Result) float64 { return lateness(r, 99) })
	f.Calls = of(func(r work.Result) float64 { return float64(r.ARM.Calls()) / float64(max(r.ARM.Starts, 1)) })
	f.Peak = of(func(r work.Result) float64 { return float64(r.Usage.RSSPeak) / (1 << 20) })
	f.Growth = of(func(r work.Result) float64 { return float64(r.Usage.RSSPeak-r.Usage.RSSBefore) / (1 << 20) })
	f.Start = of(func(r work.Result) float64 { return float64(r.Start.Milliseconds()) })
	return f
}

func median(runs []work.Result, value func(work.Result) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = value(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func perCall(r work.Result, d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000 / float64(max(r.ARM.Calls(), 1))
}

// lateness counts an operation that did not end as infinitely late.
func lateness(r work.Result, p int) float64 {
	all := slices.Clone(r.ARM.Lateness)
	for len(all) < r.Scenario.Operations {
		all = append(all, math.Inf(1))
	}
	slices.Sort(all)
	return runner.Percentile(all, p)
}

// costOf adds up what a contestant asked of its services in all its runs; nil
// for one that has none.
func costOf(results []work.Result, name string) *work.Cost {
	var sum *work.Cost
	for _, r := range results {
		if r.Contestant != name || r.Usage.Cost == nil {
			continue
		}
		if sum == nil {
			sum = &work.Cost{}
		}
		c := r.Usage.Cost
		sum.Accept, sum.Start = plus(sum.Accept, c.Accept), plus(sum.Start, c.Start)
		sum.Poll, sum.Last = plus(sum.Poll, c.Poll), plus(sum.Last, c.Last)
	}
	return sum
}

func plus(a, b work.Requests) work.Requests {
	return work.Requests{
		Invocations: a.Invocations + b.Invocations,
		TableReads:  a.TableReads + b.TableReads, TableWrites: a.TableWrites + b.TableWrites, Sends: a.Sends + b.Sends,
		MostTable: max(a.MostTable, b.MostTable), MostSends: max(a.MostSends, b.MostSends),
	}
}
