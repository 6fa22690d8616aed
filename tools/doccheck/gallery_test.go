package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const galleryReadme = "# x\n\n![A picture](docs/a.svg)\n\n## Features\n\n## Getting Started\n\n### Prerequisites\n\n### Quickstart\n\n" +
	"```sh\nazd up\n```\n\n### Clean up\n\n```sh\nazd down\n```\n\n## Guidance\n\n### Regions\n\n### Costs\n\n### Security\n\n## Resources\n"

// gallery writes a repository that lacks nothing, except for the named paths.
func gallery(t *testing.T, readme string, without ...string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"README.md": readme, "LICENSE": "x", "SECURITY.md": "x", "CONTRIBUTING.md": "x", "CODE_OF_CONDUCT.md": "x",
		".github/ISSUE_TEMPLATE/bug.yml": "x", ".github/workflows/azure-dev.yml": "x",
		"azure.yaml": "name: x\nservices:\n  app: {}\n", "infra/main.bicep": "x", ".devcontainer/devcontainer.json": "{}",
	}
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	for _, name := range without {
		require.NoError(t, os.RemoveAll(filepath.Join(root, filepath.FromSlash(name))))
	}
	return root
}

func TestGallery_AcceptsARepositoryThatLacksNothing(t *testing.T) {
	t.Parallel()
	complaints, err := checkGallery(gallery(t, galleryReadme))
	require.NoError(t, err)
	require.Empty(t, complaints)
}

func TestGallery_ReportsEachMissingPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"LICENSE":                         "LICENSE or LICENSE.md",
		"SECURITY.md":                     "SECURITY.md",
		"CONTRIBUTING.md":                 "CONTRIBUTING.md",
		"CODE_OF_CONDUCT.md":              "CODE_OF_CONDUCT.md",
		".github/ISSUE_TEMPLATE":          "ISSUE_TEMPLATE.md or ISSUE_TEMPLATE",
		".github/workflows/azure-dev.yml": "azure-dev.yaml or",
		"azure.yaml":                      "azure.yaml or",
		"infra":                           "asks for infra",
		"infra/main.bicep":                "main.bicep",
		".devcontainer":                   "asks for .devcontainer",
		".devcontainer/devcontainer.json": "devcontainer.json",
	} {
		complaints, err := checkGallery(gallery(t, galleryReadme, path))
		require.NoError(t, err)
		require.Len(t, complaints, 1, path)
		require.Contains(t, complaints[0], want)
	}
}

func TestGallery_ReportsWhatReadmeLacks(t *testing.T) {
	t.Parallel()
	for removed, want := range map[string]string{
		"## Features\n":              `"## Features"`,
		"## Resources\n":             `"## Resources"`,
		"### Prerequisites\n":        `"### Prerequisites" is missing below "## Getting Started"`,
		"### Costs\n":                `"### Costs" is missing below "## Guidance"`,
		"![A picture](docs/a.svg)\n": "picture of the architecture",
		"azd up\n":                   `runs "azd up"`,
		"azd down\n":                 `runs "azd down"`,
	} {
		complaints := checkReadme(strings.Replace(galleryReadme, removed, "", 1))
		require.Len(t, complaints, 1, removed)
		require.Contains(t, complaints[0], want)
	}
	swapped := checkReadme("## Resources\n" + strings.Replace(galleryReadme, "## Resources\n", "", 1))
	require.Len(t, swapped, 1)
	require.Contains(t, swapped[0], `"## Resources" is too early`)
}
