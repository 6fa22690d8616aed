// Package examples holds requests to begin with; this test keeps them valid.
package examples

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
)

func TestEveryExampleIsAValidRequest(t *testing.T) {
	t.Parallel()
	flows, err := flow.New(flow.Config{Now: time.Now, Guardrails: flow.Guardrails{Delete: true, RestoreTargets: []string{
		"https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
		"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver",
	}}})
	require.NoError(t, err)
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	keys, shown := map[string]string{}, map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		r, err := request.Read(raw)
		require.NoError(t, err, file)
		f, ok := flows.Newest(r.Flow)
		require.True(t, ok, file)
		_, err = f.Check(r.Parameters)
		require.NoError(t, err, file)
		require.NotEmpty(t, r.Key, file)
		require.Empty(t, keys[r.Key], "%s has the key of another example", file)
		keys[r.Key] = file
		shown[r.Flow] = true
	}
	for _, name := range flows.Names() {
		require.True(t, shown[name], "%s has no example", name)
	}
}
