package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/schedule"
)

type schedulesCommand struct {
	List   schedulesListCommand   `cmd:"" help:"List the schedules of the app, with their last and next runs."`
	Run    schedulesRunCommand    `cmd:"" help:"Start a run of a schedule of the app now."`
	Pause  schedulesPauseCommand  `cmd:"" help:"Pause a schedule of the app: it starts no runs until it is resumed."`
	Resume schedulesResumeCommand `cmd:"" help:"Resume a paused schedule of the app."`
	Check  schedulesCheckCommand  `cmd:"" help:"Check schedules.yaml: every schedule, its time zone and its request."`
	Next   schedulesNextCommand   `cmd:"" help:"Show the next runs of the schedules in schedules.yaml."`
}

type schedulesCheckCommand struct {
	File string `short:"f" default:"schedules.yaml" help:"File to check."`
}

// Run shows the problems of the file.
func (c *schedulesCheckCommand) Run(a *app) error {
	schedules, err := a.readSchedules(c.File)
	return a.showCheck(c.File, "schedules", len(schedules), err)
}

type schedulesNextCommand struct {
	File  string `short:"f" default:"schedules.yaml" help:"File with the schedules."`
	Name  string `arg:"" optional:"" help:"Only this schedule."`
	After string `placeholder:"TIME" help:"Only runs after this time (RFC 3339, a date, or an age such as 36h or 7d); now by default."`
	Count int    `short:"n" default:"10" help:"Maximum number of runs of each schedule, from 1 to 1000."`
}

// maxNextRuns bounds --count.
const maxNextRuns = 1000

// nextRun is the JSON output for one run.
type nextRun struct {
	Schedule string    `json:"schedule"`
	Slot     string    `json:"slot"`
	At       time.Time `json:"at"`
	TimeZone string    `json:"timeZone"`
	Enabled  bool      `json:"enabled"`
}

// Run lists the next runs, earliest first.
func (c *schedulesNextCommand) Run(a *app) error {
	after := a.now()
	if c.After != "" {
		var err error
		if after, err = cli.ParseTime("--after", c.After, a.now()); err != nil {
			return err
		}
	}
	if c.Count < 1 || c.Count > maxNextRuns {
		return &cli.UsageError{Text: fmt.Sprintf("--count must be from 1 to %d", maxNextRuns)}
	}
	schedules, err := a.readSchedules(c.File)
	if len(schedules) == 0 {
		if err := a.showProblems(err); err != nil {
			return err
		}
	} else if err != nil {
		a.out.Note(err.Error()) // the valid schedules are still shown
	}
	if c.Name != "" && !slices.ContainsFunc(schedules, func(s schedule.Schedule) bool { return s.Name == c.Name }) {
		return &cli.UsageError{Text: fmt.Sprintf("%s has no schedule %q", c.File, c.Name)}
	}
	runs := c.runs(schedules, after)
	if a.out.Structured() {
		return a.out.Data(map[string]any{"runs": runs})
	}
	if len(runs) == 0 {
		a.out.Line("No runs are scheduled.")
		return nil
	}
	var rows [][]string
	for _, r := range runs {
		name := r.Schedule
		if !r.Enabled {
			name += " (disabled)"
		}
		rows = append(rows, []string{name, strings.Replace(r.Slot, "T", " ", 1), r.TimeZone, render.Time(r.At)})
	}
	a.out.Table([]string{"Schedule", "Local time", "Time zone", "UTC"}, rows)
	return nil
}

func (c *schedulesNextCommand) runs(schedules []schedule.Schedule, after time.Time) []nextRun {
	runs := []nextRun{}
	for _, s := range schedules {
		if c.Name != "" && s.Name != c.Name {
			continue
		}
		for _, slot := range s.Timing.Next(after, c.Count) {
			runs = append(runs, nextRun{Schedule: s.Name, Slot: slot.Name, At: slot.At.UTC(), TimeZone: s.Timing.Zone(), Enabled: s.Enabled})
		}
	}
	slices.SortStableFunc(runs, func(a, b nextRun) int { return a.At.Compare(b.At) })
	return runs
}

// readSchedules parses a file as the app does at its start.
func (a *app) readSchedules(file string) ([]schedule.Schedule, error) {
	raw, err := cli.ReadFile(file, a.stdin)
	if err != nil {
		return nil, err
	}
	check, err := a.requestCheck()
	if err != nil {
		return nil, err
	}
	return schedule.Parse(file, raw, check)
}
