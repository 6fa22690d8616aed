// Package openapi lints docs/openapi.yaml with Spectral, a linter of another
// author. The test skips itself where `make deps` has not installed it.
package openapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// lint runs the linter with its recommended rules on a document.
func lint(t *testing.T, document string) (findings string, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Node")
	}
	program := filepath.Join("node_modules", ".bin", "spectral")
	if _, err := os.Stat(program); err != nil {
		t.Skip("Spectral is not installed; run make deps")
	}
	out, err := exec.CommandContext(t.Context(), program, "lint", "--ruleset", ".spectral.yaml", "--fail-severity", "hint", document).CombinedOutput()
	return string(out), err
}

func TestLint_FindsNothing(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"openapi.yaml", "openapi.json"} {
		findings, err := lint(t, filepath.Join("..", "..", "..", "docs", document))
		require.NoError(t, err, findings)
	}
}

func TestLint_FindsMistakes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(file, []byte("openapi: 3.1.0\ninfo: { title: x, version: '1' }\npaths: { /a: { get: { responses: {} } } }\n"), 0o600))
	findings, err := lint(t, file)
	require.Error(t, err)
	require.Contains(t, findings, "operation-description")
}
