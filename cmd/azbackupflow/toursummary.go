package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"azbackupflow/internal/api"
)

// demoLine is one line of the table at the demo's end.
type demoLine struct {
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

func (a *app) demoLine(what string, v api.Operation, t tally) demoLine {
	d := took(v, a.now())
	return demoLine{
		ID: v.ID, Flow: v.Flow, What: what, Status: v.Status, JobID: v.JobID,
		Steps: t.steps(), ARMCalls: t.calls, Seconds: d.Seconds(), duration: span(d),
	}
}

// lines are the tour's; what did not start is there with its name only.
func (t *tour) lines() []demoLine {
	var all []demoLine
	for _, s := range t.stops {
		if s.view.ID == "" {
			all = append(all, demoLine{Flow: s.request.Flow, What: s.what, Status: "not run"})
			continue
		}
		all = append(all, t.app.demoLine(s.what, s.view, s.tally))
	}
	return all
}

// demoTable writes the table at the demo's end; for scripts, one line of JSON.
func (a *app) demoTable(all []demoLine) error {
	if a.json() {
		raw, err := json.Marshal(map[string][]demoLine{"operations": all})
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		a.write(string(raw) + "\n")
		return nil
	}
	succeeded, calls := 0, 0
	var rows [][]string
	for _, l := range all {
		if l.Status == api.Succeeded {
			succeeded++
		}
		calls += l.ARMCalls
		rows = append(rows, []string{
			l.Flow, l.What, a.paint.status(l.Status), shortJob(l.JobID), fmt.Sprint(l.Steps), fmt.Sprint(l.ARMCalls), l.duration,
		})
	}
	a.list([]string{"Flow", "What", "Status", "Job", "Steps", "ARM calls", "Duration"}, rows)
	a.say("\n%d of %d operations Succeeded, with %d ARM calls.", succeeded, len(all), calls)
	return nil
}

// shortJob is the beginning of a job's name: enough to tell jobs apart.
func shortJob(id string) string {
	const enough = 8
	name := plain(id[strings.LastIndexByte(id, '/')+1:])
	if len(name) <= enough {
		return name
	}
	return name[:enough] + ellipsis
}
