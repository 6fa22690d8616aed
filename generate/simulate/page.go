package simulate

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/generate/cost"
	"azbackupflow/internal/operation"
)

// Page returns the report as Markdown.
func Page(r Report) string {
	var b strings.Builder
	c := r.Config
	fmt.Fprintf(&b, "%s backups of %d vaults in %d subscriptions fall due within %s, all backups of a subscription in the same minute; %d instances; seed %d. "+
		"%.1f %% of calls fail with HTTP 500, %.1f %% of jobs fail, %.1f %% of messages are delivered twice.\n\n",
		thousands(c.Operations), c.Vaults, c.Subscriptions, c.Due, c.Instances, c.Seed, 100*c.FaultRate, 100*c.FailureRate, 100*c.DuplicateRate)
	fmt.Fprintf(&b, "| result | |\n|---|---|\n")
	for _, s := range operation.Statuses() {
		if n := r.Ends[s]; n > 0 {
			fmt.Fprintf(&b, "| operations that ended as %s | %s |\n", s, thousands(n))
		}
	}
	per := func(n int) float64 { return float64(n) / float64(c.Operations) }
	fmt.Fprintf(&b, "| duration until all ended | %s |\n", r.Took.Round(time.Minute))
	fmt.Fprintf(&b, "| from the end of a job to the end of its operation | p50 %s, p95 %s, maximum %s |\n", r.P50.Round(time.Second), r.P95.Round(time.Second), r.Max.Round(time.Second))
	fmt.Fprintf(&b, "| ARM calls per operation | %.1f |\n", per(r.ARM))
	fmt.Fprintf(&b, "| messages per operation, sent and delivered | %.1f and %.1f |\n", per(r.Sent), per(r.Delivered))
	fmt.Fprintf(&b, "| table reads and writes per operation | %.1f and %.1f |\n", per(r.TableReads), per(r.TableWrites))
	fmt.Fprintf(&b, "| Service Bus operations per second, busiest minute | %.0f |\n", r.BusiestBus)
	fmt.Fprintf(&b, "| table operations per second, busiest minute | %.0f |\n", r.BusiestTable)

	writeQuotas(&b, r.Calls)
	writeCost(&b, r)
	return b.String()
}

// writeQuotas writes the use of each quota, and which limit binds first.
func writeQuotas(b *strings.Builder, calls []Calls) {
	b.WriteString("\n| quota | limit | calls | throttled | peak use of the limit | deferred steps | first deferral |\n|---|---|---|---|---|---|---|\n")
	first := -1
	for i, q := range calls {
		when := "never"
		if q.Deferred > 0 {
			when = "after " + q.First.Round(time.Second).String()
			if first < 0 || q.First < calls[first].First {
				first = i
			}
		}
		fmt.Fprintf(b, "| %s | %d | %s | %d | %.0f %% | %s | %s |\n", q.Name, q.Limit, thousands(q.Made), q.Throttled, 100*q.Peak, thousands(q.Deferred), when)
	}
	if first < 0 {
		b.WriteString("\nNo limit binds.\n")
	} else {
		busiest := first
		for i, q := range calls {
			if q.Deferred > calls[busiest].Deferred {
				busiest = i
			}
		}
		fmt.Fprintf(b, "\nThe first limit that binds is %s, after %s; the limit that defers most steps is %s.\n",
			calls[first].Name, calls[first].First.Round(time.Second), calls[busiest].Name)
	}

}

// writeCost writes what 1,000 operations cost.
func writeCost(b *strings.Builder, r Report) {
	// Each message costs three operations: it is sent, received and completed.
	money, thousand := cost.List().Of(cost.Counts{
		Bus: r.Sent + 2*r.Delivered, Table: r.TableReads + r.TableWrites, Runs: r.Steps,
	}, cost.SmallInstance), 1000/float64(r.Config.Operations)
	fmt.Fprintf(b, "\n| maximum cost per 1,000 operations | US dollars |\n|---|---|\n| Service Bus | %.4f |\n| Table Storage | %.4f |\n| Functions | %.4f |\n| telemetry | %.4f |\n| total | %.4f |\n",
		money.Bus*thousand, money.Table*thousand, money.Functions*thousand, money.Telemetry*thousand, money.Sum()*thousand)
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
