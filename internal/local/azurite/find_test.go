package azurite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/azurite"
)

// These tests set the environment and the working directory, which all tests of
// the process share. They cannot run in parallel with other tests.

func TestFind_ErrorNamesTheRemedy(t *testing.T) {
	t.Setenv(azurite.PathVariable, "")
	t.Chdir(t.TempDir())
	_, err := azurite.New(t.Context(), azurite.Config{})
	require.ErrorIs(t, err, azurite.ErrNotInstalled)
	require.ErrorContains(t, err, "make deps")
}

func TestFind_ErrorNamesAnInvalidPath(t *testing.T) { //nolint:paralleltest // It sets the environment, in a loop that the linter does not look into.
	for _, wrong := range []string{t.TempDir(), filepath.Join(t.TempDir(), "azurite-table")} {
		t.Setenv(azurite.PathVariable, wrong)
		_, err := azurite.New(t.Context(), azurite.Config{})
		require.ErrorIs(t, err, azurite.ErrNotInstalled)
		require.ErrorContains(t, err, wrong)
	}
}

func TestFind_AcceptsProgramLinkAndFolder(t *testing.T) {
	home, err := filepath.Abs("node_modules/azurite")
	require.NoError(t, err)
	if _, err := os.Stat(home); err != nil {
		t.Skip("azurite is not installed here")
	}
	link := filepath.Join(t.TempDir(), "azurite-table")
	program := filepath.Join(home, "dist", "src", "table", "main.js")
	require.NoError(t, os.Symlink(program, link))
	t.Chdir(t.TempDir())
	for _, named := range []string{home, program, link} {
		t.Setenv(azurite.PathVariable, named)
		s, err := azurite.New(t.Context(), azurite.Config{})
		require.NoError(t, err, named)
		require.NoError(t, s.Stop(), named)
	}
}
