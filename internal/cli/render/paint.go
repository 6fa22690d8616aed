package render

import (
	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// linkStart starts the escape sequence of a link.
const linkStart = "\x1b]8;"

// Paint colors text for a terminal. The zero value returns text unchanged.
type Paint struct{ on, links bool }

// WantsColor reports whether a terminal with this environment shows colors. It
// respects NO_COLOR (https://no-color.org) and TERM=dumb.
func WantsColor(lookup func(name string) (string, bool)) bool {
	noColor, _ := lookup("NO_COLOR")
	term, _ := lookup("TERM")
	return noColor == "" && term != "dumb"
}

// CanLink reports whether a terminal with this environment may show links. One that
// cannot shows their text.
func CanLink(lookup func(name string) (string, bool)) bool {
	term, _ := lookup("TERM")
	return term != "dumb"
}

func (p Paint) with(c text.Color, s string) string {
	if !p.on || s == "" {
		return s
	}
	return text.Escape(s, c.EscapeSeq())
}

// Bold returns bold text.
func (p Paint) Bold(s string) string { return p.with(text.Bold, s) }

// Faint returns faint text.
func (p Paint) Faint(s string) string { return p.with(text.Faint, s) }

// Error returns text in the color of errors.
func (p Paint) Error(s string) string { return p.with(text.FgRed, s) }

// Status returns a status in its color.
func (p Paint) Status(s api.Status) string { return p.with(statusColor(s), string(s)) }

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

// HTTPStatus returns text in the color of an HTTP status; zero means that no
// response arrived.
func (p Paint) HTTPStatus(status int, s string) string {
	switch {
	case status == 0 || status >= 500:
		return p.with(text.FgRed, s)
	case status >= 400:
		return p.with(text.FgYellow, s)
	}
	return p.with(text.FgGreen, s)
}
