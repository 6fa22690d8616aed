package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/work"
)

// target is a target of azbackupflow, and whether it is met.
type target struct {
	Want, Measured string
	Met            bool
	// Reason explains by how much the target is missed, and why.
	Reason string
}

// Result returns the result for the table.
func (t target) Result() string {
	if t.Met {
		return "met"
	}
	return "**missed**"
}

// targets evaluates the scenario with the largest number of operations. A target
// without figures is missed.
func targets(all []scenarioFigures, cost *work.Cost, run work.Run) []target {
	last := all[len(all)-1]
	return append([]target{
		stepTarget(all, requestsPerStep(last, run.Results)), cpuTarget(all), latenessTarget(last, run.Machine.Cores), earlyTarget(all), callsTarget(all), costTarget(cost), memoryTarget(last),
	}, packageTargets(run.Startup)...)
}

func notRun(want string) target {
	return target{Want: want, Measured: "not run", Reason: "This run has no figures for it."}
}

func cpuTarget(all []scenarioFigures) target {
	s := all[len(all)-1]
	t := target{Want: fmt.Sprintf("CPU per step at %s operations at most a quarter of durabletask-go's, both in memory", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow-memory")
	theirs, has := s.of("durabletask-memory")
	if !ok || !has {
		return notRun(t.Want)
	}
	ratio := ours.CPU / theirs.CPU
	t.Met = ratio <= 0.25 && ours.Failure == ""
	t.Measured = strings.Join(cpuShares(all), "; ")
	if !t.Met {
		t.Reason = fmt.Sprintf("Missed by %.2f ms, because the share is %.0f %%: both figures include the same ARM calls with the same HTTP client, which cost azcore alone %s and which no engine can reduce.",
			ours.CPU-theirs.CPU/4, 100*ratio, cpuOf(s, "azcore"))
	}
	return t
}

// cpuShares describes the shares of all scenarios; the evaluated one is first.
func cpuShares(all []scenarioFigures) []string {
	var shares []string
	for i := range all {
		s := all[len(all)-1-i]
		ours, ok := s.of("azbackupflow-memory")
		theirs, has := s.of("durabletask-memory")
		if ok && has {
			shares = append(shares, fmt.Sprintf("%.2f ms and %.2f ms, %.0f %% (%s)", ours.CPU, theirs.CPU, 100*ours.CPU/theirs.CPU, s.Name))
		}
	}
	return shares
}

func cpuOf(s scenarioFigures, name string) string {
	if f, ok := s.of(name); ok {
		return fmt.Sprintf("%.2f ms per step", f.CPU)
	}
	return "an unknown time"
}

const (
	maxLateness = 100.0 // ms
	maxStepCPU  = 1.2   // ms
)

func latenessTarget(s scenarioFigures, cores int) target {
	t := target{Want: fmt.Sprintf("lateness p99 at %s operations at most %.0f ms", thousands(s.Operations), maxLateness)}
	ours, ok := s.of("azbackupflow")
	if !ok {
		return notRun(t.Want)
	}
	measured := []string{"azbackupflow " + millis(ours.P99)}
	for _, f := range s.Figures {
		if f.Contestant.Kind == contestant.Durable && !f.Contestant.Ours {
			measured = append(measured, f.Contestant.Title+" "+millis(f.P99))
		}
	}
	t.Measured = strings.Join(measured, ", ")
	t.Met = ours.P99 <= maxLateness
	switch {
	case t.Met:
	case math.IsInf(ours.P99, 1):
		t.Reason = fmt.Sprintf("azbackupflow did not finish all operations within the limit (%s).", ours.Failure)
	default:
		t.Reason = fmt.Sprintf("Missed by %s, because program, table service, broker and fake ARM share %d cores and use %.1f ms of CPU per step, which is %.1f cores at %.0f steps per second, so messages that they cannot handle in time wait in the queue.",
			millis(ours.P99-maxLateness), cores, ours.CPU+ours.Services, (ours.CPU+ours.Services)*offeredRate(s)/1000, offeredRate(s))
	}
	return t
}

func stepTarget(all []scenarioFigures, requests string) target {
	s := all[len(all)-1]
	t := target{Want: fmt.Sprintf("CPU per step at %s operations at most %.1f ms, with table service and broker", thousands(s.Operations), maxStepCPU)}
	ours, ok := s.of("azbackupflow")
	if !ok {
		return notRun(t.Want)
	}
	var measured []string
	for i := range all {
		s := all[len(all)-1-i]
		if f, ok := s.of("azbackupflow"); ok {
			measured = append(measured, fmt.Sprintf("%.2f ms (%s, %.0f calls per operation)", f.CPU, s.Name, f.Calls))
		}
	}
	t.Measured = strings.Join(measured, "; ")
	t.Met = ours.CPU <= maxStepCPU && ours.Failure == ""
	if !t.Met {
		t.Reason = fmt.Sprintf("Missed by %.2f ms, because an operation with %.0f calls is accepted, started and ended: that makes %s to the table service per call, and the program receives, completes and sends messages. Each of them costs about as much as a call to ARM, for which azcore alone needs %s, because the process falls asleep and wakes up for each answer.",
			ours.CPU-maxStepCPU, ours.Calls, requests, cpuOf(s, "azcore"))
	}
	return t
}

// requestsPerStep describes the requests of azbackupflow to the table service in a
// scenario, for each ARM call, those of the acceptance included.
func requestsPerStep(s scenarioFigures, results []work.Result) string {
	of := slices.DeleteFunc(slices.Clone(results), func(r work.Result) bool { return r.Scenario.Name != s.Name })
	cost := costOf(of, "azbackupflow")
	if cost == nil {
		return "requests"
	}
	requests := 0
	for _, r := range []work.Requests{cost.Accept, cost.Start, cost.Poll, cost.Last} {
		requests += r.TableReads + r.TableWrites
	}
	return fmt.Sprintf("%.1f requests", each(requests, cost.Start.Invocations+cost.Poll.Invocations+cost.Last.Invocations))
}

// offeredRate returns the steps per second that the scenario requests.
func offeredRate(s scenarioFigures) float64 {
	return float64(s.Operations*(1+s.Polls)) / (s.Spread + s.Duration()).Seconds()
}

func earlyTarget(all []scenarioFigures) target {
	t := target{Want: "no early polls", Met: true}
	early, found := 0, false
	for _, s := range all {
		for _, f := range s.Figures {
			if f.Contestant.Ours {
				early += f.Early
				found = true
			}
		}
	}
	if !found {
		return notRun(t.Want)
	}
	t.Met, t.Measured = early == 0, fmt.Sprintf("%d in all runs of azbackupflow", early)
	if !t.Met {
		t.Reason = "A poll before Retry-After has passed is a bug of the engine, which must never shorten a wait."
	}
	return t
}

func callsTarget(all []scenarioFigures) target {
	t := target{Want: "at most ⌈duration ÷ Retry-After⌉ + 2 ARM calls per operation", Met: true}
	var measured []string
	for _, s := range all {
		calls, found := 0, false
		for _, f := range s.Figures {
			if f.Contestant.Ours {
				calls, found = max(calls, f.MaxCalls), true
			}
		}
		if !found {
			continue
		}
		measured = append(measured, fmt.Sprintf("%d of %d (%s)", calls, s.Calls(), s.Name))
		if calls > s.Calls() {
			t.Met = false
			t.Reason = fmt.Sprintf("An operation made %d calls, and %d are allowed (%s): a message was delivered twice, or a call was repeated after an error.", calls, s.Calls(), s.Name)
		}
	}
	if len(measured) == 0 {
		return notRun(t.Want)
	}
	t.Measured = "at most " + strings.Join(measured, ", ")
	return t
}

func costTarget(cost *work.Cost) target {
	t := target{Want: "requests to the table service and sends: at most 2 and 1 to accept, 2 and 1 per poll, 3 and 0 at the end"}
	if cost == nil {
		return notRun(t.Want)
	}
	var measured []string
	t.Met = true
	for _, c := range []struct {
		what         string
		have         work.Requests
		table, sends int
	}{{"accept", cost.Accept, 2, 1}, {"poll", cost.Poll, 2, 1}, {"end", cost.Last, 3, 0}} {
		t.Met = t.Met && c.have.Invocations > 0 && c.have.MaxTable <= c.table && c.have.MaxSends <= c.sends
		measured = append(measured, fmt.Sprintf("%s at most %d and %d, in %s", c.what, c.have.MaxTable, c.have.MaxSends, thousands(c.have.Invocations)))
	}
	t.Measured = strings.Join(measured, "; ")
	if !t.Met {
		t.Reason = "A single invocation with more requests misses it: a save had a conflict, or the client repeated a request because the table service did not answer within 5 seconds."
	}
	return t
}

func memoryTarget(s scenarioFigures) target {
	t := target{Want: fmt.Sprintf("growth of memory with %s waiting operations at most a quarter of azcore's", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow")
	theirs, has := s.of("azcore")
	if !ok || !has {
		return notRun(t.Want)
	}
	t.Met = ours.Growth <= theirs.Growth/4 && ours.Failure == ""
	t.Measured = fmt.Sprintf("%.1f MiB and %.1f MiB; peak of the whole process %.1f MiB and %.1f MiB", ours.Growth, theirs.Growth, ours.Peak, theirs.Peak)
	if !t.Met {
		t.Reason = fmt.Sprintf("Missed by %.1f MiB, because steps allocate at least 4 MiB between two garbage collections, whatever the number of operations; a waiting operation itself needs no memory.", ours.Growth-theirs.Growth/4)
	}
	return t
}

func each(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }
