package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each banned wording is put into each place where it is looked for; a checker
// that misses one of them fails here.
func TestProse_FindsEachWord(t *testing.T) {
	t.Parallel()
	for _, w := range words {
		for file, body := range mutants(w) {
			t.Run(w.example+" in "+file, func(t *testing.T) {
				t.Parallel()
				found := checkText(t, file, body, []word{w})
				if len(found) != 1 || !strings.Contains(found[0], w.instead) {
					t.Errorf("want one complaint with its replacement, got %q about:\n%s", found, body)
				}
			})
		}
	}
}

// mutants returns files that are clean except for the word's example.
func mutants(w word) map[string]string {
	switch w.place {
	case docVerb:
		return map[string]string{
			"func.go":   fmt.Sprintf("package x\n\n// Name %s\nfunc Name() {}\n", w.example),
			"method.go": fmt.Sprintf("package x\n\ntype T struct{}\n\n// Name %s\nfunc (T) Name() {}\n", w.example),
			"field.go":  fmt.Sprintf("package x\n\ntype T struct {\n\t// Name %s\n\tName int\n}\n", w.example),
			"var.go":    fmt.Sprintf("package x\n\nvar (\n\t// Name %s\n\tName int\n)\n", w.example),
		}
	case namePart, limitName:
		return map[string]string{
			"func.go":  fmt.Sprintf("package x\n\nfunc %s() {}\n", w.example),
			"const.go": fmt.Sprintf("package x\n\nconst %s = 1\n", w.example),
			"field.go": fmt.Sprintf("package x\n\ntype t struct{ %s int }\n", w.example),
			"local.go": fmt.Sprintf("package x\n\nfunc f() int {\n\t%s := 1\n\treturn %[1]s\n}\n", w.example),
		}
	default:
		wrapped := strings.ReplaceAll(w.example, " ", "\n// ")
		page := strings.ReplaceAll(w.example, " ", "\n")
		return map[string]string{
			"comment.go":     fmt.Sprintf("package x\n\n// %s\nvar a = 1\n", w.example),
			"wrapped.go":     fmt.Sprintf("package x\n\n/*\n%s\n*/\n\n// %s\n", "", wrapped),
			"string.go":      fmt.Sprintf("package x\n\nvar a = %q\n", w.example+" "),
			"joined.go":      fmt.Sprintf("package x\n\nvar a = %q +\n\t%q\n", w.example[:3], w.example[3:]+" "),
			"page.md":        fmt.Sprintf("# Title\n\n%s\n", page),
			"page.yaml":      fmt.Sprintf("a: 1\n# %s\n", w.example),
			"trailing.yaml":  fmt.Sprintf("a: 1 # %s\n", w.example),
			"page.json":      fmt.Sprintf("{\"description\": %q}\n", w.example),
			"page.bicep":     fmt.Sprintf("var a = 1\n// %s\n", w.example),
			"Makefile":       fmt.Sprintf("a: ## Help.\n# %s\n", w.example),
			"page.md.tmpl":   fmt.Sprintf("- %s\n", w.example),
			"launcher.js":    fmt.Sprintf("f();\n// %s\n", w.example),
			"hooks/hooks.sh": fmt.Sprintf("#!/bin/sh\n# %s\n", w.example),
		}
	}
}

func checkText(t *testing.T, file, body string, list []word) []string {
	t.Helper()
	root := t.TempDir()
	path := filepath.Join(root, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := checkProse([]string{root}, list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimPrefix(filepath.ToSlash(found[i]), filepath.ToSlash(root)+"/")
	}
	return found
}

func TestProse_NamesTheLine(t *testing.T) {
	t.Parallel()
	list := []word{{pattern: "bad word", instead: "better", example: "bad word"}}
	for file, body := range map[string]string{
		"a.go":   "package x\n\n// A is\n// a bad\n// word.\nvar A = 1\n",
		"a.md":   "# A\n\nis\na bad\nword\n",
		"a.yaml": "a: 1\nb: 2\n\n# bad word\n",
		"a.json": "{\n\n\n\"title\": \"a bad word\"}\n",
	} {
		want := []string{file + `:4: "bad word"; write better`}
		if got := checkText(t, file, body, list); !slices.Equal(want, got) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func TestProse_SkipsCodeAndQuotedText(t *testing.T) {
	t.Parallel()
	list := []word{{pattern: "bad word", instead: "better", example: "bad word"}}
	for file, body := range map[string]string{
		"quoted.go":                       "package x\n\n// Azure answers \"a bad word\" or `a bad word`.\nvar a = 1\n",
		"import.go":                       "package x\n\nimport _ \"bad word\"\n",
		"span.md":                         "Run `bad word`.\n\n```\nbad word\n```\n\n[link](bad word)\n",
		"testdata/recorded.json":          `{"description": "bad word"}`,
		"internal/local/armsim/answer.go": "package x\n\nvar a = \"bad word\"\n",
		"package-lock.json":               `{"description": "bad word"}`,
		"code.json":                       `{"enum": "bad word"}`,
		"binary.svg":                      "<text>bad word</text>",
		"tools/doccheck/words.go":         "package x\n\n// bad word\n",
		"node_modules/x/readme.md":        "bad word\n",
	} {
		if got := checkText(t, file, body, list); len(got) > 0 {
			t.Errorf("%s: got %q, want nothing", file, got)
		}
	}
}

func TestProse_AcceptsPlainEnglish(t *testing.T) {
	t.Parallel()
	for file, body := range map[string]string{
		"doc.go": "package x\n\n// Name returns the name. There is no default, and it is no longer than 80 bytes.\nfunc Name() {}\n",
		"dead.go": "package x\n\n// DeadLetter and ResourceGuard are terms: a Resource Guard, a dead letter.\n" +
			"var DeadLetter, ResourceGuard, most, dashboard, guarded, almostAll = 1, 1, 1, 1, 1, 1\n",
		"page.md": "## What it does\n\nIt does this.\n\n| What | Who |\n|---|---|\n| What it costs. | x |\n\nWhat does it cost? It gives 1.\n",
	} {
		if got := checkText(t, file, body, words); len(got) > 0 {
			t.Errorf("%s: got %q, want nothing", file, got)
		}
	}
}
