package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

var recordRelease = flag.String("record", "", "version to record in test/compat/testdata") // a flag of the test binary

// TestRelease_IsRecorded writes what this release stores and receives to
// test/compat/testdata, for later releases to read. It is run once for each release:
//
//	go test ./test/e2e -run TestRelease_IsRecorded -record 1.2.0
func TestRelease_IsRecorded(t *testing.T) {
	t.Parallel()
	if *recordRelease == "" {
		t.Skip("records a release with -record VERSION")
	}
	values := withoutSweep()
	maps.Copy(values, map[string]string{
		"AZBACKUPFLOW_ALLOW_DELETE":    "true",
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(flow.ExampleGuardrails().RestoreTargets, ","),
	})
	l := startInTurn(t, stack.Config{SpeedFactor: 100, Settings: values})
	service, err := aztables.NewServiceClientFromConnectionString(l.Tables.ConnectionString(), state.ClientOptions())
	require.NoError(t, err)
	r := &recorder{local: l, table: service.NewClient("operations"), rows: map[string]json.RawMessage{}}

	for _, file := range []string{
		"protect-file-share", "backup-now-file-share", "backup-now-vm", "backup-now-sql", "protect-postgres", "backup-now-postgres",
		"restore-postgres-database", "restore-postgres-files", "stop-protection", "resume-protection", "delete-protection",
	} {
		r.watch(l.begin(example(t, file)))
	}
	failing := example(t, "protect-file-share")
	parameters, ok := failing["parameters"].(map[string]any)
	require.True(t, ok)
	parameters["policy"] = "none"
	r.watch(l.begin(failing))
	canceled := l.begin(example(t, "backup-now-vm"))
	l.call(http.MethodDelete, "/operations/"+canceled, nil, nil)
	r.watch(canceled)
	r.write(filepath.Join("..", "compat", "testdata", *recordRelease))
}

// recorder keeps one row for each flow, step and status that it sees.
type recorder struct {
	*local
	table *aztables.Client
	rows  map[string]json.RawMessage
	// wakeups are messages of the queue steps, in the order of rows.
	wakeups []operation.Wakeup
}

// watch records the row of an operation until it has ended.
func (r *recorder) watch(id string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		pages := r.table.NewListEntitiesPager(&aztables.ListEntitiesOptions{})
		for pages.More() {
			page, err := pages.NextPage(r.t.Context())
			if err != nil {
				return false
			}
			for _, text := range page.Entities {
				r.keep(text)
			}
		}
		v, ok := r.get(id)
		return ok && v.Status.Terminal()
	}, maxWait, 5*time.Millisecond, "operation %s does not end", id)
}

func (r *recorder) keep(text []byte) {
	var row struct {
		RowKey, Flow, Step, Status, Operation string
		ID                                    string `json:"id"`
	}
	require.NoError(r.t, json.Unmarshal(text, &row))
	if row.RowKey != "operation" {
		return
	}
	name := fmt.Sprintf("%s %s %s", row.Flow, row.Step, row.Status)
	if _, seen := r.rows[name]; seen {
		return
	}
	op, err := state.Decode([]byte(row.Operation))
	require.NoError(r.t, err)
	r.rows[name] = json.RawMessage(row.Operation)
	r.wakeups = append(r.wakeups, operation.Wakeup{OperationID: op.ID, Seq: op.Seq, TraceParent: op.TraceParent})
}

// write writes the files of the release.
func (r *recorder) write(folder string) {
	r.t.Helper()
	require.Greater(r.t, len(r.rows), 40, "rows of most steps")
	require.NoError(r.t, os.MkdirAll(folder, 0o750))
	var rows, wakeups, requests, names bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(r.rows)) {
		rows.Write(append(r.rows[name], '\n'))
	}
	for _, w := range r.wakeups {
		raw, err := json.Marshal(w)
		require.NoError(r.t, err)
		wakeups.Write(append(raw, '\n'))
	}
	files, err := filepath.Glob("../../examples/*.json")
	require.NoError(r.t, err)
	bulks, err := filepath.Glob("../../examples/bulk/*.json")
	require.NoError(r.t, err)
	for _, file := range append(files, bulks...) {
		raw, err := os.ReadFile(file)
		require.NoError(r.t, err)
		require.NoError(r.t, json.Compact(&requests, raw))
		requests.WriteByte('\n')
	}
	for _, row := range settings.Table() {
		names.WriteString(row.Name + "\n")
	}
	for name, content := range map[string][]byte{
		"operations.jsonl": rows.Bytes(), "wakeups.jsonl": wakeups.Bytes(), "requests.jsonl": requests.Bytes(), "settings.txt": names.Bytes(),
	} {
		require.NoError(r.t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
}
