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
	azure := flow.New(nil, time.Now)
	azure.Permit = flow.Permit{Delete: true, RestoreTargets: []string{
		"https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
		"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver",
	}}
	book, err := azure.Book()
	require.NoError(t, err)
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	keys, flows := map[string]string{}, map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		r, err := request.Read(raw)
		require.NoError(t, err, file)
		f, ok := book.Newest(r.Flow)
		require.True(t, ok, file)
		_, err = f.Check(r.Parameters)
		require.NoError(t, err, file)
		require.NotEmpty(t, r.Key, file)
		require.Empty(t, keys[r.Key], "%s has the key of another example", file)
		keys[r.Key] = file
		flows[r.Flow] = true
	}
	for _, name := range book.Names() {
		require.True(t, flows[name], "%s has no example", name)
	}
}
