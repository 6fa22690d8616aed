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
)

// mention matches a command at the start of code: its flags, its name, and the word
// after it.
var mention = regexp.MustCompile(`^[\s$]*(?:bin/)?azbackupflow(?: +-{1,2}[a-z-]+(?:[ =][A-Z]+)?)* +([a-z]+)(?: +([a-z]+))?`)

// code returns the pieces of code in a text: what is between backticks, the lines of
// code blocks, and the lines of a script.
func code(path, text string) (pieces []string) {
	inBlock := strings.HasSuffix(path, ".sh")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inBlock = !inBlock
			continue
		}
		if inBlock {
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
