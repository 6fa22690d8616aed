package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

// errValidationFailed is the error of a request that would fail.
var errValidationFailed = errors.New("validation failed: the request would not succeed now")

type validateCommand struct {
	requestFlags
}

// Help is shown below the command's own help.
func (validateCommand) Help() string {
	return `The app runs the steps of the flow with calls that only read, as far as possible.
It starts nothing and changes nothing in Azure. The exit code is 1 if a check fails.`
}

// Run shows the result of a dry run, with the calls that the request would make.
func (v *validateCommand) Run(ctx context.Context, a *app) error {
	r, err := v.request(a)
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
	if a.out.Structured() {
		err = a.out.Data(validation)
	} else {
		a.showValidation(validation)
	}
	if err == nil && !validation.OK {
		err = errValidationFailed
	}
	return err
}

func (a *app) showValidation(v api.Validation) {
	a.out.Line("The request is valid. Steps of %s version %d:", v.Flow, v.Version)
	for i, s := range v.DryRun {
		a.out.Line("")
		a.out.Line("%4d  %s", i+1, a.out.Bold(s.Step))
		if s.Note != "" {
			a.out.Line("      %s", render.Plain(s.Note))
		}
		for _, call := range s.Made {
			a.out.Line("      read: %s %s (%d)", call.Method, render.Plain(call.Path), call.Status)
		}
		for _, call := range s.WouldMake {
			a.out.Line("      would call: %s %s", call.Method, render.Plain(call.Path))
			if len(call.Body) > 0 {
				a.out.Line("%s", indentJSON(call.Body, "        "))
			}
		}
	}
	a.out.Line("")
	if v.Incomplete != "" {
		a.out.Line("Not checked: %s", render.Plain(v.Incomplete))
	}
	if v.Problem != nil {
		a.out.Facts(a.out.ErrorFacts("Problem", *v.Problem))
	} else {
		a.out.Line("The checks found no problem.")
	}
}

// indentJSON returns JSON with a left margin.
func indentJSON(raw json.RawMessage, margin string) string {
	var lines bytes.Buffer
	if json.Indent(&lines, raw, margin, "  ") != nil {
		return margin + render.Plain(string(raw))
	}
	return margin + lines.String()
}
