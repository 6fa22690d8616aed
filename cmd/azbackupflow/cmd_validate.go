package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"azbackupflow/internal/api"
)

// errNotRight is a request that would not work as things are.
var errNotRight = errors.New("the request would not work as things are")

type validateCommand struct {
	asking
}

// Help is shown below the command's own help.
func (validateCommand) Help() string {
	return `The app goes through the flow's steps by calls that only read, as far as that tells
anything. Nothing is started, and nothing is changed in Azure. The exit code is 1 where
something does not look right.`
}

// Run shows what the request would do, with the calls that would be made.
func (v *validateCommand) Run(ctx context.Context, a *app) error {
	r, err := v.request(a.stdin)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	validation, err := c.Validate(ctx, r)
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(validation)
	} else {
		a.validation(validation)
	}
	if err == nil && !validation.OK {
		err = errNotRight
	}
	return err
}

func (a *app) validation(v api.Validation) {
	a.say("The request is valid. What %s version %d would do:", v.Flow, v.Version)
	for i, s := range v.DryRun {
		a.say("")
		a.say("%4d  %s", i+1, a.paint.bold(s.Step))
		if s.Note != "" {
			a.say("      %s", plain(s.Note))
		}
		for _, call := range s.Made {
			a.say("      read: %s %s (%d)", call.Method, plain(call.Path), call.Status)
		}
		for _, call := range s.WouldMake {
			a.say("      would call: %s %s", call.Method, plain(call.Path))
			if len(call.Body) > 0 {
				a.say("%s", indented(call.Body, "        "))
			}
		}
	}
	a.say("")
	if v.Incomplete != "" {
		a.say("Not known beforehand: %s", plain(v.Incomplete))
	}
	if v.Problem != nil {
		a.facts(a.aboutError("Not right", *v.Problem))
	} else {
		a.say("Everything that can be seen beforehand looks right.")
	}
}

// indented is JSON in lines for people.
func indented(raw json.RawMessage, margin string) string {
	var lines bytes.Buffer
	if json.Indent(&lines, raw, margin, "  ") != nil {
		return margin + plain(string(raw))
	}
	return margin + lines.String()
}
