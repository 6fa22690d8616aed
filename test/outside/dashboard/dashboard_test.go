// Package dashboard_test drives the dashboard in a real browser, against the local
// stack with the deployed program.
package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/client"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/packaging"
)

var update = flag.Bool("update", false, "write docs/dashboard/*.png")

// maxWait is the maximum time to wait for a condition.
const maxWait = 8 * time.Minute

// site is a local stack with its dashboard.
type site struct {
	t      *testing.T
	client *client.Client
	url    string
	// bus is the connection string of the broker.
	bus string
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// newSite starts the stack and the dashboard.
func newSite(t *testing.T, flows []dashboard.Flow) *site {
	t.Helper()
	dir := t.TempDir()
	_, err := packaging.Build(t.Context(), packaging.Config{
		Root: "../../..", Folder: filepath.Join(dir, "dist"), Archive: filepath.Join(dir, "dist.zip"), Version: "browser",
	})
	require.NoError(t, err)
	require.NoError(t, declare(filepath.Join(dir, "dist")))
	local, err := stack.New(t.Context(), stack.Config{Dist: filepath.Join(dir, "dist"), SpeedFactor: 60, Drills: true, Settings: localstack.Guardrails()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	s := &site{t: t, bus: local.Broker.ConnectionString()}
	s.client, err = client.New(client.Config{URL: local.URL(), Now: time.Now, Sleep: sleep})
	require.NoError(t, err)
	pages, err := dashboard.New(dashboard.Config{
		API: func(*http.Request) dashboard.API { return s.client }, Flows: flows, Name: "local stack",
		NewID: uuid.NewString, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// start starts an example.
func (s *site) start(file, key string) string {
	s.t.Helper()
	started, err := s.client.Start(s.t.Context(), s.request(file, key))
	require.NoError(s.t, err)
	return started.ID
}

// request returns the request of an example.
func (s *site) request(file, key string) api.Request {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", file+".json"))
	require.NoError(s.t, err)
	var r api.Request
	require.NoError(s.t, json.Unmarshal(raw, &r))
	r.Key = key
	return r
}

// browserPath returns the path of Chromium; empty if there is none.
func browserPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func TestBrowser_ShowsAndChangesOperations(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a browser and the local stack")
	}
	chromium := browserPath()
	if chromium == "" {
		t.Skip("needs a browser: apt-get install chromium")
	}
	for _, needed := range []string{"node_modules", "../../../internal/local/azurite/node_modules"} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip("needs packages of npm: make deps")
		}
	}
	definitions, err := flow.Definitions(flow.Config{Now: time.Now})
	require.NoError(t, err)
	flows, err := dashboard.Flows(definitions)
	require.NoError(t, err)
	var names []string
	for _, f := range flows {
		names = append(names, f.Name)
	}
	s := newSite(t, flows)
	ended, rejected := s.populate(), s.reject()
	protected, err := s.client.Get(t.Context(), ended)
	require.NoError(t, err)
	vault := protected.Vault
	job, err := json.Marshal(map[string]any{
		"url": s.url, "chromium": chromium, "api": s.client.URL() + "/api", "ended": ended, "flows": names, "vault": vault, "resource": shareOf(t, s.request("protect-file-share", "")),
		"rejected": rejected, "corrected": s.request("backup-now-vm", "corrected"), "watched": s.request("backup-now-vm", "watched"), "changed": s.request("backup-now-sql", "changed"), "screenshots": screenshots(t),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	var output bytes.Buffer
	script := exec.CommandContext(ctx, "node", "pages.mjs", string(job))
	script.Stdout, script.Stderr = &output, &output
	require.NoError(t, script.Run(), "%s", &output)
	t.Log(output.String())
}

// shareOf returns the resource ID of the file share that a request protects.
func shareOf(t *testing.T, r api.Request) string {
	t.Helper()
	var p struct{ StorageAccountID, FileShare string }
	require.NoError(t, json.Unmarshal(r.Parameters, &p))
	return p.StorageAccountID + "/fileServices/default/shares/" + p.FileShare
}

// screenshots returns the folder for screenshots; empty if none are wanted.
func screenshots(t *testing.T) string {
	t.Helper()
	if !*update {
		return ""
	}
	folder, err := filepath.Abs(filepath.Join("..", "..", "..", "docs", "dashboard"))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(folder, 0o750))
	return folder
}

// TestHtmx_IsTheFileOfThePackage holds the embedded script to the package that
// package-lock.json pins.
func TestHtmx_IsTheFileOfThePackage(t *testing.T) {
	t.Parallel()
	published, err := os.ReadFile(filepath.Join("node_modules", "htmx.org", "dist", "htmx.min.js"))
	if err != nil {
		t.Skip("needs packages of npm: make deps")
	}
	embedded, err := os.ReadFile(filepath.Join("..", "..", "..", "internal", "dashboard", "assets", "htmx.min.js"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(published, embedded), "copy node_modules/htmx.org/dist/htmx.min.js to internal/dashboard/assets")
}
