package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCheckLinks_ReportsBrokenLinksAndMissingTargets(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Makefile", "GO := go\ndemo: build ## Show\nbuild:\n")
	write("docs/other.md", "# Two words, really?\n\n## Same\n\n## Same\n\n```\n# no heading\n```\n")
	write("node_modules/x/README.md", "[gone](gone.md)")
	write("README.md", ""+
		"[ok](docs/other.md) [ok](docs/other.md#two-words-really) [ok](docs/other.md#same-1) [here](#top)\n"+ // #top is missing
		"# A `code` title\n"+
		"[ok](#a-code-title) [out](https://example.com/x) [mail](mailto:a@example.com) ![img](gone.png)\n"+
		"Run `make demo`, make sure that it works, then `make party`.\n"+
		"```\nmake build\n$ make nothing\n[not a link](in-code.md)\n```\n"+
		"[no heading](docs/other.md#no-heading) `[not a link](in-code.md)`\n")

	got, err := checkLinks(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"README.md:1: the link #top names no heading",
		"README.md:3: the link gone.png leads nowhere",
		"README.md:4: the Makefile has no target party",
		"README.md:7: the Makefile has no target nothing",
		"README.md:10: the link docs/other.md#no-heading names no heading",
	}
	if !slices.Equal(want, got) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}
