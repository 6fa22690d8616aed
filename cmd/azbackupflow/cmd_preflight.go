package main

import (
	"context"
	"errors"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type preflightCommand struct {
	All bool `help:"Show passed checks too."`
}

// errPreflightFailed is the error of a preflight with a failed check.
var errPreflightFailed = errors.New("preflight failed: the app cannot do all of its work yet")

// Run runs the checks of the app and shows those that failed.
func (p *preflightCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	report, err := c.Preflight(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		if err := a.out.Data(report); err != nil {
			return err
		}
	} else {
		p.show(a, report)
	}
	if !report.OK {
		return errPreflightFailed
	}
	return nil
}

func (p *preflightCommand) show(a *app, report api.Preflight) {
	passed, unchecked := 0, 0
	for _, f := range report.Findings {
		if f.OK {
			passed++
			if p.All {
				a.out.Line("ok       %s: %s", f.Check, render.Plain(f.Subject))
			}
			continue
		}
		result := "failed   "
		if f.NotChecked {
			result = "unknown  "
			unchecked++
		}
		a.out.Line("%s%s: %s", result, f.Check, render.Plain(f.Subject))
		a.out.Line("         %s", render.Plain(f.Problem))
		if len(f.Missing) > 0 {
			a.out.Line("         missing: %s", render.Plain(strings.Join(f.Missing, ", ")))
		}
		a.out.Line("         %s", render.Plain(f.Do))
	}
	a.out.Line("%d of %d checks passed", passed, len(report.Findings)-unchecked)
	if unchecked > 0 {
		a.out.Line("%d could not be made", unchecked)
	}
}
