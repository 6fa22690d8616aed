package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"
)

// mention matches a command at the start of code: its flags, its name, and the word
// after it.
var mention = regexp.MustCompile(`^[\s$]*(?:bin/)?azbackupflow(?: +-{1,2}[a-z-]+(?:[ =][A-Z]+)?)* +([a-z][a-z-]*)(?: +([a-z]+))?`)

// code returns the pieces of code in a text: what is between backticks, the lines of
// code blocks, and the lines of a script. A block of the language text is output.
func code(path, text string) (pieces []string) {
	inBlock, inOutput := strings.HasSuffix(path, ".sh"), false
	for line := range strings.Lines(text) {
		if fence := strings.TrimSpace(line); strings.HasPrefix(fence, "```") {
			inBlock, inOutput = !inBlock, strings.HasPrefix(fence, "```text")
			continue
		}
		switch {
		case inOutput:
			continue
		case inBlock:
			pieces = append(pieces, line)
			continue
		}
		for i, part := range strings.Split(line, "`") {
			if i%2 == 1 {
				pieces = append(pieces, part)
			}
		}
	}
	return pieces
}

func TestDocuments_NameCommandsThatExist(t *testing.T) {
	t.Parallel()
	parser := grammar(t)
	count := 0
	for _, root := range []string{"docs", "infra", "examples", "README.md", "CONTRIBUTING.md", "SECURITY.md", "schedules.yaml", "protection.yaml", "azure.yaml"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".md", ".json", ".bicep", ".yaml", ".yml", ".sh"}, filepath.Ext(path)) {
				return err
			}
			raw, err := os.ReadFile(path)
			for _, piece := range code(path, string(raw)) {
				found := mention.FindStringSubmatch(piece)
				if found == nil {
					continue
				}
				count++
				node := child(parser.Model.Node, found[1])
				require.NotNil(t, node, "%s names %q, which is not a command", path, strings.TrimSpace(piece))
				if found[2] != "" && len(node.Children) > 0 {
					require.NotNil(t, child(node, found[2]), "%s names %q, which is not a command", path, strings.TrimSpace(piece))
				}
			}
			return err
		}))
	}
	require.Greater(t, count, 30, "the pattern finds the commands")
}

func child(node *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == name || slices.Contains(c.Aliases, name) })
	if i < 0 {
		return nil
	}
	return node.Children[i]
}

// TestDocuments_CommandLinesAreValid parses every command of the pages, with its
// flags, also those that only run in Azure.
func TestDocuments_CommandLinesAreValid(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/how-to/*.md")
	require.NoError(t, err)
	reference, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	pages = append(pages, reference...)
	count := 0
	fence := regexp.MustCompile("(?ms)^```sh[^\n]*\n(.*?)^```$")
	for _, page := range append(pages, "../../README.md") {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, block := range fence.FindAllStringSubmatch(string(raw), -1) {
			for _, args := range commandLines(t, page, strings.ReplaceAll(block[1], "<TAB>", "x")) {
				count++
				if args[0] == "--version" {
					continue // it ends the program
				}
				_, err := grammar(t).Parse(args)
				require.NoError(t, err, "%s: azbackupflow %s", page, strings.Join(args, " "))
			}
		}
	}
	require.Greater(t, count, 30, "the pages have commands")
}

// commandLines returns the arguments of each call of azbackupflow in a script. An
// expansion of the shell becomes the word x.
func commandLines(t *testing.T, page, script string) (calls [][]string) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), page)
	require.NoError(t, err)
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		var words []string
		for _, word := range call.Args {
			words = append(words, plainWord(word.Parts))
		}
		if filepath.Base(words[0]) == "azbackupflow" && len(words) > 1 {
			calls = append(calls, words[1:])
		}
		return true
	})
	return calls
}

func plainWord(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(p.Value)
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			b.WriteString(plainWord(p.Parts))
		default:
			b.WriteString("x")
		}
	}
	return b.String()
}
