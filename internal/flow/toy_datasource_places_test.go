package flow_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/flows"
	"azbackupflow/internal/arm"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

const demoToy = demoGroups + "toys/providers/Microsoft.Toys/boxes/box1"

// A new datasource needs one entry in the table and one file per flow: its steps,
// schema and documentation follow, and its requests have the entry's fields.
func TestToyDatasource_NeedsOneEntryAndOneFile(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answer: func(r *http.Request) reply {
		if strings.Contains(r.URL.Path, "/backupPolicies/") {
			return reply{status: http.StatusOK, body: object{"id": demoBackupVault + "/backupPolicies/daily", "name": "daily", "properties": object{
				"datasourceTypes": []string{"Microsoft.Toys/boxes"},
			}}}
		}
		return reply{status: http.StatusAccepted, header: http.Header{"Azure-Asyncoperation": {"https://management.azure.com/status"}}}
	}}
	client, err := arm.New(arm.Config{Credential: credential(func() string { return "token" }), Transport: azure, Now: morning})
	require.NoError(t, err)
	definitions, err := flow.ToyFlows(flow.Config{ARM: client, Now: morning})
	require.NoError(t, err)
	toy := definitions[0]

	documents, err := schema.Documents(flows.Schemas(definitions))
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	page, err := flows.Page(definitions)
	require.NoError(t, err)
	require.Contains(t, page, "| the vault's | Toy Backup Reader | the datasource |")
	postgres, _ := registry(t, morning()).Newest("protect-postgres")
	require.Equal(t, strings.Split(stepLines(postgres), "\n"), strings.Split(stepLines(toy.Flow), "\n"), "the steps of every datasource")

	raw, err := json.Marshal(object{"vaultId": demoBackupVault, "toyId": demoToy, "location": "westus", "policy": "daily"})
	require.NoError(t, err)
	normal, err := toy.Check(raw)
	require.NoError(t, err)
	op := operation.Operation{Identity: operation.Identity{Flow: toy.Name, Version: 1, Parameters: normal}}
	for _, name := range []string{"check-policy", "validate", "configure"} {
		s, ok := toy.Step(name)
		require.True(t, ok)
		op.Step = name
		out, err := s.Run(t.Context(), step.Call{Operation: op, Now: morning()})
		require.NoError(t, err)
		if len(out.Learned) > 0 {
			op.Learned = out.Learned
		}
	}
	put := azure.asked[len(azure.asked)-1]
	require.Equal(t, http.MethodPut, put.Method)
	require.Equal(t, "2025-07-01", put.URL.Query().Get("api-version"))
	var body struct{ Properties object }
	sent, err := put.GetBody()
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(sent).Decode(&body))
	for _, info := range []string{"dataSourceInfo", "dataSourceSetInfo"} {
		require.Equal(t, demoToy, at(t, body.Properties, info+".resourceID"))
		require.Equal(t, "Microsoft.Toys/boxes", at(t, body.Properties, info+".datasourceType"))
	}
}
