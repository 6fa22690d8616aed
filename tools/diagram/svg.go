package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Sizes in pixels.
const (
	cellWidth  = 170.0
	cellHeight = 76.0
	gap        = 14.0 // between a box and the edge of its cells
	margin     = 16.0
	lineHeight = 16.0
)

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; }
  .small { font-size: 12px; fill: #52606d; }
  .room { fill: #e3f2fd; stroke: #1976d2; }
  .azure { fill: #ede7f6; stroke: #5e35b1; }
  .store { fill: #fff8e1; stroke: #ef6c00; }
  .frame { fill: none; stroke: #9aa5b1; stroke-dasharray: 5 4; }
  .edge { fill: none; stroke: #52606d; stroke-width: 1.4; marker-end: url(#arrow); }
`

type point struct{ x, y float64 }

func (p picture) svg() string {
	size := p.size()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s">`+"\n", px(size.x), px(size.y))
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#52606d"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect width="%s" height="%s" rx="8" fill="#ffffff"/>`+"\n", px(size.x), px(size.y))
	for _, f := range p.frames {
		f.drawFrame(&b)
	}
	for _, a := range p.boxes {
		a.drawBox(&b)
	}
	for _, e := range p.edges {
		e.draw(&b)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p picture) size() point {
	var s point
	for _, areas := range [][]area{p.frames, p.boxes} {
		for _, a := range areas {
			s.x = math.Max(s.x, a.x+a.width)
			s.y = math.Max(s.y, a.y+a.height)
		}
	}
	return point{s.x*cellWidth + 2*margin, s.y*cellHeight + 2*margin}
}

// corners returns the upper left and the lower right corner of an area.
func (a area) corners(inset float64) (point, point) {
	return point{margin + a.x*cellWidth + inset, margin + a.y*cellHeight + inset},
		point{margin + (a.x+a.width)*cellWidth - inset, margin + (a.y+a.height)*cellHeight - inset}
}

func (a area) drawFrame(b *strings.Builder) {
	from, to := a.corners(2)
	rect(b, "frame", from, to)
	text(b, "small title", point{from.x + 10, from.y + 16}, "start", a.text[0])
}

func (a area) drawBox(b *strings.Builder) {
	from, to := a.corners(gap)
	rect(b, a.kind, from, to)
	middle := point{(from.x + to.x) / 2, (from.y+to.y)/2 - float64(len(a.text)-1)*lineHeight/2 + 4.5}
	for i, line := range a.text {
		class := "small"
		if i == 0 {
			class = "title"
		}
		text(b, class, point{middle.x, middle.y + float64(i)*lineHeight}, "middle", line)
	}
}

// draw writes an arrow with at most two corners, and its label.
func (e edge) draw(b *strings.Builder) {
	from, to := e.from.side(e.fromSide), e.to.side(e.toSide)
	points := []point{from}
	switch fromFlat, toFlat := isFlat(e.fromSide), isFlat(e.toSide); {
	case fromFlat && toFlat && from.y != to.y:
		x := turn(from.x, to.x, e.fromSide == e.toSide, e.fromSide == "right")
		points = append(points, point{x, from.y}, point{x, to.y})
	case !fromFlat && !toFlat && from.x != to.x:
		y := turn(from.y, to.y, e.fromSide == e.toSide, e.fromSide == "bottom")
		points = append(points, point{from.x, y}, point{to.x, y})
	case fromFlat && !toFlat:
		points = append(points, point{to.x, from.y})
	case !fromFlat && toFlat:
		points = append(points, point{from.x, to.y})
	}
	points = append(points, to)
	var path strings.Builder
	for i, p := range points {
		fmt.Fprintf(&path, "%c%s %s", "ML"[min(i, 1)], px(p.x), px(p.y))
	}
	fmt.Fprintf(b, `<path class="edge" d="%s"/>`+"\n", path.String())
	if e.label != "" {
		a, c := points[(len(points)-1)/2], points[(len(points)-1)/2+1]
		at := point{(a.x + c.x) / 2, (a.y+c.y)/2 - 5}
		anchor := "middle"
		if a.x == c.x {
			at, anchor = point{a.x + 6, (a.y+c.y)/2 + 4}, "start"
		}
		text(b, "small", at, anchor, e.label)
	}
}

// turn returns where an arrow turns: half-way, or outside of both boxes if it
// leaves and enters by the same side.
func turn(from, to float64, sameSide, forward bool) float64 {
	switch {
	case !sameSide:
		return (from + to) / 2
	case forward:
		return math.Max(from, to) + 2*gap
	default:
		return math.Min(from, to) - 2*gap
	}
}

func isFlat(side string) bool { return side == "left" || side == "right" }

// side returns the middle of one side of a box.
func (a area) side(name string) point {
	from, to := a.corners(gap)
	switch name {
	case "left":
		return point{from.x, (from.y + to.y) / 2}
	case "right":
		return point{to.x, (from.y + to.y) / 2}
	case "top":
		return point{(from.x + to.x) / 2, from.y}
	default:
		return point{(from.x + to.x) / 2, to.y}
	}
}

func rect(b *strings.Builder, class string, from, to point) {
	fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="6"/>`+"\n", class, px(from.x), px(from.y), px(to.x-from.x), px(to.y-from.y))
}

func text(b *strings.Builder, class string, at point, anchor, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%s" y="%s" text-anchor="%s">`, class, px(at.x), px(at.y), anchor)
	_ = xml.EscapeText(b, []byte(s)) // a Builder takes every text
	b.WriteString("</text>\n")
}

// px writes a length without needless digits, the same on every machine.
func px(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}
