package openapi_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"azbackupflow/generate/openapi"
)

var update = flag.Bool("update", false, "write docs/openapi.json and docs/api-reference.md")

const docs = "../../docs"

func bundle(t *testing.T) []byte {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(docs, "openapi.yaml"))
	require.NoError(t, err)
	bundled, err := openapi.Bundle(document, func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(docs, file)) })
	require.NoError(t, err)
	return bundled
}

// compare compares a generated file with the code, or writes it.
func compare(t *testing.T, file string, generated []byte) {
	t.Helper()
	path := filepath.Join(docs, file)
	if *update {
		require.NoError(t, os.WriteFile(path, generated, 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(generated, written), "docs/%s is written by: go test ./generate/openapi -update", file)
}

func TestBundle_IsUpToDateAndComplete(t *testing.T) {
	t.Parallel()
	bundled := bundle(t)
	compare(t, "openapi.json", bundled)
	doc, err := openapi3.NewLoader().LoadFromData(bundled) // external references are not allowed
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	require.NotContains(t, string(bundled), ".schema.json\"")
	request := doc.Components.Schemas["Request"]
	require.NotNil(t, request)
	require.Contains(t, request.Value.Properties, "flow")
	require.Contains(t, doc.Components.Schemas, "Request.backup-now")
}

func TestReference_IsUpToDate(t *testing.T) {
	t.Parallel()
	page, err := openapi.Reference(bundle(t))
	require.NoError(t, err)
	compare(t, "api-reference.md", []byte(page))
	for _, want := range []string{"### POST /api/operations\n", "### GET /api/bulks/{key}\n", "### Operation\n", "| `created` | boolean, always |"} {
		require.Contains(t, page, want)
	}
}

func TestBundle_ReportsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	none := func(string) ([]byte, error) { return nil, errors.New("no such file") }
	for document, want := range map[string]string{
		"\t":             "read the document",
		"{}":             "no components",
		"components: {}": "no schemas",
		"{components: {schemas: {A: {$ref: schemas/x.json}}}}": "read schemas/x.json: no such file",
	} {
		_, err := openapi.Bundle([]byte(document), none)
		require.ErrorContains(t, err, want)
	}
}
