// Package schematest compiles the published JSON Schemas for tests.
package schematest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// Schemas holds the schemas below a folder by their $id.
type Schemas struct{ compiler *jsonschema.Compiler }

// Published compiles the schemas below docs/schemas, whose path is relative to
// the test. Formats are asserted.
func Published(t testing.TB, folder string) Schemas {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	found := 0
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		raw, err := os.ReadFile(path) //nolint:gosec // a file of the project
		require.NoError(t, err)
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		require.NoError(t, err, path)
		id, ok := document.(map[string]any)["$id"].(string)
		require.True(t, ok, "%s has no $id", path)
		require.NoError(t, c.AddResource(id, document))
		found++
		return nil
	}))
	require.NotZero(t, found, "no schemas in %s", folder)
	return Schemas{c}
}

// Get compiles the schema with the $id.
func (s Schemas) Get(t testing.TB, id string) *jsonschema.Schema {
	t.Helper()
	compiled, err := s.compiler.Compile(id)
	require.NoError(t, err)
	return compiled
}

// Validate checks JSON against a schema; text that is not JSON is an error too.
func Validate(s *jsonschema.Schema, raw []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s.Validate(v)
}
