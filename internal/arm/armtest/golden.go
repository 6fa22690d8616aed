package armtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Golden compares a request with testdata/<name>.json, or rewrites that file.
func Golden(t testing.TB, name string, got Request, update bool) {
	t.Helper()
	file := goldenFile(name)
	raw := encode(t, got)
	if update {
		require.NoError(t, os.WriteFile(file, raw, 0o600))
	}
	want, err := os.ReadFile(filepath.Clean(file))
	require.NoError(t, err)
	require.Equal(t, string(want), string(raw))
}

// ReadGolden reads testdata/<name>.json.
func ReadGolden(t testing.TB, name string) Request {
	t.Helper()
	raw, err := os.ReadFile(goldenFile(name))
	require.NoError(t, err)
	var g Request
	require.NoError(t, json.Unmarshal(raw, &g))
	return g
}

func goldenFile(name string) string { return filepath.Join("testdata", filepath.Base(name)+".json") }

func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(v))
	return b.Bytes()
}
