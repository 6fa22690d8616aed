package main

import (
	"context"
	"fmt"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type schedulesListCommand struct{}

// Run lists the schedules of the app.
func (schedulesListCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Schedules(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	if list.Incomplete {
		a.out.Note("schedules.yaml of the app has errors, so schedules may be missing; azbackupflow schedules check -f FILE shows the errors")
	}
	if len(list.Schedules) == 0 {
		a.out.Line("The app has no schedules.")
		return nil
	}
	rows := make([][]string, 0, len(list.Schedules))
	for _, s := range list.Schedules {
		rows = append(rows, []string{
			render.Plain(s.Name), scheduleState(s), render.Plain(s.Flow), lastRun(s), nextRunOf(s),
			count(s.Waiting), count(s.Skipped), count(s.Rejected), render.Plain(s.Cron), render.Plain(s.TimeZone),
		})
	}
	a.out.Columns([]render.Column{
		{Heading: "Name"}, {Heading: "State"}, {Heading: "Flow", Min: 12, Drop: 3}, {Heading: "Last run UTC", Drop: 5}, {Heading: "Next run UTC"},
		{Heading: "Waiting", Drop: 8}, {Heading: "Skipped", Drop: 7}, {Heading: "Rejected", Drop: 6}, {Heading: "Cron", Drop: 1}, {Heading: "Time zone", Drop: 2},
	}, rows)
	return nil
}

// scheduleState returns whether a schedule starts runs, and if not, why.
func scheduleState(s api.Schedule) string {
	switch {
	case s.Paused:
		return "paused"
	case !s.Enabled:
		return "disabled"
	case !s.FailingSince.IsZero():
		return "failing"
	}
	return "enabled"
}

func lastRun(s api.Schedule) string {
	if s.Last == nil {
		return ""
	}
	return render.Time(s.Last.At)
}

func nextRunOf(s api.Schedule) string {
	if len(s.Next) == 0 || s.Paused {
		return ""
	}
	return render.Time(s.Next[0].At)
}

// count formats a number of which 0 says nothing.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// oneSchedule selects a schedule of the app, and says why it is changed.
type oneSchedule struct {
	Name   string `arg:"" complete:"schedule" help:"Name of the schedule."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded. Do not write names of people or secrets."`
}

type schedulesRunCommand struct {
	oneSchedule
	Key string `placeholder:"KEY" help:"Name of the run, to repeat the command safely: the same name is the same run. It may hold {date}, {hour} or {env:NAME}."`
}

// Help is shown below the command's own help.
func (schedulesRunCommand) Help() string {
	return `The run starts within a minute, also if the schedule is disabled or paused. It
ignores the policy for overlapping runs.

  azbackupflow schedules run nightly --reason "before the upgrade"`
}

// Run starts a run of the schedule now.
func (r *schedulesRunCommand) Run(ctx context.Context, a *app) error {
	return scheduleRuns().start(ctx, a, r.Key, func(c *client.Client, key string) (api.RequestedRun, error) {
		return c.RunSchedule(ctx, r.Name, key, r.Reason)
	})
}

type schedulesPauseCommand struct{ oneSchedule }

// Help is shown below the command's own help.
func (schedulesPauseCommand) Help() string {
	return `Runs that come due during the pause are skipped and counted. Operations that have
started continue. A restart of the app does not end the pause.`
}

// Run stops the schedule from starting runs.
func (p *schedulesPauseCommand) Run(ctx context.Context, a *app) error {
	return scheduleRuns().change(ctx, a, func(c *client.Client) (api.Schedule, error) { return c.PauseSchedule(ctx, p.Name, p.Reason) })
}

type schedulesResumeCommand struct{ oneSchedule }

// Run continues the schedule with its next run.
func (r *schedulesResumeCommand) Run(ctx context.Context, a *app) error {
	return scheduleRuns().change(ctx, a, func(c *client.Client) (api.Schedule, error) { return c.ResumeSchedule(ctx, r.Name, r.Reason) })
}
