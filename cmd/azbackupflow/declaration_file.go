package main

import (
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// requestCheck returns a function that checks a request offline, with the
// guardrails of this environment.
func (a *app) requestCheck() (func(request.Request) error, error) {
	var guardrails flow.Guardrails
	if value, _ := a.lookup("AZBACKUPFLOW_ALLOW_DELETE"); strings.EqualFold(value, "true") {
		guardrails.Delete = true
	}
	if value, _ := a.lookup("AZBACKUPFLOW_RESTORE_TARGETS"); value != "" {
		guardrails.RestoreTargets = strings.Split(value, ",")
	}
	if value, _ := a.lookup("AZBACKUPFLOW_DRILL_TARGETS"); value != "" {
		guardrails.DrillTargets = strings.Split(value, ",")
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

// showCheck shows the problems of a declaration file, or the number of its
// entries, such as rules.
func (a *app) showCheck(file, entries string, n int, err error) error {
	if err := a.showProblems(err); err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"file": file, entries: n, "problems": []any{}})
	}
	a.out.Line("%s is valid: %d %s.", render.Plain(file), n, entries)
	return nil
}

// showProblems shows the problems of a declaration file and returns an error if
// there are any.
func (a *app) showProblems(err error) error {
	var invalid *declaration.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	if a.out.Structured() {
		if err := a.out.Data(map[string]any{"file": invalid.File, "problems": invalid.Problems}); err != nil {
			return err
		}
	} else {
		for _, p := range invalid.Problems {
			a.out.Line("%s: %s", render.Plain(invalid.File), render.Plain(p.String()))
		}
	}
	problems := "1 problem"
	if n := len(invalid.Problems); n != 1 {
		problems = fmt.Sprintf("%d problems", n)
	}
	return &cli.UsageError{Text: fmt.Sprintf("%s has %s", invalid.File, problems)}
}

// problemLines returns the problems of a declaration file, one per line.
func problemLines(err error) []string {
	var invalid *declaration.Invalid
	if !errors.As(err, &invalid) {
		return []string{render.Plain(err.Error())}
	}
	var lines []string
	for _, p := range invalid.Problems {
		lines = append(lines, render.Plain(p.String()))
	}
	return lines
}

// note writes a line that is not part of the command's output.
func (a *app) note(format string, args ...any) { a.out.Note(fmt.Sprintf(format, args...)) }
