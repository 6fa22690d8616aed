package render

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Column describes a column of a table, and what happens to it if the terminal is
// too narrow. In the format Wide, every column is shown in full.
type Column struct {
	Heading string
	// Min is the width down to which cells are shortened. 0 means that they are
	// shortened only if nothing else helps.
	Min int
	// Drop orders the columns that are left out, highest first; 0 is never left
	// out.
	Drop int
	// Wrap breaks a long cell into several lines, instead of shortening it.
	Wrap bool
	// Middle shortens a cell in its middle, which keeps the end of a resource ID.
	Middle bool
	// OnlyWide shows the column in the format Wide only.
	OnlyWide bool
}

const (
	// columnGap is the number of spaces between two columns.
	columnGap = 2
	// minColumn is the width below which no column is shortened.
	minColumn = 3
	// minProse is the width of a column of text that is still readable.
	minProse = 24
)

// Table writes rows below their headings, in the style of az … -o table. Long
// text in the last column is wrapped, if the terminal is too narrow.
func (p *Printer) Table(headings []string, rows [][]string) {
	columns := make([]Column, len(headings))
	for i, heading := range headings {
		columns[i] = Column{Heading: heading}
	}
	if len(columns) > 0 {
		columns[len(columns)-1].Wrap, columns[len(columns)-1].Min = true, minProse
	}
	p.Columns(columns, rows)
}

// Columns writes rows below the headings of their columns. At a terminal, no line
// is longer than the terminal is wide, except in the format Wide.
func (p *Printer) Columns(columns []Column, rows [][]string) {
	shown, rows := p.selectColumns(columns, rows)
	widths := make([]int, len(shown))
	for i, c := range shown {
		widths[i] = text.StringWidth(c.Heading)
		for _, cells := range rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(cells[i]))
		}
	}
	if available := p.tableWidth(); available > 0 {
		widths = fitColumns(shown, widths, available)
	}
	t := table.NewWriter()
	t.SetStyle(plainTable())
	header, rule := table.Row{}, table.Row{}
	for i, c := range shown {
		if widths[i] > 0 {
			header = append(header, p.Bold(shorten(c.Heading, widths[i], false)))
			rule = append(rule, p.Faint(strings.Repeat("-", widths[i])))
		}
	}
	t.AppendHeader(header)
	t.AppendRow(rule)
	for _, cells := range rows {
		var r table.Row
		for i, c := range shown {
			switch {
			case widths[i] == 0:
			case c.Wrap:
				r = append(r, strings.Join(wrap(cells[i], widths[i]), "\n"))
			default:
				r = append(r, shorten(cells[i], widths[i], c.Middle))
			}
		}
		t.AppendRow(r)
	}
	p.write(trimLines(t.Render()))
}

// selectColumns returns the columns of the format. A column without text in any
// row is left out if it may be.
func (p *Printer) selectColumns(columns []Column, rows [][]string) (shown []Column, kept [][]string) {
	var index []int
	for i, c := range columns {
		empty := true
		for _, cells := range rows {
			empty = empty && cells[i] == ""
		}
		if c.OnlyWide && p.c.Format != Wide || empty && (c.Drop > 0 || c.OnlyWide) {
			continue
		}
		index, shown = append(index, i), append(shown, c)
	}
	for _, cells := range rows {
		var row []string
		for _, i := range index {
			row = append(row, cells[i])
		}
		kept = append(kept, row)
	}
	return shown, kept
}

// fitColumns returns the widths with which the columns fit into a number of
// columns of the terminal. Width 0 leaves a column out.
func fitColumns(columns []Column, natural []int, available int) []int {
	widths := append([]int(nil), natural...)
	floor := func(i int) int {
		if columns[i].Min == 0 {
			return natural[i]
		}
		return min(natural[i], max(columns[i].Min, minColumn))
	}
	for total(columns, natural, widths, floor) > available {
		last := -1
		for i, c := range columns {
			if widths[i] > 0 && c.Drop > 0 && (last < 0 || c.Drop > columns[last].Drop) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		widths[last] = 0
	}
	narrow(widths, available, floor)
	narrow(widths, available, func(int) int { return minColumn })
	return widths
}

// total returns the width of the shown columns at their floors.
func total(columns []Column, natural, widths []int, floor func(int) int) int {
	sum := -columnGap
	for i := range columns {
		if widths[i] > 0 {
			sum += min(natural[i], floor(i)) + columnGap
		}
	}
	return sum
}

// narrow takes width from the column that is the furthest above its floor, until
// all columns fit.
func narrow(widths []int, available int, floor func(int) int) {
	for {
		sum, widest := -columnGap, -1
		for i, w := range widths {
			if w == 0 {
				continue
			}
			sum += w + columnGap
			if w > floor(i) && (widest < 0 || w-floor(i) > widths[widest]-floor(widest)) {
				widest = i
			}
		}
		if sum <= available || widest < 0 {
			return
		}
		widths[widest]--
	}
}

// shorten shortens a cell to a number of columns. It keeps escape sequences.
func shorten(cell string, columns int, middle bool) string {
	if text.StringWidthWithoutEscSequences(cell) <= columns {
		return cell
	}
	if middle && !strings.Contains(cell, text.EscapeStart) {
		return shortenMiddle(cell, columns)
	}
	return text.Snip(cell, columns, ellipsis)
}

// plainTable returns the style of a table without lines.
func plainTable() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", columnGap)
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	return style
}

func trimLines(rendered string) string {
	lines := strings.Split(rendered, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
