package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type drillsListCommand struct{}

// Run lists the drills of the app.
func (drillsListCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Drills(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	if list.Incomplete {
		a.out.Note("drills.yaml of the app has errors, or no key is set, so drills may be missing; the log of the app shows the errors")
	}
	if list.EvidenceError != "" {
		a.out.Note("the results are missing: " + list.EvidenceError)
	}
	if len(list.Drills) == 0 {
		a.out.Line("The app has no drills.")
		return nil
	}
	rows := make([][]string, 0, len(list.Drills))
	for _, d := range list.Drills {
		rows = append(rows, []string{
			render.Plain(d.Name), scheduleState(d.Schedule), render.Plain(d.ItemType), nextRunOf(d.Schedule), lastResults(d.LastResults),
			count(d.Skipped), count(d.Rejected), render.Plain(d.Cron), render.Plain(d.TimeZone), render.Plain(d.VaultID),
		})
	}
	a.out.Columns([]render.Column{
		{Heading: "Name"}, {Heading: "State"}, {Heading: "Type", Middle: true, Min: 8, Drop: 4}, {Heading: "Next run UTC"}, {Heading: "Last results"},
		{Heading: "Skipped", Drop: 6}, {Heading: "Rejected", Drop: 5}, {Heading: "Cron", Drop: 2}, {Heading: "Time zone", Drop: 3}, {Heading: "Vault", Middle: true, Min: 8, Drop: 1},
	}, rows)
	return nil
}

// lastResults describes the results of a run, worst first.
func lastResults(r *api.DrillResults) string {
	if r == nil {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{{r.CleanUpsFailed, "not cleaned up"}, {r.Failed, "failed"}, {r.NotValidated, "not validated"}, {r.ObjectivesMissed, "missed"}, {r.Proven, "proven"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.text))
		}
	}
	return strings.Join(parts, ", ")
}

type drillsRunsCommand struct {
	Name string `arg:"" optional:"" help:"Only runs of this drill."`
	limitFlag
}

// Help is shown below the command's own help.
func (drillsRunsCommand) Help() string {
	return `The runs come from the operations of the drills, which the app deletes after its
retention; --limit is their number for each drill. Evidence is kept longer:

  azbackupflow drills evidence`
}

// drillRun is one run of a drill, as its operations show it.
type drillRun struct {
	Drill      string         `json:"drill"`
	Run        string         `json:"run"`
	Operations int            `json:"operations"`
	Status     map[string]int `json:"status"`
}

// Run groups the operations of each drill by run, newest first.
func (r *drillsRunsCommand) Run(ctx context.Context, a *app) error {
	if err := r.check(); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	names := []string{r.Name}
	if r.Name == "" {
		list, err := c.Drills(ctx)
		if err != nil {
			return err
		}
		names = nil
		for _, d := range list.Drills {
			names = append(names, d.Name)
		}
	}
	var operations []api.Operation
	more := false
	for _, name := range names {
		q := api.OperationQuery{Labels: []api.Label{{Key: "drill", Value: name}}}
		of, next, err := collect(ctx, r.Limit, func(ctx context.Context, size int, next string) ([]api.Operation, string, error) {
			q.PageSize, q.Continue = size, next
			page, err := c.List(ctx, q)
			return page.Operations, page.Continue, err
		})
		if err != nil {
			return err
		}
		operations, more = append(operations, of...), more || next != ""
	}
	runs := runsOf(operations)
	if a.out.Structured() {
		return a.out.Data(map[string]any{"runs": runs})
	}
	if len(runs) == 0 {
		a.out.Line("No runs.")
		return nil
	}
	rows := make([][]string, 0, len(runs))
	for _, run := range runs {
		rows = append(rows, []string{render.Plain(run.Drill), render.Plain(strings.Replace(run.Run, "T", " ", 1)), strconv.Itoa(run.Operations), statusCounts(run.Status)})
	}
	a.out.Columns([]render.Column{{Heading: "Drill"}, {Heading: "Run"}, {Heading: "Drills"}, {Heading: "Status", Min: 12}}, rows)
	if more {
		a.out.Line("\nThere are more operations; use --limit.")
	}
	return nil
}

// runsOf groups operations by run, in the order of their first operation.
func runsOf(operations []api.Operation) []drillRun {
	runs := []drillRun{}
	for _, op := range operations {
		name, slot := op.Labels["drill"], op.Labels["slot"]
		i := slices.IndexFunc(runs, func(r drillRun) bool { return r.Drill == name && r.Run == slot })
		if i < 0 {
			i = len(runs)
			runs = append(runs, drillRun{Drill: name, Run: slot, Status: map[string]int{}})
		}
		runs[i].Operations++
		runs[i].Status[string(op.Status)]++
	}
	return runs
}

func statusCounts(counts map[string]int) string {
	var parts []string
	for _, s := range api.Statuses() {
		if n := counts[string(s)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// oneDrill selects a drill of the app, and says why it is changed.
type oneDrill struct {
	Name   string `arg:"" help:"Name of the drill."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded. Do not write names of people or secrets."`
}

type drillsRunCommand struct {
	oneDrill
	Key string `placeholder:"KEY" help:"Name of the run, to repeat the command safely: the same name is the same run. It may hold {date}, {hour} or {env:NAME}."`
}

// Help is shown below the command's own help.
func (drillsRunCommand) Help() string {
	return `The run chooses its items as a scheduled run does, and starts one drill a minute,
also if the drill is disabled or paused.

  azbackupflow drills run monthly-files --reason "audit"`
}

// Run starts a run of the drill now.
func (r *drillsRunCommand) Run(ctx context.Context, a *app) error {
	return drillRuns().start(ctx, a, r.Key, func(c *client.Client, key string) (api.RequestedRun, error) {
		return c.RunDrill(ctx, r.Name, key, r.Reason)
	})
}

type drillsPauseCommand struct{ oneDrill }

// Help is shown below the command's own help.
func (drillsPauseCommand) Help() string {
	return `Runs that come due during the pause are skipped and counted. Drills that have
started continue. A restart of the app does not end the pause.`
}

// Run stops the drill from starting runs.
func (p *drillsPauseCommand) Run(ctx context.Context, a *app) error {
	return drillRuns().change(ctx, a, func(c *client.Client) (api.Schedule, error) { return c.PauseDrill(ctx, p.Name, p.Reason) })
}

type drillsResumeCommand struct{ oneDrill }

// Run continues the drill with its next run.
func (r *drillsResumeCommand) Run(ctx context.Context, a *app) error {
	return drillRuns().change(ctx, a, func(c *client.Client) (api.Schedule, error) { return c.ResumeDrill(ctx, r.Name, r.Reason) })
}
