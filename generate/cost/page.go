package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// exampleRechecks is how often the operations of the page's examples look again.
const exampleRechecks = 20

// Timers by the runs that they make in a month of 30 days; infra/ and the
// functions' own function.json say when.
func perMonth() map[string]int {
	const day = 30
	return map[string]int{"sweep": day * 24 * 12, "schedule-backups": day * 24 * 60, "sweep-resources": day * 24}
}

// Markdown is the page docs/cost.md.
func Markdown(c Counted) string {
	var b strings.Builder
	p := List()
	b.WriteString(`# What an operation costs

The end-to-end test counts what each flow makes at the stand-ins of the local stack: every call of Azure Resource
Manager (ARM), every message sent, received and completed, every request to Table Storage, every execution of a function.
It fails when the program makes other numbers than this page says; where a vault's job list is read or not as the machine is
fast or slow, a call of ARM or two table requests may differ. An operation costs

    transactions of its flow + re-checks x transactions of a re-check

where a re-check is one look at something that Azure has not finished. How many there are depends on how long Azure takes:
a job is looked at after 30 seconds and then ever more rarely, at least every 10 minutes. Where three or more operations
wait for jobs of one vault they share a list, and make fewer calls of ARM than this. What goes wrong costs more: each
attempt is a step like a re-check. So does waiting for another operation on the same item.

This page is made from what was counted: ` + "`make cost`" + `.

## Transactions

| flow | of | ARM | Service Bus | table | executions |
|---|---|---|---|---|---|
`)
	for _, f := range c.Flows {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, f.What, cells(f.Counts))
	}
	fmt.Fprintf(&b, "| **each re-check** | | %s |\n", cells(c.Recheck))
	b.WriteString("\nThe flow's first look at each thing is in its own row. Besides:\n\n| what | | ARM | Service Bus | table | executions |\n|---|---|---|---|---|---|\n")
	for _, m := range c.More {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Name, m.What, cells(m.Counts))
	}
	b.WriteString("\nThe notices of an operation, at its start and its end, are counted as sent; whoever receives them adds their own.\n")
	fmt.Fprintf(&b, `
## Prices

List prices in US dollars as published %s, without discounts, free grants and included amounts. **They are
examples, and may have changed: replace them by those of your region and contract** (%s).

| meter | US dollars | for | see |
|---|---|---|---|
`, PriceDate, "`generate/cost/prices.go`")
	for _, m := range []Price{p.Bus, p.Table, p.Runs, p.Time} {
		fmt.Fprintf(&b, "| %s | %s | %s %s | [price page](%s) |\n", m.Meter, strconv.FormatFloat(m.Dollars, 'f', -1, 64), thousands(m.Per), m.Unit, m.Source)
	}
	fmt.Fprintf(&b, `
Flex Consumption charges an instance's whole memory, here %d GB, while it executes anything, and for at least %d second. An
execution takes a fraction of that; executions at the same time on one instance share it. So %d GB-s for each execution is
the most, reached when few operations are under way. Calls of ARM are free.

## Money

What Azure Backup itself costs, for protected instances and the storage of backups, is not in here.

| US dollars per 1,000 operations | of | without re-checks | with %d re-checks each |
|---|---|---|---|
`, InstanceGigabytes, LeastSeconds, InstanceGigabytes*LeastSeconds, exampleRechecks)
	for _, f := range c.Flows {
		fmt.Fprintf(&b, "| `%s` | %s | %.2f | %.2f |\n", f.Name, f.What, 1000*p.Of(f.Counts).Sum(), 1000*p.Of(f.Plus(exampleRechecks, c.Recheck)).Sum())
	}
	each := p.Of(c.Recheck)
	fmt.Fprintf(&b, "| **each re-check** | | %.3f | |\n", 1000*each.Sum())
	fmt.Fprintf(&b, "\nOf a re-check, %.1f %% is execution time, at its most, %.1f %% Service Bus and %.1f %% tables.\n",
		100*each.Functions/each.Sum(), 100*each.Bus/each.Sum(), 100*each.Table/each.Sum())
	b.WriteString(`
## What is paid without any operation

| | |
|---|---|
| Service Bus namespace, Standard | the tier's base charge, by the hour; it includes 13 million Service Bus operations a month. With ` + "`VNET_ENABLED`" + ` the tier is Premium, whose base fee is many times higher and which charges no single operations |
`)
	var all Counts
	for _, t := range c.Timers {
		all = all.Plus(perMonth()[t.Name], t.Counts)
	}
	money := p.Of(all)
	fmt.Fprintf(&b, "| timers | %s; in a month %s executions, %s GB-s and %s table requests: %.2f US dollars at the most |\n",
		timers(c.Timers), thousands(all.Runs), thousands(int(all.GigabyteSeconds())), thousands(all.Table), money.Sum())
	b.WriteString(`| Functions on Flex Consumption | no always-ready instances, so no base fee; the app's storage account is billed as storage |
| Application Insights and Log Analytics | by the gigabyte that is ingested, beyond a free amount; each step logs a few lines, and so does the Functions host |
| alerts | each rule, by the month |
| storage | the rows of the operations that are kept, and the package: a few kilobytes for each operation |
| private endpoints | with ` + "`VNET_ENABLED`" + ` only, by the hour |

The Functions host asks the queues for messages and the storage account for its locks also when nothing happens; that is
not counted here. What a night of a hundred thousand makes, with quotas, failures and duplicates:
[simulation.md](simulation.md).
`)
	return b.String()
}

func cells(c Counts) string { return fmt.Sprintf("%d | %d | %d | %d", c.ARM, c.Bus, c.Table, c.Runs) }

// timers lists the timers with the requests that a run with nothing to do makes.
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
