package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// exampleRechecks is the number of re-checks in the examples of the page.
const exampleRechecks = 20

// perMonth returns the runs of each timer in a month of 30 days, according to
// infra/ and the function.json of its function.
func perMonth() map[string]int {
	const day = 30
	return map[string]int{"sweep": day * 24 * 12, "schedule-backups": day * 24 * 60, "sweep-resources": day * 24, "collect-dead-letters": day * 24 * 12}
}

// Markdown returns the page docs/cost.md.
func Markdown(c Counted) string {
	var b strings.Builder
	p := List()
	b.WriteString(introduction)
	writeTransactions(&b, c)
	writePrices(&b, p)
	writeMoney(&b, c, p)
	writeFixedCosts(&b, c, p)
	return b.String()
}

const introduction = `# Cost of an operation

This page estimates the cost of azbackupflow in your subscription. An operation costs

    transactions of its flow + re-checks x transactions of a re-check

where a re-check is one poll of work that Azure has not finished. The number of re-checks depends on how long Azure takes.
An operation polls a job after 30 seconds, then at longer intervals of at most 10 minutes. Where three or more operations
wait for jobs of one vault, they share a list and make fewer calls of Azure Resource Manager (ARM). Errors cost more: each
attempt is a step like a re-check. So does waiting for another operation on the same item.

The numbers are measured: an end-to-end test counts the calls of ARM, the messages that are sent, received and completed, the
requests to Table Storage and the executions of functions at the stand-ins of the local stack. The test fails if the program
makes other numbers of them. A call of ARM or two table requests may differ, because a fast or a slow machine reads the job
list of a vault at different times. ` + "`make cost`" + ` measures again and writes this page.

## Transactions

| flow | of | ARM | Service Bus | table | executions | log lines | telemetry |
|---|---|---|---|---|---|---|---|
`

func writeTransactions(b *strings.Builder, c Counted) {
	for _, f := range c.Flows {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, f.What, cells(f.Counts))
	}
	fmt.Fprintf(b, "| **each re-check** | | %s |\n", cells(c.Recheck))
	b.WriteString("\nThe row of a flow includes the first poll of each asynchronous call. In addition:\n\n| action | | ARM | Service Bus | table | executions | log lines | telemetry |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range c.More {
		fmt.Fprintf(b, "| %s | %s | %s |\n", m.Name, m.What, cells(m.Counts))
	}
	b.WriteString("\nThe counts include sending the notices of an operation, at its start and its end, but not receiving them.\n")
	fmt.Fprintf(b, `
Log lines are those that the Functions host sends to Application Insights at the levels of host.json: the lines of the program at the
level INFO, and no lines of the host about successful executions. With the host's default levels, each execution for a message would
write ten lines more. The telemetry is the text of the lines and, as an estimate, %d bytes for each line and for the record of each
execution. The lines that the host writes about HTTP requests are not counted.
`, RecordBytes)
}

func writePrices(b *strings.Builder, p Prices) {
	fmt.Fprintf(b, `
## Prices

These are list prices in US dollars, published %s, without discounts, free grants and included amounts. **They are examples
and may have changed: replace them with the prices of your region and contract** (%s).

| meter | US dollars | for | see |
|---|---|---|---|
`, PriceDate, "`generate/cost/prices.go`")
	for _, m := range []Price{p.Bus, p.Table, p.Runs, p.Time, p.Telemetry} {
		fmt.Fprintf(b, "| %s | %s | %s %s | [price page](%s) |\n", m.Meter, strconv.FormatFloat(m.Dollars, 'f', -1, 64), thousands(m.Per), m.Unit, m.Source)
	}
	fmt.Fprintf(b, `
Flex Consumption charges the whole memory of an instance while it executes a function, and for at least %d second. An instance has
512 MB by default, and 2,048 MB or 4,096 MB if you choose so (AZBACKUPFLOW_INSTANCE_MEMORY in [deploy.md](deploy.md)). An execution
takes a fraction of a second, and concurrent executions on one instance share it. So %g GB-s, %g GB-s or %g GB-s is the maximum for each
execution, which applies when few operations are running. Calls of ARM are free.
`, MinSeconds, SmallInstance*MinSeconds, LargeInstance*MinSeconds, HugeInstance*MinSeconds)
}

func writeMoney(b *strings.Builder, c Counted, p Prices) {
	fmt.Fprintf(b, `
## Cost per operation

These numbers exclude the cost of Azure Backup itself, for protected instances and backup storage.

| US dollars per 1,000 operations | of | 512 MB, without re-checks | with %d each | 2,048 MB, without re-checks | with %d each | 4,096 MB, without re-checks | with %d each |
|---|---|---|---|---|---|---|---|
`, exampleRechecks, exampleRechecks, exampleRechecks)
	sizes := []float64{SmallInstance, LargeInstance, HugeInstance}
	sum := func(c Counts, size float64) float64 { return 1000 * p.Of(c, size).Sum() }
	for _, f := range c.Flows {
		all := f.Plus(exampleRechecks, c.Recheck)
		fmt.Fprintf(b, "| `%s` | %s |", f.Name, f.What)
		for _, size := range sizes {
			fmt.Fprintf(b, " %.2f | %.2f |", sum(f.Counts, size), sum(all, size))
		}
		b.WriteString("\n")
	}
	b.WriteString("| **each re-check** | |")
	for _, size := range sizes {
		fmt.Fprintf(b, " %.4f | |", sum(c.Recheck, size))
	}
	b.WriteString("\n\n")
	for _, size := range sizes {
		each := p.Of(c.Recheck, size)
		fmt.Fprintf(b, "The cost of a re-check at %s MB is %.1f %% execution time (at its maximum), %.1f %% Service Bus, %.1f %% tables and %.1f %% telemetry.\n",
			thousands(int(size*1024)), 100*each.Functions/each.Sum(), 100*each.Bus/each.Sum(), 100*each.Table/each.Sum(), 100*each.Telemetry/each.Sum())
	}
}

func writeFixedCosts(b *strings.Builder, c Counted, p Prices) {
	b.WriteString(`
## Fixed costs

These costs do not depend on the number of operations.

| | |
|---|---|
| Service Bus namespace, Standard | the base charge of the tier, by the hour, which includes 13 million Service Bus operations a month. With ` + "`VNET_ENABLED`" + ` the tier is Premium, whose base charge is many times higher and covers all operations |
`)
	var all Counts
	for _, t := range c.Timers {
		all = all.Plus(perMonth()[t.Name], t.Counts)
	}
	fmt.Fprintf(b, "| timers | %s; in a month %s executions and %s table requests: at most %.2f US dollars at 512 MB, %.2f at 2,048 MB, %.2f at 4,096 MB |\n",
		timers(c.Timers), thousands(all.Runs), thousands(all.Table), p.Of(all, SmallInstance).Sum(), p.Of(all, LargeInstance).Sum(), p.Of(all, HugeInstance).Sum())
	b.WriteString(`| Functions on Flex Consumption | no always-ready instances, so no base charge; the storage account of the app is charged as storage |
| Application Insights and Log Analytics | by the ingested gigabyte, beyond a free amount; the costs above count it from the first byte |
| alerts | each rule, by the month |
| storage | the rows of the stored operations, and the package: a few kilobytes for each operation |
| private endpoints | only with ` + "`VNET_ENABLED`" + `, by the hour |

The Functions host also polls the queues and renews its locks in the storage account when there is no work. This page does not
count that. The cost of a night of a hundred thousand backups, with quotas, errors and duplicates, is in
[simulation.md](simulation.md).
`)
}

func cells(c Counts) string {
	return fmt.Sprintf("%d | %d | %d | %d | %d | %.1f KB", c.ARM, c.Bus, c.Table, c.Runs, c.Lines, float64(c.TelemetryBytes())/1000)
}

// timers lists the timers with the requests of a run without work.
func timers(all []Part) string {
	var list []string
	for _, t := range all {
		list = append(list, fmt.Sprintf("`%s` %s (%d table requests)", t.Name, t.What, t.Table))
	}
	return strings.Join(list, ", ")
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
