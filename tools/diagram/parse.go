package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// picture is a parsed text file.
type picture struct {
	frames, boxes []area
	edges         []edge
	byName        map[string]area
}

// area is a box or a frame, in grid cells.
type area struct {
	kind          string
	x, y          float64
	width, height float64
	text          []string
}

// edge is an arrow between two sides of boxes.
type edge struct {
	from, to         area
	fromSide, toSide string
	label            string
}

const number = `(-?[\d.]+)`

var (
	frameLine = regexp.MustCompile(`^frame ` + number + `,` + number + ` ` + number + `x` + number + ` : (.*)$`)
	boxLine   = regexp.MustCompile(`^box (\S+) ` + number + `,` + number + ` ` + number + `x` + number + ` (room|azure|store) : (.*)$`)
	edgeLine  = regexp.MustCompile(`^edge (\S+)\.(left|right|top|bottom) -> (\S+)\.(left|right|top|bottom)(?: : (.*))?$`)
)

// parse reads a text file. Errors name the line.
func parse(source string) (picture, error) {
	p := picture{byName: map[string]area{}}
	for i, line := range strings.Split(source, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.add(line); err != nil {
			return picture{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return p, nil
}

func (p *picture) add(line string) error {
	if m := frameLine.FindStringSubmatch(line); m != nil {
		a, err := newArea("frame", m[1:5], m[5])
		p.frames = append(p.frames, a)
		return err
	}
	if m := boxLine.FindStringSubmatch(line); m != nil {
		a, err := newArea(m[6], m[2:6], m[7])
		if _, exists := p.byName[m[1]]; exists {
			return fmt.Errorf("box %s exists already; choose another name", m[1])
		}
		p.boxes = append(p.boxes, a)
		p.byName[m[1]] = a
		return err
	}
	m := edgeLine.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%q is not a frame, a box or an edge", line)
	}
	from, okFrom := p.byName[m[1]]
	to, okTo := p.byName[m[3]]
	if !okFrom || !okTo {
		return fmt.Errorf("%s or %s is not a box above this line", m[1], m[3])
	}
	p.edges = append(p.edges, edge{from, to, m[2], m[4], m[5]})
	return nil
}

func newArea(kind string, numbers []string, text string) (area, error) {
	var n [4]float64
	for i, s := range numbers {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return area{}, fmt.Errorf("position or size %q is not a number", s)
		}
		n[i] = v
	}
	var lines []string
	for part := range strings.SplitSeq(text, " / ") {
		lines = append(lines, strings.TrimSpace(part))
	}
	return area{kind, n[0], n[1], n[2], n[3], lines}, nil
}
