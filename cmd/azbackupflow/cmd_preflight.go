package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

type preflightCommand struct {
	All bool `help:"Show also what is as it should be."`
}

// errNotReady is a preflight that found something.
var errNotReady = errors.New("the app cannot do all of its work yet")

// Run asks the app whether it could do its work, and shows what it lacks.
func (p *preflightCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	report, err := c.Preflight(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		good := 0
		for _, f := range report.Findings {
			if f.OK {
				good++
				if p.All {
					a.say("ok       %s: %s", f.Check, plain(f.Subject))
				}
				continue
			}
			a.say("missing  %s: %s", f.Check, plain(f.Subject))
			a.say("         %s", plain(f.Problem))
			if len(f.Missing) > 0 {
				a.say("         lacks %s", plain(strings.Join(f.Missing, ", ")))
			}
			a.say("         %s", plain(f.Do))
		}
		a.say("%s", fmt.Sprintf("%d of %d checks are as they should be", good, len(report.Findings)))
	}
	if !report.OK {
		return errNotReady
	}
	return nil
}
