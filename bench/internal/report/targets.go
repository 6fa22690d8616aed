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
		cpuTarget(all), latenessTarget(last, cost, cores), earlyTarget(all), callsTarget(all), costTarget(cost), memoryTarget(last),
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

func latenessTarget(s scenarioFigures, cost *work.Cost, cores int) target {
	t := target{Want: fmt.Sprintf("lateness p99 at %s operations at most a tenth of every durable peer's", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow")
	if !ok {
		return notRun(t.Want)
	}
	var measured, missed []string
	for _, f := range s.Figures {
		if f.Contestant.Kind != contestant.Durable || f.Contestant.Ours {
			continue
		}
		line := f.Contestant.Title + " " + millis(f.P99)
		measured = append(measured, line)
		switch {
		case math.IsInf(ours.P99, 1):
			missed = append(missed, line)
		case ours.P99 > f.P99/10:
			missed = append(missed, fmt.Sprintf("%s (azbackupflow has %.1f times a tenth of it)", line, 10*ours.P99/f.P99))
		}
	}
	if len(measured) == 0 {
		return notRun(t.Want)
	}
	t.Measured = fmt.Sprintf("azbackupflow %s; %s", millis(ours.P99), strings.Join(measured, ", "))
	t.Met = len(missed) == 0
	if t.Met {
		return t
	}
	if math.IsInf(ours.P99, 1) {
		t.Reason = fmt.Sprintf("azbackupflow did not finish all operations within the limit (%s).", ours.Failure)
		return t
	}
	t.Reason = fmt.Sprintf("Missed against %s. azbackupflow's p99 is %s. It is the time in two services: each step is a receive, a read, a transaction, a send and a settlement over sockets, while the peers call sqlite in their own process. ",
		strings.Join(missed, "; "), millis(ours.P99))
	t.Reason += fmt.Sprintf("Engine, Azurite, broker and fake ARM together used %.1f ms of CPU per step. The load is %.0f steps per second, which is %.1f of the %d cores on average.",
		ours.CPU+ours.Services, offeredRate(s), (ours.CPU+ours.Services)*offeredRate(s)/1000, cores)
	if cost != nil {
		t.Reason += fmt.Sprintf(" While operations end, it is more: each end makes up to %d requests to the table service, a poll %d. Messages that the services cannot handle in time wait in the queue.",
			cost.Last.MaxTable, cost.Poll.MaxTable)
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
	t := target{Want: "at most 2 table transactions and 1 send per poll"}
	if cost == nil {
		return notRun(t.Want)
	}
	poll := cost.Poll
	t.Met = poll.Invocations > 0 && poll.MaxTable <= 2 && poll.MaxSends <= 1
	t.Measured = fmt.Sprintf("%.2f and %.2f on average, at most %d and %d, in %s polls",
		each(poll.TableReads+poll.TableWrites, poll.Invocations), each(poll.Sends, poll.Invocations), poll.MaxTable, poll.MaxSends, thousands(poll.Invocations))
	if !t.Met {
		t.Reason = "More than one read and one write per poll means that a save had a conflict, or that the client retried a request because the table service did not answer within 5 seconds."
	}
	return t
}

func memoryTarget(s scenarioFigures) target {
	t := target{Want: fmt.Sprintf("memory with %s waiting operations at most half of azcore's", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow")
	theirs, has := s.of("azcore")
	if !ok || !has {
		return notRun(t.Want)
	}
	t.Met = ours.Peak <= theirs.Peak/2 && ours.Failure == ""
	t.Measured = fmt.Sprintf("peak of the whole process %.1f MiB and %.1f MiB (%.0f %%); growth since the first operation %.1f MiB and %.1f MiB",
		ours.Peak, theirs.Peak, 100*ours.Peak/theirs.Peak, ours.Growth, theirs.Growth)
	if !t.Met {
		t.Reason = fmt.Sprintf("azbackupflow's process has %.0f %% of azcore's peak, not 50 %%. Of its %.1f MiB, %.1f MiB are used before the first operation: by the program, the runtime and the clients of two services. The growth is memory that running steps allocate between two garbage collections. A waiting operation uses no memory. azcore's growth of %.1f MiB increases with the number of waiting operations.",
			100*ours.Peak/theirs.Peak, ours.Peak, ours.Peak-ours.Growth, theirs.Growth)
	}
	return t
}

func each(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }
