package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const goodRecord = "# 7. Do this\n\nStatus: accepted\\\nDate: 2026-11-29\n\n## Context\n\n## Decision\n\n## Consequences\n"

func TestRecords_HaveOneShapeAndAList(t *testing.T) {
	t.Parallel()
	row := "| [7](0007-this.md) | Do this | 2026-11-29 |\n"
	for name, c := range map[string]struct{ record, index, want string }{
		"good":          {goodRecord, row, ""},
		"not listed":    {goodRecord, "", "docs/adr/README.md: the list lacks " + strings.TrimSpace(row)},
		"wrong number":  {strings.Replace(goodRecord, "7.", "8.", 1), row, `docs/adr/0007-this.md: the first line must be "# 7. Title"`},
		"no status":     {strings.Replace(goodRecord, "Status", "State", 1), row, `docs/adr/0007-this.md: the third line must be "Status: accepted\" or "Status: replaced by ADR n\"`},
		"no date":       {strings.Replace(goodRecord, "2026-11-29", "today", 1), row, `docs/adr/0007-this.md: the fourth line must be "Date: YYYY-MM-DD"`},
		"other heading": {strings.Replace(goodRecord, "Context", "Why", 1), row, "docs/adr/0007-this.md: the headings must be ## Context, ## Decision, ## Consequences"},
		"a part lacks":  {strings.Replace(goodRecord, "## Decision\n", "", 1), row, "docs/adr/0007-this.md: the headings must be ## Context, ## Decision, ## Consequences"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			dir := filepath.Join(root, "docs", "adr")
			if err := os.MkdirAll(dir, 0o750); err != nil {
				t.Fatal(err)
			}
			for file, body := range map[string]string{"0007-this.md": c.record, "README.md": c.index} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(body), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := checkRecords(root)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			if !slices.Equal(want, got) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
