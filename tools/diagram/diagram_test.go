package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPictures_MatchTheirSources(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../../docs/architecture/*.txt")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of pictures found: %v", err)
	}
	for _, source := range sources {
		want, err := draw(source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(strings.TrimSuffix(source, ".txt") + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		if want != string(got) {
			t.Errorf("the picture of %s is outdated; run make diagrams", source)
		}
	}
}

func TestParse_NamesTheLineOfAnError(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"\nbux a 0,0 1x1 room : A":                       `line 2: "bux a 0,0 1x1 room : A" is not a frame, a box or an edge`,
		"box a 0,0 1x1 room : A\nedge a.top -> b.left":   "line 2: a or b is not a box above this line",
		"box a 0,0 1x1 room : A\nbox a 0,1 1x1 room : A": "line 2: box a exists already; choose another name",
		"frame 0,1.1.1 1x1 : A":                          `line 1: position or size "1.1.1" is not a number`,
	} {
		if _, err := parse(source); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", source, err, want)
		}
	}
}

func TestDraw_EscapesText(t *testing.T) {
	t.Parallel()
	p, err := parse("box a 0,0 1x1 room : A < B / C & D\nbox b 2,0 1x1 store : E\nedge a.right -> b.left : F")
	if err != nil {
		t.Fatal(err)
	}
	svg := p.svg()
	for _, want := range []string{">A &lt; B<", ">C &amp; D<", `class="edge" d="M172 54L370 54"`, ">F<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("want %q in\n%s", want, svg)
		}
	}
}
