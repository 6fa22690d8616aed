package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// width is how wide output for people is at most, in columns, where it can be
// helped.
const width = 100

// say writes a line for a person.
func (a *app) say(format string, args ...any) {
	a.write(fmt.Sprintf(format, args...) + "\n")
}

// write writes to stdout. Whoever reads it may stop reading: then there is
// nobody to tell.
func (a *app) write(text string) { _, _ = io.WriteString(a.stdout, text) }

// printJSON writes a value as the API does.
func (a *app) printJSON(v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	a.write(string(raw) + "\n")
	return nil
}

// plain takes control characters out of text that others wrote, so that it
// cannot play with a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// list writes rows below their headings, as `az … -o table` does.
func (a *app) list(headings []string, rows [][]string) {
	t := table.NewWriter()
	t.SetStyle(columns())
	t.AppendHeader(row(headings))
	under := make([]string, len(headings))
	for i, heading := range headings {
		longest := text.StringWidth(heading)
		for _, cells := range rows {
			longest = max(longest, text.StringWidthWithoutEscSequences(cells[i]))
		}
		under[i] = strings.Repeat("-", longest)
	}
	t.AppendRow(row(under))
	for _, cells := range rows {
		t.AppendRow(row(cells))
	}
	a.write(trimmed(t.Render()))
}

// facts writes names and what they stand for, in two columns.
func (a *app) facts(facts [][2]string) {
	longest := 0
	for _, fact := range facts {
		longest = max(longest, len(fact[0]))
	}
	t := table.NewWriter()
	t.SetStyle(columns())
	for _, fact := range facts {
		value := fact[1]
		if !strings.Contains(value, "://") { // an address is copied, so it stays whole
			value = text.WrapSoft(value, width-longest-2)
		}
		t.AppendRow(table.Row{a.paint.bold(fact[0]), value})
	}
	a.write(trimmed(t.Render()))
}

// columns is a table without any lines.
func columns() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	return style
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, cell := range cells {
		r[i] = cell
	}
	return r
}

// trimmed takes the spaces off the ends of lines.
func trimmed(rendered string) string {
	lines := strings.Split(rendered, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
