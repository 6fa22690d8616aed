package stack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/azurite"
)

func TestLockFolder_RefusesASecondStack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	unlock, err := lockFolder(dir)
	require.NoError(t, err)
	_, err = lockFolder(dir)
	var used *FolderInUseError
	require.ErrorAs(t, err, &used)
	require.Equal(t, dir, used.Dir)
	require.NoError(t, unlock())
	unlock, err = lockFolder(dir)
	require.NoError(t, err, "the folder is free again")
	require.NoError(t, unlock())
	unlock, err = lockFolder("")
	require.NoError(t, err)
	require.NoError(t, unlock())
}

// emptyApp returns a folder with the layout of an app without a handler.
func emptyApp(t *testing.T) string {
	t.Helper()
	dist := t.TempDir()
	for name, text := range map[string]string{
		"host.json":         `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"},"enableForwardingHttpRequest":false}}`,
		"api/function.json": `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"},{"type":"http","direction":"out","name":"res"}]}`,
		"handler":           "",
	} {
		path := filepath.Join(dist, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	}
	return dist
}

func TestNoHost_ServesWhatTheRealHostNeeds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts Azurite")
	}
	dist := emptyApp(t)
	require.NoError(t, os.WriteFile(filepath.Join(dist, SettingsFile), []byte("old"), 0o644))
	dir := t.TempDir()
	s, err := New(t.Context(), Config{Dist: dist, Dir: dir, NoHost: true, Settings: map[string]string{"AZBACKUPFLOW_NOTICES": "notices"}})
	if errors.Is(err, azurite.ErrNotInstalled) {
		t.Skip("needs Azurite: make deps")
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = New(t.Context(), Config{Dist: dist, Dir: dir, NoHost: true})
	var used *FolderInUseError
	require.ErrorAs(t, err, &used)

	info, err := os.Stat(s.SettingsPath())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the file holds keys")
	raw, err := os.ReadFile(s.SettingsPath())
	require.NoError(t, err)
	var written localSettings
	require.NoError(t, json.Unmarshal(raw, &written))
	require.False(t, written.IsEncrypted)
	require.Equal(t, "custom", written.Values["FUNCTIONS_WORKER_RUNTIME"])
	require.Equal(t, "notices", written.Values["AZBACKUPFLOW_NOTICES"])
	require.Equal(t, s.Broker.ConnectionString(), written.Values["ServiceBusConnection"])
	require.Equal(t, s.ARM.Endpoint(), written.Values["AZBACKUPFLOW_ARM_ENDPOINT"])

	endpoints := regexp.MustCompile(`(Blob|Queue|Table)Endpoint=([^;]+);`).FindAllStringSubmatch(written.Values["AzureWebJobsStorage"], -1)
	require.Len(t, endpoints, 3)
	for _, e := range endpoints {
		require.Contains(t, serverOf(t, e[2]), "Azurite-"+e[1])
	}
	require.Len(t, s.Endpoints(), 3)
	require.Nil(t, s.Host())
}

// serverOf returns the name of the program that serves an address.
func serverOf(t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, address+"?comp=list", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.Header.Get("Server")
}
