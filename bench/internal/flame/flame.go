// Package flame draws profiles as flame graphs: a box for each function, on top of
// its caller, as wide as its share. It needs neither Graphviz nor a browser's
// scripts.
package flame

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"maps"
	"path"
	"slices"

	"github.com/google/pprof/profile"
)

// frame is a function in the context of its callers.
type frame struct {
	name     string
	value    int64
	children map[string]*frame
}

func (f *frame) child(name string) *frame {
	if f.children[name] == nil {
		f.children[name] = &frame{name: name, children: map[string]*frame{}}
	}
	return f.children[name]
}

const (
	width, rowHeight = 1600, 18
	// minWidth is the width in pixels from which a box is drawn.
	minWidth = 1.0
	// charWidth is about the width of a character.
	charWidth = 6.2
)

// Graph returns the flame graph of a profile as SVG. It shows the last value of the
// profile that counts time or all allocated bytes.
func Graph(title string, encoded []byte) ([]byte, error) {
	p, err := profile.ParseData(encoded)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	index := len(p.SampleType) - 1
	for i, t := range p.SampleType {
		if t.Type == "alloc_space" {
			index = i
		}
	}
	root := &frame{name: "all", children: map[string]*frame{}}
	for _, s := range p.Sample {
		at, value := root, s.Value[index]
		at.value += value
		for _, location := range slices.Backward(s.Location) {
			for _, line := range slices.Backward(location.Line) {
				at = at.child(line.Function.Name)
				at.value += value
			}
		}
	}
	if root.value == 0 {
		return nil, fmt.Errorf("the profile has no samples of %s", p.SampleType[index].Type)
	}
	var boxes bytes.Buffer
	depth := draw(&boxes, root, root.value, 0, 0)
	var b bytes.Buffer
	height := (depth + 3) * rowHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="monospace" font-size="10">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/><text x="8" y="14" font-size="13">%s: %s in %s</text>`+"\n", html.EscapeString(title), p.SampleType[index].Type, p.SampleType[index].Unit)
	b.Write(boxes.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// draw draws a frame and its children, and returns the depth of the deepest box.
func draw(b *bytes.Buffer, f *frame, total int64, x float64, depth int) int {
	w := float64(f.value) / float64(total) * width
	if w < minWidth {
		return depth
	}
	share := 100 * float64(f.value) / float64(total)
	y := (depth + 1) * rowHeight
	fmt.Fprintf(b, `<g><title>%s: %.1f %%</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="hsl(%d,80%%,75%%)" stroke="#ffffff"/>`, html.EscapeString(f.name), share, x, y, w, rowHeight-1, hue(f.name))
	if room := int(w/charWidth) - 1; room > 2 {
		text := path.Base(f.name)
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`, x+3, y+12, html.EscapeString(text[:min(room, len(text))]))
	}
	b.WriteString("</g>\n")
	deepest := depth
	for _, c := range slices.SortedFunc(maps.Values(f.children), func(a, b *frame) int {
		return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.name, b.name))
	}) {
		deepest = max(deepest, draw(b, c, total, x, depth+1))
		x += float64(c.value) / float64(total) * width
	}
	return deepest
}

// hue returns the colour of a function, the same in each graph.
func hue(name string) int {
	sum := 0
	for _, c := range name {
		sum = sum*31 + int(c)
		sum %= 360
	}
	return sum
}
