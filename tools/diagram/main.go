// Command diagram draws the pictures of the documentation: for each text file
// that it is given, it writes an SVG file of the same name next to it.
//
//	diagram <file.txt>...
//
// A text file has one element per line:
//
//	frame 0,0 4x2 : Title                  a dashed frame on the grid
//	box NAME 0,0 2x1 KIND : Title / Text   a box; KIND is room, azure or store
//	edge NAME.right -> NAME.left : Label   an arrow between two sides
//	# comment
//
// Positions and sizes are in grid cells; a slash starts a new line of text. A
// size may have fractions, such as 1.5x1. There is no automatic layout.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: diagram <file.txt>...")
		os.Exit(2)
	}
	for _, source := range os.Args[1:] {
		if err := write(source); err != nil {
			fmt.Fprintln(os.Stderr, "diagram:", err)
			os.Exit(1)
		}
	}
}

func write(source string) error {
	svg, err := draw(source)
	if err != nil {
		return err
	}
	target := strings.TrimSuffix(source, ".txt") + ".svg"
	if err := os.WriteFile(target, []byte(svg), 0o644); err != nil { //nolint:gosec // a page of the repository, readable by all
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

// draw returns the SVG of the text file source.
func draw(source string) (string, error) {
	data, err := os.ReadFile(source)
	if err != nil {
		return "", fmt.Errorf("read the picture's source: %w", err)
	}
	p, err := parse(string(data))
	if err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	return p.svg(), nil
}
