// Package render writes the output of the commands: lines, tables and timelines
// for people, JSON for scripts.
//
// The package may not know how commands get what they show. It imports
// internal/api and nothing else of this module.
package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Width is the maximum width of output for people, in columns. Addresses and IDs
// may exceed it.
const Width = 100

// Config configures a Printer. Out, Err and Now are required, and Ticks with
// Spinner.
type Config struct {
	Out, Err io.Writer
	// JSON writes JSON instead of text.
	JSON bool
	// Color colors the text.
	Color bool
	// Spinner shows a spinner on Err.
	Spinner bool
	Now     func() time.Time
	// Ticks returns a channel that ticks at an interval, and a function that
	// stops it.
	Ticks func(time.Duration) (<-chan time.Time, func())
}

// Printer writes the output of one command. It is safe for concurrent use as far
// as its writers are.
type Printer struct {
	Paint

	c Config
}

// New returns a Printer.
func New(c Config) (*Printer, error) {
	if c.Out == nil || c.Err == nil || c.Now == nil || c.Spinner && c.Ticks == nil {
		return nil, errors.New("render: Config.Out, Err and Now are required, and Ticks with Spinner")
	}
	return &Printer{Paint: Paint{on: c.Color}, c: c}, nil
}

// IsJSON reports whether the output is JSON.
func (p *Printer) IsJSON() bool { return p.c.JSON }

// Now returns the current time.
func (p *Printer) Now() time.Time { return p.c.Now() }

// Line writes a line of text.
func (p *Printer) Line(format string, args ...any) {
	p.write(fmt.Sprintf(format, args...) + "\n")
}

// Note writes a line that is not part of the command's output.
func (p *Printer) Note(line string) {
	_, _ = fmt.Fprintln(p.c.Err, line) // a closed terminal cannot be reported anywhere
}

// write writes to Out. It ignores errors: the reader may close the pipe early.
func (p *Printer) write(text string) { _, _ = io.WriteString(p.c.Out, text) }

// JSON writes a value as indented JSON, as the API does.
func (p *Printer) JSON(v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	p.write(string(raw) + "\n")
	return nil
}

// JSONLine writes a value as one line of JSON.
func (p *Printer) JSONLine(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	p.write(string(raw) + "\n")
	return nil
}

// Table writes rows below their headings, in the style of az … -o table.
func (p *Printer) Table(headings []string, rows [][]string) {
	t := table.NewWriter()
	t.SetStyle(plainTable())
	t.AppendHeader(tableRow(headings))
	rule := make([]string, len(headings))
	for i, heading := range headings {
		longest := text.StringWidth(heading)
		for _, cells := range rows {
			longest = max(longest, text.StringWidthWithoutEscSequences(cells[i]))
		}
		rule[i] = strings.Repeat("-", longest)
	}
	t.AppendRow(tableRow(rule))
	for _, cells := range rows {
		t.AppendRow(tableRow(cells))
	}
	p.write(trimLines(t.Render()))
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Facts writes names and values in two columns.
func (p *Printer) Facts(facts []Fact) {
	longest := 0
	for _, fact := range facts {
		longest = max(longest, len(fact.Name))
	}
	t := table.NewWriter()
	t.SetStyle(plainTable())
	for _, fact := range facts {
		value := fact.Value
		if !strings.Contains(value, "://") { // users copy addresses, so they are not wrapped
			value = text.WrapSoft(value, Width-longest-2)
		}
		t.AppendRow(table.Row{p.Bold(fact.Name), value})
	}
	p.write(trimLines(t.Render()))
}

// Wrapped writes text with a left margin, wrapped to Width.
func (p *Printer) Wrapped(margin int, what string) {
	for _, line := range wrap(what, Width-margin) {
		p.Line("%s%s", strings.Repeat(" ", margin), line)
	}
}

// WrappedError writes text like Wrapped, in the color of errors.
func (p *Printer) WrappedError(margin int, what string) {
	for _, line := range wrap(what, Width-margin) {
		p.Line("%s%s", strings.Repeat(" ", margin), p.Error(line))
	}
}

// wrap breaks text into lines of at most columns columns.
func wrap(what string, columns int) []string {
	lines := strings.Split(text.WrapSoft(what, columns), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// plainTable returns the style of a table without lines.
func plainTable() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	return style
}

func tableRow(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, cell := range cells {
		r[i] = cell
	}
	return r
}

func trimLines(rendered string) string {
	lines := strings.Split(rendered, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
