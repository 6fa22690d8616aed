package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

// plot is a chart of horizontal bars, with a group for each contestant.
type plot struct {
	// File is the path of the plot, relative to the documentation folder.
	File, Title string
	// Series names the bars of a group. Log makes the scale logarithmic.
	Series []string
	Log    bool
	Rows   []plotRow
}

type plotRow struct {
	Label string
	// Values holds a value for each series; an infinite one fills the width.
	Values []float64
}

// plots returns the plots of a scenario.
func plots(s scenarioFigures) []plot {
	of := func(what, title string, series []string, log bool, values func(figures) []float64) plot {
		p := plot{
			File:  plotsFolder + "/" + strings.ReplaceAll(s.Name, " ", "-") + "-" + what + ".svg",
			Title: title + ", " + s.Name, Series: series, Log: log,
		}
		for _, f := range s.Figures {
			if !f.Measured() {
				continue
			}
			p.Rows = append(p.Rows, plotRow{Label: f.Contestant.Title, Values: values(f)})
		}
		return p
	}
	cpu := of("cpu", "CPU per step in ms, in the process and outside", []string{"in the process", "outside"}, false,
		func(f figures) []float64 { return []float64{f.CPU, f.Services} })
	if s.ByCount {
		return []plot{cpu, of("steps", "Steps per second", nil, true, func(f figures) []float64 { return []float64{f.Steps} })}
	}
	return []plot{
		cpu,
		of("lateness", "Lateness of detection in ms (logarithmic)", []string{"p50", "p95", "p99"}, true,
			func(f figures) []float64 { return []float64{f.P50, f.P95, f.P99} }),
		of("memory", "Resident memory in MiB: peak, and growth after the start", []string{"peak", "growth"}, false,
			func(f figures) []float64 { return []float64{f.Peak, f.Growth} }),
	}
}

const (
	plotWidth, labelWidth, valueWidth = 760, 230, 70
	barHeight, groupGap, headHeight   = 12, 8, 44
	minLogged                         = 0.1
)

// svg draws the plot with a background, so that it is readable on light and dark
// pages.
func (p plot) svg() []byte {
	colors := []string{"#0969da", "#8250df", "#bf3989"}
	var b bytes.Buffer
	group := max(len(p.Series), 1)*barHeight + groupGap
	height := headHeight + len(p.Rows)*group + groupGap
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui,sans-serif" font-size="11" role="img">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n", html.EscapeString(p.Title))
	fmt.Fprintf(&b, `<text x="8" y="18" font-size="13" font-weight="600" fill="#1f2328">%s</text>`+"\n", html.EscapeString(p.Title))
	x := labelWidth
	for i, name := range p.Series {
		fmt.Fprintf(&b, `<rect x="%d" y="26" width="10" height="10" fill="%s"/><text x="%d" y="35" fill="#1f2328">%s</text>`+"\n", x, colors[i], x+14, html.EscapeString(name))
		x += 100
	}
	largest := p.largest()
	for i, row := range p.Rows {
		top := headHeight + i*group
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#1f2328">%s</text>`+"\n", labelWidth-8, top+len(row.Values)*barHeight/2+4, html.EscapeString(row.Label))
		for j, v := range row.Values {
			width := p.share(v, largest) * (plotWidth - labelWidth - valueWidth)
			y := top + j*barHeight
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d" font-size="10" fill="#57606a">%s</text>`+"\n",
				labelWidth, y, width, barHeight-2, colors[j], labelWidth+width+4, y+barHeight-3, number(v))
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// largest returns the largest finite value.
func (p plot) largest() float64 {
	largest := 0.0
	for _, row := range p.Rows {
		for _, v := range row.Values {
			if !math.IsInf(v, 1) {
				largest = max(largest, v)
			}
		}
	}
	return largest
}

// share returns the share of the width that a value fills.
func (p plot) share(v, largest float64) float64 {
	switch {
	case math.IsInf(v, 1):
		return 1
	case p.Log && largest > minLogged:
		return math.Log10(max(v, minLogged)/minLogged) / math.Log10(largest/minLogged)
	case largest > 0:
		return max(v, 0) / largest
	}
	return 0
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "not done"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return thousands(int(math.Round(v)))
}
