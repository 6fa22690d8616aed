package main

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Sizes in pixels, and times.
const (
	charWidth  = 8.0
	lineHeight = 18
	padding    = 16
	bar        = 28                     // height of the title bar
	rest       = 4 * time.Second        // how long the last line is shown before the picture starts again
	typing     = time.Second            // how long the command is shown before its output
	minGap     = 100 * time.Millisecond // between two lines, so that a reader can follow
)

// sgr matches an escape sequence that sets colors. other matches all others.
var (
	sgr   = regexp.MustCompile("\x1b\\[([0-9;]*)m")
	other = regexp.MustCompile("\x1b\\[[0-9;?]*[A-LN-Za-ln-z]|\x1b\\][^\x1b\x07]*(?:\x07|\x1b\\\\)")
)

// classes are the styles of the SGR codes that the program uses.
var classes = map[string]string{"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "36": "c"}

// draw returns the picture of a recording.
func draw(path string) (string, error) {
	c, err := readCast(path)
	if err != nil {
		return "", err
	}
	lines := []output{{text: "$ " + c.Command}}
	for _, o := range c.outputs {
		at := max(o.at+typing, lines[len(lines)-1].at+minGap)
		lines = append(lines, output{at: at, text: strings.TrimRight(o.text, "\r\n")})
	}
	total := lines[len(lines)-1].at + rest
	width := float64(c.Width)*charWidth + 2*padding
	height := c.Height*lineHeight + 2*padding + bar

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%[1]f" height="%[2]d" role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(c.Command))
	b.WriteString("<style>\n" + style)
	b.WriteString(animation(lines, c.Height, total))
	b.WriteString("</style>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%d" rx="8" fill="#10161d"/>`+"\n", width, height)
	for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="5" fill="%s"/>`+"\n", padding+4+18*i, bar/2+2, color)
	}
	fmt.Fprintf(&b, `<svg x="%d" y="%d" width="%.0f" height="%d"><g class="screen">`+"\n", padding, bar+padding/2, width-2*padding, c.Height*lineHeight)
	for i, line := range lines {
		fmt.Fprintf(&b, `<text class="l%d" y="%d">%s</text>`+"\n", i, (i+1)*lineHeight-5, styled(line.text))
	}
	b.WriteString("</g></svg>\n</svg>\n")
	return b.String(), nil
}

const style = `  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dee6; white-space: pre; }
  .b { font-weight: 700; fill: #ffffff; } .d { fill: #7d8b99; } .r { fill: #ff7b72; } .g { fill: #56d364; } .y { fill: #e3b341; } .c { fill: #76e3ea; }
`

// animation returns the rules that show each line at its time, and that scroll the
// screen so that the newest line is visible. Readers who prefer no motion see the
// last screen.
func animation(lines []output, height int, total time.Duration) string {
	percent := func(at time.Duration) float64 { return float64(at) / float64(total) * 100 }
	var b, scroll strings.Builder
	for i, line := range lines {
		at := percent(line.at)
		if i > 0 {
			fmt.Fprintf(&b, "  @keyframes k%d { 0%%, %.2f%% { opacity: 0; } %.2f%%, 100%% { opacity: 1; } }\n", i, at, at+0.01)
		}
		if up := i + 1 - height; up > 0 {
			fmt.Fprintf(&scroll, " %.2f%% { transform: translateY(-%dpx); }", at, up*lineHeight)
		}
	}
	last := max(0, len(lines)-height) * lineHeight
	fmt.Fprintf(&b, "  .screen { transform: translateY(-%dpx); }\n", last)
	fmt.Fprintf(&b, "  @keyframes scroll { 0%% { transform: translateY(0); }%s 100%% { transform: translateY(-%dpx); } }\n", scroll.String(), last)
	b.WriteString("  @media (prefers-reduced-motion: no-preference) {\n")
	fmt.Fprintf(&b, "    .screen { animation: scroll %.2fs step-end infinite; }\n", total.Seconds())
	for i := range lines[1:] {
		fmt.Fprintf(&b, "    .l%d { animation: k%[1]d %.2fs step-end infinite; }\n", i+1, total.Seconds())
	}
	b.WriteString("  }\n")
	return b.String()
}

// styled returns a line with its colors as spans.
func styled(line string) string {
	line = other.ReplaceAllString(line, "")
	if cut := strings.LastIndexByte(line, '\r'); cut >= 0 {
		line = line[cut+1:] // what a terminal shows of an overwritten line
	}
	var b strings.Builder
	class, from := "", 0
	span := func(text string) {
		switch {
		case text == "":
		case class == "":
			b.WriteString(escape(text))
		default:
			fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, class, escape(text))
		}
	}
	for _, m := range sgr.FindAllStringSubmatchIndex(line, -1) {
		span(line[from:m[0]])
		class, from = classes[line[m[2]:m[3]]], m[1]
	}
	span(line[from:])
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder returns no error
	return b.String()
}
