package simulate

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/generate/cost"
	"azbackupflow/internal/operation"
)

// Page writes the report as Markdown.
func Page(r Report) string {
	var b strings.Builder
	c := r.Config
	fmt.Fprintf(&b, "%s backups of %d vaults in %d subscriptions fall due within %s, each subscription's in a minute of its own; %d instances; seed %d. "+
		"%.1f %% of calls fail with HTTP 500, %.1f %% of jobs fail, %.1f %% of messages come twice.\n\n",
		thousands(c.Operations), c.Vaults, c.Subscriptions, c.Due, c.Instances, c.Seed, 100*c.FaultRate, 100*c.FailureRate, 100*c.DuplicateRate)
	fmt.Fprintf(&b, "| result | |\n|---|---|\n")
	for _, s := range operation.Statuses() {
		if n := r.Ends[s]; n > 0 {
			fmt.Fprintf(&b, "| operations that ended as %s | %s |\n", s, thousands(n))
		}
	}
	per := func(n int) float64 { return float64(n) / float64(c.Operations) }
	fmt.Fprintf(&b, "| all ended after | %s |\n", r.Took.Round(time.Minute))
	fmt.Fprintf(&b, "| from a job's end until its operation's | p50 %s, p95 %s, at most %s |\n", r.P50.Round(time.Second), r.P95.Round(time.Second), r.Most.Round(time.Second))
	fmt.Fprintf(&b, "| ARM calls per operation | %.1f |\n", per(r.ARM))
	fmt.Fprintf(&b, "| messages per operation, sent and delivered | %.1f and %.1f |\n", per(r.Sent), per(r.Delivered))
	fmt.Fprintf(&b, "| table reads and writes per operation | %.1f and %.1f |\n", per(r.TableReads), per(r.TableWrites))
	fmt.Fprintf(&b, "| Service Bus operations per second, busiest minute | %.0f |\n", r.BusiestBus)
	fmt.Fprintf(&b, "| table operations per second, busiest minute | %.0f |\n", r.BusiestTable)

	b.WriteString("\n| quota | limit | calls | refused | most used of the limit | steps put off | first |\n|---|---|---|---|---|---|---|\n")
	first := -1
	for i, q := range r.Calls {
		when := "never"
		if q.PutOff > 0 {
			when = "after " + q.First.Round(time.Second).String()
			if first < 0 || q.First < r.Calls[first].First {
				first = i
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %d | %.0f %% | %s | %s |\n", q.Name, q.Limit, thousands(q.Made), q.Refused, 100*q.Peak, thousands(q.PutOff), when)
	}
	if first < 0 {
		b.WriteString("\nNo limit binds.\n")
	} else {
		most := first
		for i, q := range r.Calls {
			if q.PutOff > r.Calls[most].PutOff {
				most = i
			}
		}
		fmt.Fprintf(&b, "\nThe first limit that binds is %s, after %s; the one that puts off most steps is %s.\n",
			r.Calls[first].Name, r.Calls[first].First.Round(time.Second), r.Calls[most].Name)
	}

	// A message is sent, received and completed.
	money, thousand := cost.List().Of(cost.Counts{
		Bus: r.Sent + 2*r.Delivered, Table: r.TableReads + r.TableWrites, Runs: r.Steps,
	}), 1000/float64(c.Operations)
	fmt.Fprintf(&b, "\n| money per 1,000 operations, at the most | US dollars |\n|---|---|\n| Service Bus | %.4f |\n| Table Storage | %.4f |\n| Functions | %.4f |\n| together | %.4f |\n",
		money.Bus*thousand, money.Table*thousand, money.Functions*thousand, money.Sum()*thousand)
	return b.String()
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
