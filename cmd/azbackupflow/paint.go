package main

import (
	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// paint colours text for a person at a terminal, and leaves it alone otherwise.
type paint struct{ on bool }

// newPaint respects NO_COLOR (https://no-color.org) and terminals that cannot.
func newPaint(w world) paint {
	none, _ := w.lookup("NO_COLOR")
	term, _ := w.lookup("TERM")
	return paint{on: w.terminal && none == "" && term != "dumb"}
}

func (p paint) with(c text.Color, s string) string {
	if !p.on || s == "" {
		return s
	}
	return text.Escape(s, c.EscapeSeq())
}

func (p paint) bold(s string) string  { return p.with(text.Bold, s) }
func (p paint) faint(s string) string { return p.with(text.Faint, s) }
func (p paint) bad(s string) string   { return p.with(text.FgRed, s) }

// status colours a status by what it means for a person.
func (p paint) status(s api.Status) string {
	return p.with(statusColor(s), string(s))
}

func statusColor(s api.Status) text.Color {
	switch s {
	case api.Succeeded:
		return text.FgGreen
	case api.SucceededWithWarnings, api.Parked, api.Canceled:
		return text.FgYellow
	case api.Failed, api.TimedOut:
		return text.FgRed
	case api.Pending, api.Running:
	}
	return text.FgCyan
}

// code colours an HTTP status.
func (p paint) code(status int, s string) string {
	switch {
	case status == 0 || status >= 500:
		return p.with(text.FgRed, s)
	case status >= 400:
		return p.with(text.FgYellow, s)
	}
	return p.with(text.FgGreen, s)
}
