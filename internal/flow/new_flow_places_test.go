package flow_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/flows"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
)

// withNewFlows returns the definitions of all flows, and those of
// new_flow_test.go.
func withNewFlows(t *testing.T, cfg flow.Config) []flow.Definition {
	t.Helper()
	definitions, err := flow.Definitions(cfg)
	require.NoError(t, err)
	added, err := flow.NewFlows(cfg)
	require.NoError(t, err)
	require.Len(t, added, 2)
	return append(definitions, added...)
}

// A flow that is declared in one file, and registered in one list, is in every
// place that lists flows.
func TestNewFlow_IsInEveryPlace(t *testing.T) {
	t.Parallel()
	all := withNewFlows(t, flow.Config{Now: morning})

	documents, err := schema.Documents(flows.Schemas(all))
	require.NoError(t, err)
	texts := map[string]string{}
	for _, d := range documents {
		texts[d.File] = string(d.JSON)
	}
	page, err := flows.Page(all)
	require.NoError(t, err)
	files, err := flows.ExampleFiles(all)
	require.NoError(t, err)
	roleTable, err := flows.RoleTable(all)
	require.NoError(t, err)
	plan, err := flows.PlanJSON(all)
	require.NoError(t, err)
	counted, err := flows.Counted(all)
	require.NoError(t, err)
	var costs []string
	for _, e := range counted {
		costs = append(costs, e.Definition.Name+": "+e.Cost)
	}
	for name, want := range map[string]struct{ steps, role, cost string }{
		"count-recovery-points": {"  count Read\n", roles.Read.Name(), "a database"},
		"backup-weekly": {
			"  read-instance Read\n  trigger Once\n  await-start Read\n  find-job Read\n  await-job Read\n",
			roles.Read.Name() + ", " + roles.Status.Name() + ", " + roles.Backup.Name(), "a server",
		},
	} {
		require.Contains(t, texts["parameters/"+name+".v1.schema.json"], `"backupInstanceId"`)
		require.Contains(t, texts["request.v1.schema.json"], `"#/$defs/`+name+`"`)
		require.Contains(t, page, "\n## "+name+"\n")
		require.Contains(t, section(page, name), "| `backupInstanceId` | required |")
		require.Contains(t, section(page, name), "```json request\n"+string(files[name+".json"])+"```")
		require.Contains(t, roleTable, "| `"+name+"` | "+want.role+" |")
		require.Contains(t, string(plan), `"`+name+`.json"`)
		require.Contains(t, costs, name+": "+want.cost)
		for _, d := range all {
			if d.Name != name {
				continue
			}
			require.Equal(t, want.steps, stepLines(d.Flow), "the golden steps")
			for _, s := range d.Steps {
				require.Contains(t, section(page, name), "| `"+s.Name+"` | "+s.Asks+" |")
			}
		}
	}
}

// The role of an API operation follows from the flows that call it.
func TestNewFlow_DecidesTheRoleOfItsCalls(t *testing.T) {
	t.Parallel()
	added, err := flow.NewFlows(flow.Config{Now: morning})
	require.NoError(t, err)
	granted, err := flows.Granted(added)
	require.NoError(t, err)
	require.Equal(t, roles.Backup, granted["BackupInstances_AdhocBackup"])
	require.Equal(t, roles.Read, granted["RecoveryPoints_List"])
	added[1].Role = roles.Delete
	granted, err = flows.Granted(added)
	require.NoError(t, err)
	require.Equal(t, roles.Delete, granted["BackupInstances_AdhocBackup"])
	require.Equal(t, roles.Read, granted["RecoveryPoints_List"], "reading is granted by the reader, whatever the flow")
	granted, err = flows.Granted(withNewFlows(t, flow.Config{Now: morning}))
	require.NoError(t, err)
	require.Equal(t, roles.Backup, granted["BackupInstances_AdhocBackup"], "the weakest role of the flows that call it")
}

func TestNewFlow_RunsAndDryRuns(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("protect-postgres", object{"vaultId": demoBackupVault, "serverId": demoServer, "location": "westus", "policy": "pgflexpol1"})

	count := r.begin("count-recovery-points", object{"backupInstanceId": demoInstance})
	require.Equal(t, operation.Succeeded, r.finish(count).Status, "%v", r.story(count))
	require.Contains(t, strings.Join(r.story(count), "\n"), "recovery points")

	weekly := object{"backupInstanceId": demoBackupVault + "/backupInstances/" + flow.InstanceName(demoServer)}
	raw, err := json.Marshal(weekly)
	require.NoError(t, err)
	before := len(sim.Jobs())
	dry, err := r.engine.DryRun(t.Context(), request.Request{Flow: "backup-weekly", Parameters: raw})
	require.NoError(t, err)
	require.Len(t, sim.Jobs(), before, "a dry run starts nothing")
	text, err := json.Marshal(dry)
	require.NoError(t, err)
	require.Contains(t, string(text), "/backup", "it shows the call that it did not make")

	require.NotEmpty(t, r.succeeds("backup-weekly", weekly).Learned["jobId"])
	require.Len(t, sim.Jobs(), before+1)
}

// docs/development.md shows the two flows as they are tested here.
func TestNewFlow_IsTheWorkedExample(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("new_flow_test.go")
	require.NoError(t, err)
	file := filepath.Join("..", "..", "docs", "development.md")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(raw)
	for _, name := range []string{"count-recovery-points", "backup-weekly"} {
		_, code, ok := strings.Cut(string(source), "// begin "+name+"\n\n")
		require.True(t, ok)
		code, _, ok = strings.Cut(code, "\n// end "+name+"\n")
		require.True(t, ok)
		before, rest, ok := strings.Cut(page, "<!-- generated "+name+": go test ./internal/flow -update -->\n")
		require.True(t, ok, "docs/development.md has no place for %s", name)
		_, after, ok := strings.Cut(rest, "<!-- end of generated "+name+" -->\n")
		require.True(t, ok)
		want := before + "<!-- generated " + name + ": go test ./internal/flow -update -->\n\n```go\n" + code + "```\n\n<!-- end of generated " + name + " -->\n" + after
		if *update {
			page = want
			continue
		}
		require.Equal(t, want, page, "run: go test ./internal/flow -update")
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	}
}
