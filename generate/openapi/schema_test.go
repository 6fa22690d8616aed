package openapi_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/docs/schemas"
	"azbackupflow/generate/openapi"
	"azbackupflow/internal/api"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/readiness/readinesstest"
	"azbackupflow/internal/readiness/scan"
)

func TestSchema_OfTheReadinessReportIsUpToDate(t *testing.T) {
	t.Parallel()
	schema, err := openapi.Schema(bundle(t), "Readiness", "urn:azbackupflow:schema:readiness:v1", "azbackupflow readiness report, version 1")
	require.NoError(t, err)
	compare(t, filepath.Join("schemas", "readiness.v1.schema.json"), schema)
	_, err = openapi.Schema(bundle(t), "Nothing", "id", "title")
	require.EqualError(t, err, "the document has no schema Nothing")
	_, err = openapi.Schema([]byte(`{"components":{"schemas":{"A":{"$ref":"#/components/schemas/B"}}}}`), "A", "id", "title")
	require.EqualError(t, err, "the document has no schema B")
	_, err = openapi.Schema([]byte("x"), "A", "id", "title")
	require.Error(t, err)
}

// The published schema accepts the report, and finds a property that it does not
// have.
func TestSchema_AcceptsTheReadinessReport(t *testing.T) {
	t.Parallel()
	compiled, err := declaration.Compile(schemas.Readiness())
	require.NoError(t, err)
	now := func() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }
	fake := &readinesstest.Fake{Now: now}
	fake.Fail(api.ReadinessProblem{Part: "vault", Subject: "/v", Code: "AuthorizationFailed", Message: "no access", RecommendedAction: []string{"Assign the role."}})
	report, err := fake.Report(t.Context(), scan.Request{Tag: "env", MaxProofAge: time.Hour, MaxPointAge: time.Hour})
	require.NoError(t, err)
	report.Objectives = api.ReadinessObjectives{MaxPointAge: "PT1H", MaxProofAge: "PT1H"}
	problems := func(change func(map[string]any)) int {
		t.Helper()
		raw, err := json.Marshal(report)
		require.NoError(t, err)
		var document map[string]any
		require.NoError(t, json.Unmarshal(raw, &document))
		change(document)
		raw, err = json.Marshal(document)
		require.NoError(t, err)
		parsed, err := declaration.Parse("report.json", raw)
		require.NoError(t, err)
		return len(compiled.Validate(parsed))
	}
	require.Zero(t, problems(func(map[string]any) {}))
	for name, change := range map[string]func(map[string]any){
		"another property": func(d map[string]any) { d["colour"] = "red" },
		"another version":  func(d map[string]any) { d["version"] = 2 },
		"no scan":          func(d map[string]any) { delete(d, "scan") },
		"another state": func(d map[string]any) {
			items, ok := d["items"].([]any)
			require.True(t, ok)
			item, ok := items[0].(map[string]any)
			require.True(t, ok)
			item["state"] = "Good"
		},
	} {
		require.Positive(t, problems(change), name)
	}
}
