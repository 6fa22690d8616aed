package demo

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

// summaryLine is one operation in the table at the end of the demo.
type summaryLine struct {
	ID       string     `json:"id"`
	Flow     string     `json:"flow"`
	What     string     `json:"what"`
	Status   api.Status `json:"status"`
	JobID    string     `json:"jobId,omitempty"`
	Steps    int        `json:"steps"`
	ARMCalls int        `json:"armCalls"`
	Seconds  float64    `json:"seconds"`

	duration string
}

// notStarted is the status of a request that was not started.
const notStarted api.Status = "not started"

func newSummaryLine(what string, op api.Operation, counter render.Counter, now time.Time) summaryLine {
	d := render.Elapsed(op, now)
	return summaryLine{
		ID: op.ID, Flow: op.Flow, What: what, Status: op.Status, JobID: op.JobID,
		Steps: counter.Steps(), ARMCalls: counter.Calls, Seconds: d.Seconds(), duration: render.Duration(d),
	}
}

// summary returns a line for each item.
func (b *batch) summary() []summaryLine {
	var all []summaryLine
	for _, i := range b.items {
		if i.operation.ID == "" {
			all = append(all, summaryLine{Flow: i.request.Flow, What: i.About, Status: notStarted})
			continue
		}
		all = append(all, newSummaryLine(i.About, i.operation, i.counter, b.printer.Now()))
	}
	return all
}

// printSummary prints the table, or one line of JSON.
func printSummary(p *render.Printer, all []summaryLine) error {
	if p.Structured() {
		return p.DataItem(map[string][]summaryLine{"operations": all})
	}
	succeeded, calls := 0, 0
	var rows [][]string
	for _, l := range all {
		if l.Status == api.Succeeded {
			succeeded++
		}
		calls += l.ARMCalls
		rows = append(rows, []string{
			l.Flow, l.What, p.Status(l.Status), shortJobID(l.JobID), fmt.Sprint(l.Steps), fmt.Sprint(l.ARMCalls), l.duration,
		})
	}
	p.Columns([]render.Column{
		{Heading: "Flow"},
		{Heading: "What", Min: 10},
		{Heading: "Status"},
		{Heading: "Job", Drop: 3},
		{Heading: "Steps", Drop: 2},
		{Heading: "ARM calls", Drop: 1},
		{Heading: "Duration"},
	}, rows)
	p.Line("\n%d of %d operations Succeeded, with %d ARM calls.", succeeded, len(all), calls)
	return nil
}

// shortJobID returns the first characters of a job ID, enough to distinguish
// jobs.
func shortJobID(id string) string {
	const length = 8
	name := render.Plain(id[strings.LastIndexByte(id, '/')+1:])
	if len(name) <= length {
		return name
	}
	return name[:length] + "…"
}
