package report

import (
	"fmt"
	"math"
	"strings"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/work"
)

// target is one thing that azbackupflow wants to hold, and whether it did.
type target struct {
	Want, Measured string
	Held           bool
	// Miss says by how much it was missed and why.
	Miss string
}

// Verdict is one word for the table.
func (t target) Verdict() string {
	if t.Held {
		return "held"
	}
	return "**missed**"
}

// targets judges the scenario with the most operations. A target whose figures
// are not in the run is missed: it was not shown.
func targets(all []scenarioFigures, cost *work.Cost, cores int) []target {
	most := all[len(all)-1]
	return []target{
		cpuTarget(all), latenessTarget(most, cost, cores), earlyTarget(all), callsTarget(all), costTarget(cost), memoryTarget(most),
	}
}

func notRun(want string) target {
	return target{Want: want, Measured: "not run", Miss: "A contestant that this needs has no figures in the run that this page was made from."}
}

func cpuTarget(all []scenarioFigures) target {
	s := all[len(all)-1]
	t := target{Want: fmt.Sprintf("CPU a step at %s operations at most a quarter of durabletask-go's, both in memory", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow-memory")
	theirs, has := s.of("durabletask-memory")
	if !ok || !has {
		return notRun(t.Want)
	}
	ratio := ours.CPU / theirs.CPU
	t.Held = ratio <= 0.25 && ours.Failure == ""
	t.Measured = strings.Join(cpuShares(all), "; ")
	if !t.Held {
		t.Miss = fmt.Sprintf("The share is %.0f %% and not 25 %%. Both figures hold the same HTTP client and the same ARM calls, which azcore alone makes for %s; that part cannot shrink with the engine.",
			100*ratio, cpuOf(s, "azcore"))
	}
	return t
}

// cpuShares are those of all scenarios; the one that is judged comes first.
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
		return fmt.Sprintf("%.2f ms a step", f.CPU)
	}
	return "an unknown share"
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
			missed = append(missed, fmt.Sprintf("%s (ours is %.1f times a tenth of it)", line, 10*ours.P99/f.P99))
		}
	}
	if len(measured) == 0 {
		return notRun(t.Want)
	}
	t.Measured = fmt.Sprintf("azbackupflow %s; %s", millis(ours.P99), strings.Join(measured, ", "))
	t.Held = len(missed) == 0
	if t.Held {
		return t
	}
	if math.IsInf(ours.P99, 1) {
		t.Miss = fmt.Sprintf("azbackupflow was not done with all operations in its time (%s).", ours.Failure)
		return t
	}
	jitter := float64(s.Duration().Milliseconds()) / 10
	t.Miss = fmt.Sprintf("Missed against %s. azbackupflow's p99 is %s, of which up to %.0f ms is the jitter that it adds to each wait on purpose (up to 10 %% of Retry-After, in each of %d waits of %s), so that messages do not fall due in the same instant",
		strings.Join(missed, "; "), millis(ours.P99), jitter, s.Polls, s.RetryAfter)
	if tuned, ok := s.of("azbackupflow-tuned"); ok {
		t.Miss += fmt.Sprintf("; without it the p99 is %s", millis(tuned.P99))
	}
	t.Miss += ". The rest is the way through two services: each step is a receive, a read, a transaction, a send and a settlement over sockets, where the peers call sqlite in their own process. "
	t.Miss += fmt.Sprintf("Engine, Azurite, broker and fake ARM together used %.1f ms of CPU a step, where the load asks for %.0f steps a second: on average %.1f of the %d cores.",
		ours.CPU+ours.Services, offered(s), (ours.CPU+ours.Services)*offered(s)/1000, cores)
	if cost != nil {
		t.Miss += fmt.Sprintf(" It is more while operations end: each end makes up to %d requests to the table service, a poll %d. What the services cannot keep up with waits in the queue.",
			cost.Last.MostTable, cost.Poll.MostTable)
	}
	return t
}

// offered is how many steps a second the scenario asks for while it lasts.
func offered(s scenarioFigures) float64 {
	return float64(s.Operations*(1+s.Polls)) / (s.Spread + s.Duration()).Seconds()
}

func earlyTarget(all []scenarioFigures) target {
	t := target{Want: "no early poll", Held: true}
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
	t.Held, t.Measured = early == 0, fmt.Sprintf("%d in all runs of azbackupflow", early)
	if !t.Held {
		t.Miss = "A poll that comes before Retry-After is a fault of the engine: its waits are never shortened."
	}
	return t
}

func callsTarget(all []scenarioFigures) target {
	t := target{Want: "ARM calls an operation at most ⌈duration ÷ Retry-After⌉ + 2", Held: true}
	var measured []string
	for _, s := range all {
		most, found := 0, false
		for _, f := range s.Figures {
			if f.Contestant.Ours {
				most, found = max(most, f.Most), true
			}
		}
		if !found {
			continue
		}
		measured = append(measured, fmt.Sprintf("%d of %d (%s)", most, s.Calls(), s.Name))
		if most > s.Calls() {
			t.Held = false
			t.Miss = fmt.Sprintf("%d calls were made where %d are allowed (%s): a message came twice, or a call was repeated after an error.", most, s.Calls(), s.Name)
		}
	}
	if len(measured) == 0 {
		return notRun(t.Want)
	}
	t.Measured = "at most " + strings.Join(measured, ", ")
	return t
}

func costTarget(cost *work.Cost) target {
	t := target{Want: "at most 2 table transactions and 1 send a poll"}
	if cost == nil {
		return notRun(t.Want)
	}
	poll := cost.Poll
	t.Held = poll.Invocations > 0 && poll.MostTable <= 2 && poll.MostSends <= 1
	t.Measured = fmt.Sprintf("%.2f and %.2f on average, %d and %d at most, over %s polls",
		each(poll.TableReads+poll.TableWrites, poll.Invocations), each(poll.Sends, poll.Invocations), poll.MostTable, poll.MostSends, thousands(poll.Invocations))
	if !t.Held {
		t.Miss = "More than one read and one write means that a save was contested or a request was sent again by the client, because the table service did not answer within its 5 seconds."
	}
	return t
}

func memoryTarget(s scenarioFigures) target {
	t := target{Want: fmt.Sprintf("memory with %s waiting at most half of azcore's", thousands(s.Operations))}
	ours, ok := s.of("azbackupflow")
	theirs, has := s.of("azcore")
	if !ok || !has {
		return notRun(t.Want)
	}
	t.Held = ours.Peak <= theirs.Peak/2 && ours.Failure == ""
	t.Measured = fmt.Sprintf("peak of the whole process %.1f MiB and %.1f MiB (%.0f %%); grown since before the first operation by %.1f MiB and %.1f MiB",
		ours.Peak, theirs.Peak, 100*ours.Peak/theirs.Peak, ours.Growth, theirs.Growth)
	if !t.Held {
		t.Miss = fmt.Sprintf("azbackupflow's process has %.0f %% of azcore's peak and not 50 %%. Of its %.1f MiB, %.1f MiB are there before the first operation: the program, the runtime and the clients of two services. What grows is what the steps at work allocate between two collections, not what waits: an operation that waits holds no memory of the process. azcore's %.1f MiB of growth rise with the number that waits.",
			100*ours.Peak/theirs.Peak, ours.Peak, ours.Peak-ours.Growth, theirs.Growth)
	}
	return t
}

func each(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }
