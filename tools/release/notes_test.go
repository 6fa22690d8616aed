// Package release tests the scripts of a release.
package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const changelog = `# Changelog

## [Unreleased]

- later

## [1.2.0] - 2027-01-02

### Added

- one

## [1.1.0] - 2027-01-01

- old

[1.2.0]: https://example.com
`

func notes(t *testing.T, version string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "CHANGELOG.md")
	require.NoError(t, os.WriteFile(path, []byte(changelog), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", "notes.sh", version)
	cmd.Env = append(os.Environ(), "CHANGELOG="+path)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestNotes_AreTheSectionOfTheVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"1.2.0": "### Added\n\n- one\n", "1.1.0": "- old\n"} {
		got, err := notes(t, version)
		require.NoError(t, err, got)
		require.Equal(t, want, got)
	}
}

func TestNotes_FailWithoutASection(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.3.0", "1.2"} {
		got, err := notes(t, version)
		require.Error(t, err)
		require.Contains(t, got, `has no section "## [`+version+`]"`)
	}
}
