package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuotes_ReportLinesThatATemplateDoesNotHave(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, content := range map[string]string{
		"infra/a.bicep": "properties: {\n  httpsOnly: true\n}\n",
		"docs/policies.md": "| HTTPS | met | [a](../infra/a.bicep) `httpsOnly: true` | |\n" +
			"| keys | met | [a](../infra/a.bicep) `disableLocalAuth: true` | |\n" +
			"| network | met if chosen | [b](../infra/b.bicep) `x: y` | |\n" +
			"| tags | met | | |\n| backups | left out | | none |\n",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	complaints, err := checkQuotes(root)
	require.NoError(t, err)
	require.Equal(t, []string{
		`docs/policies.md:2: ../infra/a.bicep does not contain "disableLocalAuth: true"; is the rule still met?`,
		"docs/policies.md:3: ../infra/b.bicep cannot be read",
		"docs/policies.md:4: a rule that is met names no line of a template",
	}, complaints)
	none, err := checkQuotes(t.TempDir())
	require.NoError(t, err)
	require.Empty(t, none)
}
