package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"

	"azbackupflow/bench/internal/work"
)

// lines is a chart with logarithmic axes: what an operation costs against a number
// of operations.
type lines struct {
	File, Title, Across string
	Series              []series
}

type series struct {
	Name   string
	Points []point
}

// point is a number of operations and a CPU time in µs.
type point struct{ n, value float64 }

// growthPlots returns a plot for each store against live operations, and one against
// history.
func growthPlots(all []work.Growth) []lines {
	var plots []lines
	for _, c := range []struct {
		file, title, across string
		match               func(work.Growth) bool
		n                   func(work.Growth) int
	}{
		{"growth-live-memory", "CPU time against live operations, in memory", "live operations", func(g work.Growth) bool { return g.Store == "memory" && g.Ended == 0 }, func(g work.Growth) int { return g.Live }},
		{"growth-live-azurite", "CPU time against live operations, with Azurite", "live operations", func(g work.Growth) bool { return g.Store == "Azurite" }, func(g work.Growth) int { return g.Live }},
		{"growth-ended-memory", "CPU time against ended operations, in memory", "ended operations", func(g work.Growth) bool { return g.Store == "memory" && g.Ended > 0 }, func(g work.Growth) int { return g.Ended }},
	} {
		p := lines{File: plotsFolder + "/" + c.file + ".svg", Title: c.title, Across: c.across}
		for _, s := range []struct {
			name string
			of   func(work.Growth) work.Spent
		}{
			{"sweep, per live operation", func(g work.Growth) work.Spent { return g.Sweep }},
			{"list, per page", func(g work.Growth) work.Spent { return g.List }},
			{"start", func(g work.Growth) work.Spent { return g.Start }},
			{"poll", func(g work.Growth) work.Spent { return g.Poll }},
		} {
			one := series{Name: s.name}
			for _, g := range all {
				at := float64(c.n(g))
				repeated := len(one.Points) > 0 && one.Points[len(one.Points)-1].n >= at // the first one against history
				if c.match(g) && !repeated {
					one.Points = append(one.Points, point{at, float64(s.of(g).CPU) / float64(time.Microsecond)})
				}
			}
			p.Series = append(p.Series, one)
		}
		if len(p.Series[0].Points) > 1 {
			plots = append(plots, p)
		}
	}
	return plots
}

const (
	linesWidth, linesHeight = 760, 320
	linesLeft, linesTop     = 60, 44
	linesRight, linesBottom = 200, 40
	minSpread               = 1e-9
	linesInnerW             = linesWidth - linesLeft - linesRight
	linesInnerH             = linesHeight - linesTop - linesBottom
)

// svg draws the chart.
func (p lines) svg() []byte {
	colors := []string{"#0969da", "#8250df", "#bf3989", "#1a7f37"}
	var minX, maxX, minY, maxY = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for _, q := range s.Points {
			minX, maxX = math.Min(minX, math.Log10(q.n)), math.Max(maxX, math.Log10(q.n))
			value := math.Log10(math.Max(q.value, minLogged))
			minY, maxY = math.Min(minY, math.Floor(value)), math.Max(maxY, math.Ceil(value))
		}
	}
	x := func(n float64) float64 {
		return linesLeft + (math.Log10(n)-minX)/math.Max(maxX-minX, minSpread)*linesInnerW
	}
	y := func(v float64) float64 {
		return linesTop + linesInnerH - (math.Log10(math.Max(v, minLogged))-minY)/math.Max(maxY-minY, minSpread)*linesInnerH
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui,sans-serif" font-size="11" role="img">`+"\n", linesWidth, linesHeight)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n", html.EscapeString(p.Title))
	fmt.Fprintf(&b, `<text x="8" y="18" font-size="13" font-weight="600" fill="#1f2328">%s</text>`+"\n", html.EscapeString(p.Title))
	for e := minY; e <= maxY; e++ {
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#d0d7de"/><text x="%d" y="%.1f" text-anchor="end" fill="#57606a">%s µs</text>`+"\n",
			linesLeft, y(math.Pow(10, e)), linesLeft+linesInnerW, y(math.Pow(10, e)), linesLeft-6, y(math.Pow(10, e))+4, number(math.Pow(10, e)))
	}
	for e := math.Ceil(minX); e <= maxX; e++ {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#57606a">%s</text>`+"\n", x(math.Pow(10, e)), linesTop+linesInnerH+16, thousands(int(math.Pow(10, e))))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle" fill="#57606a">%s</text>`+"\n", linesLeft+linesInnerW/2, linesHeight-8, html.EscapeString(p.Across))
	for i, s := range p.Series {
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, colors[i%len(colors)])
		for _, q := range s.Points {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(q.n), y(q.value))
		}
		fmt.Fprintf(&b, `"/><text x="%d" y="%d" fill="%s">%s</text>`+"\n", linesLeft+linesInnerW+12, linesTop+14+16*i, colors[i%len(colors)], html.EscapeString(s.Name))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
