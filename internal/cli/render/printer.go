// Package render writes the output of the commands: lines, tables and timelines
// for people, JSON for scripts.
//
// The package may not know how commands get what they show. It imports
// internal/api and nothing else of this module.
package render

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// maxProse is the maximum width of running text, in columns of the terminal.
const maxProse = 100

// Config configures a Printer. Out, Err and Now are required, and Ticks with
// Spinner.
type Config struct {
	Out, Err io.Writer
	// Format is Table if empty.
	Format Format
	// Query selects a part of the output.
	Query Query
	// Columns returns the width of the terminal that shows Out. Nil, or zero,
	// means that Out is not a terminal: tables then show their cells in full.
	Columns func() int
	// ErrColumns returns the width of the terminal that shows Err.
	ErrColumns func() int
	// Color colors the text. Links writes links that the terminal can open.
	Color, Links bool
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
	if c.Format == "" {
		c.Format = Table
	}
	if !slices.Contains(Formats(), c.Format) {
		return nil, &OutputError{Text: fmt.Sprintf("output format %q is unknown; use one of %s", Plain(string(c.Format)), strings.Join(formatNames(), ", "))}
	}
	if c.Columns == nil {
		c.Columns = func() int { return 0 }
	}
	if c.ErrColumns == nil {
		c.ErrColumns = func() int { return maxProse }
	}
	return &Printer{Paint: Paint{on: c.Color, links: c.Links && c.Format != Wide}, c: c}, nil
}

// AtTerminal reports whether the output is fitted to the width of a terminal.
func (p *Printer) AtTerminal() bool { return p.c.Columns() > 0 && p.c.Format != Wide }

// tableWidth returns the width that tables may have, 0 for any.
func (p *Printer) tableWidth() int {
	if p.c.Format == Wide {
		return 0
	}
	return p.c.Columns()
}

// Width returns the maximum width of running text.
func (p *Printer) Width() int {
	if columns := p.c.Columns(); columns > 0 {
		return min(columns, maxProse)
	}
	return maxProse
}

// Now returns the current time.
func (p *Printer) Now() time.Time { return p.c.Now() }

// Line writes a line of text. At a terminal, a longer line is wrapped at words and
// keeps its margin.
func (p *Printer) Line(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if p.AtTerminal() {
		line = FitLines(line, p.c.Columns())
	}
	p.write(line + "\n")
}

// ResourceID returns a resource ID, shortened in its middle at a terminal that is
// narrower.
func (p *Printer) ResourceID(id string) string {
	if !p.AtTerminal() {
		return Plain(id)
	}
	return shortenMiddle(Plain(id), p.c.Columns())
}

// FitLines wraps the lines of a text that are longer than a number of columns, at
// words. The new lines have the margin of the line.
func FitLines(what string, columns int) string {
	var fitted []string
	for line := range strings.SplitSeq(what, "\n") {
		if text.StringWidthWithoutEscSequences(line) <= columns {
			fitted = append(fitted, line)
			continue
		}
		bare := strings.TrimLeft(line, " ")
		margin := line[:min(len(line)-len(bare), columns/2)]
		for _, part := range wrap(bare, columns-len(margin)) {
			fitted = append(fitted, margin+part)
		}
	}
	return strings.Join(fitted, "\n")
}

// Note writes a line that is not part of the command's output.
func (p *Printer) Note(line string) {
	_, _ = fmt.Fprintln(p.c.Err, line) // a closed terminal cannot be reported anywhere
}

// write writes to Out. It ignores errors: the reader may close the pipe early.
func (p *Printer) write(text string) { _, _ = io.WriteString(p.c.Out, text) }

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Facts writes names and values in two columns. At a terminal, resource IDs are
// shortened in their middle.
func (p *Printer) Facts(facts []Fact) {
	longest := 0
	for _, fact := range facts {
		longest = max(longest, len(fact.Name))
	}
	columns := max(p.Width()-longest-columnGap, minProse)
	if p.AtTerminal() {
		columns = min(columns, p.c.Columns()-longest-columnGap)
	}
	t := table.NewWriter()
	t.SetStyle(plainTable())
	for _, fact := range facts {
		value := fact.Value
		switch {
		case strings.Contains(value, linkStart):
		case strings.HasPrefix(value, "/") && !strings.Contains(value, " "): // a resource ID, for scripts in one line
			if p.AtTerminal() {
				value = shortenMiddle(value, columns)
			}
		case p.AtTerminal() || !strings.Contains(value, "://"): // scripts read addresses, so they stay in one line
			value = strings.Join(wrap(value, columns), "\n")
		}
		t.AppendRow(table.Row{p.Bold(fact.Name), value})
	}
	p.write(trimLines(t.Render()))
}

// Wrapped writes text with a left margin, wrapped to the width of the output.
func (p *Printer) Wrapped(margin int, what string) {
	for _, line := range wrap(what, p.Width()-margin) {
		p.Line("%s%s", strings.Repeat(" ", margin), line)
	}
}

// WrappedError writes text like Wrapped, in the color of errors.
func (p *Printer) WrappedError(margin int, what string) {
	for _, line := range wrap(what, p.Width()-margin) {
		p.Line("%s%s", strings.Repeat(" ", margin), p.Error(line))
	}
}

// wrap breaks text into lines of at most columns columns.
func wrap(what string, columns int) []string {
	lines := strings.Split(text.WrapSoft(what, columns), "\n")
	for i := range lines {
		lines[i] = paddedReset.ReplaceAllString(strings.TrimRight(lines[i], " "), "$1")
	}
	return lines
}

// paddedReset matches the spaces before the escape sequence that ends a color.
var paddedReset = regexp.MustCompile(` +(\x1b\[0m)$`)
