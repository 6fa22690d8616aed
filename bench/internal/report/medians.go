// Package report generates docs/performance.md and its plots from the raw figures of
// a run. It writes the whole page, including the sentences about targets, so that
// every sentence fits the figures.
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

// figures holds the medians of a contestant's runs of a scenario.
type figures struct {
	Contestant contestant.Contestant
	Runs       int
	// Failure is the reason why a run is not complete; empty if all are.
	Failure string
	// CPU and Services are the CPU time per step in ms, of the contestant's
	// process and of the services outside.
	CPU, Services float64
	// Steps is the number of steps per second.
	Steps float64
	// P50, P95 and P99 are percentiles of the lateness in ms. An operation that did
	// not end counts as infinitely late.
	P50, P95, P99 float64
	// Calls is the number of calls per operation.
	Calls float64
	// Early and DuplicateStarts are the sums of all runs, MaxCalls the maximum.
	Early, DuplicateStarts, MaxCalls int
	// Peak and Growth are MiB of resident memory: the maximum, and its part that was
	// added after the first start.
	Peak, Growth float64
	// Start is the time to the first call in ms.
	Start float64
}

// Measured reports whether the process has figures. A contestant that did not start
// has none, and meets no target.
func (f figures) Measured() bool { return f.Peak > 0 }

// scenarioFigures holds the figures of all contestants in a scenario, in the order
// of contestant.All.
type scenarioFigures struct {
	work.Scenario
	Figures []figures
}

// of returns the figures of a contestant, if it has any.
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

// byScenario returns the figures of each scenario: first flat out, which measures no
// waiting, then the others by ascending number of operations. The last one
// determines whether targets are met.
func byScenario(results []work.Result) []scenarioFigures {
	var all []scenarioFigures
	for _, r := range results {
		if r.Scenario.Sequential > 0 {
			continue
		}
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
				all[i].Figures = append(all[i].Figures, medians(c, runs))
			}
		}
	}
	return all
}

// medians returns the figures of a contestant from its runs of a scenario.
func medians(c contestant.Contestant, runs []work.Result) figures {
	f := figures{Contestant: c, Runs: len(runs)}
	for _, r := range runs {
		f.Early += r.ARM.Early
		f.DuplicateStarts += r.ARM.DuplicateStarts
		f.MaxCalls = max(f.MaxCalls, r.ARM.MaxCalls)
		f.Failure = cmp.Or(f.Failure, r.Failure)
	}
	// Runs without figures do not count in the medians.
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

// lateness returns a percentile of the lateness. It counts an operation that did
// not end as infinitely late.
func lateness(r work.Result, p int) float64 {
	all := slices.Clone(r.ARM.Lateness)
	for len(all) < r.Scenario.Operations {
		all = append(all, math.Inf(1))
	}
	slices.Sort(all)
	return runner.Percentile(all, p)
}

// costOf returns the requests of a contestant to its services in all runs, or nil if
// it has no services.
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
		MaxTable: max(a.MaxTable, b.MaxTable), MaxSends: max(a.MaxSends, b.MaxSends),
	}
}
