package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/declaration"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/step"
)

type schedulesCommand struct {
	Check schedulesCheckCommand `cmd:"" help:"Check schedules.yaml: every schedule, its time zone and its request."`
	Next  schedulesNextCommand  `cmd:"" help:"Show when the schedules run next."`
}

type schedulesCheckCommand struct {
	File string `short:"f" default:"schedules.yaml" help:"The file to check."`
}

// Run says what is wrong with the file, or that nothing is.
func (c *schedulesCheckCommand) Run(a *app) error {
	schedules, err := a.readSchedules(c.File)
	return a.checked(c.File, "schedules", len(schedules), err)
}

type schedulesNextCommand struct {
	File  string `short:"f" default:"schedules.yaml" help:"The file to read."`
	Name  string `arg:"" optional:"" help:"Only this schedule."`
	After string `placeholder:"TIME" help:"After this time, such as 2026-03-28T12:00:00Z; now if it is left out."`
	Count int    `short:"n" default:"5" help:"So many runs of each schedule."`
}

// nextRun is a run as scripts read it.
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
		if after, err = time.Parse(time.RFC3339, c.After); err != nil {
			return &usage{text: "--after wants a time such as 2026-03-28T12:00:00Z"}
		}
	}
	if c.Count < 1 || c.Count > 1000 {
		return &usage{text: "--count wants a number from 1 to 1000"}
	}
	schedules, err := a.readSchedules(c.File)
	if len(schedules) == 0 {
		if err := a.problems(err); err != nil {
			return err
		}
	} else if err != nil {
		a.note(err.Error()) // the other schedules are shown all the same
	}
	runs := []nextRun{}
	known := c.Name == ""
	for _, s := range schedules {
		if c.Name != "" && s.Name != c.Name {
			continue
		}
		known = true
		for _, slot := range s.Timing.Next(after, c.Count) {
			runs = append(runs, nextRun{Schedule: s.Name, Slot: slot.Name, At: slot.At.UTC(), TimeZone: s.Timing.Zone(), Enabled: s.Enabled})
		}
	}
	if !known {
		return &usage{text: fmt.Sprintf("%s has no schedule %q", c.File, c.Name)}
	}
	slices.SortStableFunc(runs, func(a, b nextRun) int { return a.At.Compare(b.At) })
	if a.json() {
		return a.printJSON(map[string]any{"runs": runs})
	}
	if len(runs) == 0 {
		a.say("Nothing is scheduled.")
		return nil
	}
	var rows [][]string
	for _, r := range runs {
		name := r.Schedule
		if !r.Enabled {
			name += " (disabled)"
		}
		rows = append(rows, []string{name, strings.Replace(r.Slot, "T", " ", 1), r.TimeZone, instant(r.At)})
	}
	a.list([]string{"Schedule", "Local time", "Time zone", "UTC"}, rows)
	return nil
}

// readSchedules reads a file as the app does at its start, with the permissions
// of this environment.
func (a *app) readSchedules(file string) ([]schedule.Schedule, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, &usage{text: fmt.Sprintf("%s cannot be read: %v", file, errors.Unwrap(err))}
	}
	check, err := a.requestCheck()
	if err != nil {
		return nil, err
	}
	return schedule.Parse(file, raw, check)
}

// requestCheck says whether a request could be started, as far as that can be
// said without calling anybody.
func (a *app) requestCheck() (schedule.Check, error) {
	var guardrails flow.Guardrails
	if value, _ := a.lookup("AZBACKUPFLOW_ALLOW_DELETE"); strings.EqualFold(value, "true") {
		guardrails.Delete = true
	}
	if value, _ := a.lookup("AZBACKUPFLOW_RESTORE_TARGETS"); value != "" {
		guardrails.RestoreTargets = strings.Split(value, ",")
	}
	flows, err := flow.New(flow.Config{Now: a.now, Guardrails: guardrails})
	if err != nil {
		return nil, err
	}
	return func(r request.Request) error {
		if err := r.Check(); err != nil {
			return err
		}
		f, known := flows.Newest(r.Flow)
		if !known {
			return &step.Invalid{Fields: []step.FieldError{{
				Field: "flow", Problem: fmt.Sprintf("%q is not a flow", r.Flow), Want: "one of " + strings.Join(flows.Names(), ", "),
			}}}
		}
		_, err := f.Check(r.Parameters)
		return err
	}, nil
}

// checked says what is wrong with a declared file, or how many of what it
// declares, such as rules, are right.
func (a *app) checked(file, what string, n int, err error) error {
	if err := a.problems(err); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"file": file, what: n, "problems": []any{}})
	}
	a.say("%s is right: %d %s.", plain(file), n, what)
	return nil
}

// problems shows what is wrong with a file; its error gives the exit code.
func (a *app) problems(err error) error {
	var invalid *declaration.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	if a.json() {
		if err := a.printJSON(map[string]any{"file": invalid.File, "problems": invalid.Problems}); err != nil {
			return err
		}
	} else {
		for _, p := range invalid.Problems {
			a.say("%s: %s", plain(invalid.File), plain(p.String()))
		}
	}
	return &usage{text: fmt.Sprintf("%s is wrong in %d places", invalid.File, len(invalid.Problems))}
}
