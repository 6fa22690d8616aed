package report

import (
	"fmt"
	"math"
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
func targets(all []scenarioFigures, cost *work.Cost, cores int) []target {
	last := all[len(all)-1]
	return []target{
		stepTarget(last), cpuTarget(all), latenessTarget(last, cores), earlyTarget(all), callsTarget(all), costTarget(cost), memoryTarget(last),
	}
}

func notRun(want string) target {
	return target{Want: want, Measured: "not run", Reason: "A contestant that this target compares has no figures in this run."}
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
		t.Reason = fmt.Sprintf("The share is %.0f %%, not 25 %%. Both figures include the same HTTP client and the same ARM calls, which cost azcore alone %s. The engine cannot reduce that part.",
			100*ratio, cpuOf(s, "azcore"))
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
		t.Reason = fmt.Sprintf("Missed by %s. Program, table service, broker and fake ARM share the %d cores and use %.1f ms of CPU per step, which is %.1f cores at %.0f steps per second; messages that they cannot handle in time wait in the queue.",
			millis(ours.P99-maxLateness), cores, ours.CPU+ours.Services, (ours.CPU+ours.Services)*offeredRate(s)/1000, offeredRate(s))
	}
	return t
}

func stepTarget(s scenarioFigures) target {
	t := target{Want: fmt.Sprintf("CPU per step at %s operations at most %.1f ms, with table service and broker", thousands(s.Operations), maxStepCPU)}
	ours, ok := s.of("azbackupflow")
	if !ok {
		return notRun(t.Want)
	}
	t.Measured = fmt.Sprintf("%.2f ms", ours.CPU)
	t.Met = ours.CPU <= maxStepCPU && ours.Failure == ""
	if !t.Met {
		t.Reason = fmt.Sprintf("Missed by %.2f ms. Of it, azcore alone needs %s for the ARM call and its own waiting; the rest is mostly two HTTP requests to the table service and three messages of AMQP, and for half of the steps the start of the operation.", ours.CPU-maxStepCPU, cpuOf(s, "azcore"))
	}
	return t
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
		t.Reason = "A poll before Retry-After has passed is a bug of the engine: it never shortens a wait."
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
		t.Reason = "More requests mean that a save had a conflict, or that the client retried a request because the table service did not answer within 5 seconds."
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
		t.Reason = fmt.Sprintf("azbackupflow's memory grows by %.0f %% of azcore's, not 25 %%. A waiting operation uses no memory: the growth is what running steps allocate between two garbage collections, and does not increase with the number of operations.",
			100*ours.Growth/math.Max(theirs.Growth, 0.1))
	}
	return t
}

func each(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }
