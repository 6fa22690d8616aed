// Package az_test runs the backup commands of the Azure CLI against the
// simulator of Azure Resource Manager.
package az_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const (
	// speedFactor divides the durations of the simulator and the pauses of az.
	speedFactor = 100
	tenantID    = "22222222-2222-2222-2222-222222222222"
	clientID    = "33333333-3333-3333-3333-333333333333"
	secret      = "a-secret-of-the-test"
	// maxCommand is the maximum duration of one command. Only a failing test waits
	// this long.
	maxCommand = 2 * time.Minute
)

// cloud is a simulated Azure cloud that az has signed in to.
type cloud struct {
	t   *testing.T
	sim *armsim.Simulator
	env []string
}

// newCloud starts a simulator of the world behind TLS, registers it with az as a
// cloud, and signs in as a service principal. It skips the test where az is not
// installed.
func newCloud(t *testing.T, world armsim.World) *cloud {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a minute: az starts Python for each command")
	}
	if _, err := exec.LookPath("az"); err != nil {
		t.Skip("az is not installed: apt-get install azure-cli")
	}
	sim, err := armsim.New(armsim.Config{SpeedFactor: speedFactor, World: &world, PageSize: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	c := &cloud{t: t, sim: sim}
	server := httptest.NewTLSServer(c.handler())
	t.Cleanup(server.Close)
	c.setEnvironment(server)
	c.az("cloud", "register", "--name", "simulated", "--endpoint-resource-manager", server.URL,
		// az treats an authority with this path as AD FS, which needs no discovery at
		// Microsoft's servers.
		"--endpoint-active-directory", server.URL+"/adfs",
		"--endpoint-active-directory-resource-id", "https://management.azure.com/",
		"--endpoint-active-directory-graph-resource-id", "https://graph.windows.net/")
	c.az("cloud", "set", "--name", "simulated")
	signedIn := c.list("login", "--service-principal", "--tenant", tenantID, "--username", clientID, "--password", secret)
	require.Len(t, signedIn, 1)
	require.Equal(t, armsim.DemoSubscription, at(signedIn[0], "id"))
	return c
}

// setEnvironment sets an empty configuration for az, the certificate of the
// server, and shorter pauses between polls.
func (c *cloud) setEnvironment(server *httptest.Server) {
	c.t.Helper()
	dir := c.t.TempDir()
	certificate := filepath.Join(dir, "server.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(c.t, os.WriteFile(certificate, text, 0o600))
	// Python imports sitecustomize at its start. Azure's pauses are 5 and 30 s.
	pauses := "import time\nsleep = time.sleep\ntime.sleep = lambda seconds: sleep(seconds / " + strconv.Itoa(speedFactor) + ")\n"
	require.NoError(c.t, os.WriteFile(filepath.Join(dir, "sitecustomize.py"), []byte(pauses), 0o600))
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if upper := strings.ToUpper(name); !strings.HasPrefix(upper, "AZURE_") && !strings.HasSuffix(upper, "_PROXY") {
			c.env = append(c.env, variable)
		}
	}
	c.env = append(c.env, "AZURE_CONFIG_DIR="+filepath.Join(dir, "azure"), "AZURE_CORE_COLLECT_TELEMETRY=false",
		"REQUESTS_CA_BUNDLE="+certificate, "PYTHONPATH="+dir, "PYTHONWARNINGS=ignore")
}

// handler serves the sign-in and the list of subscriptions, and passes other
// requests to the simulator.
func (c *cloud) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /adfs/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		authority := "https://" + r.Host + "/adfs"
		answer(w, map[string]any{
			"issuer": authority, "authorization_endpoint": authority + "/oauth2/authorize", "token_endpoint": authority + "/oauth2/token",
		})
	})
	mux.HandleFunc("POST /adfs/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("client_id") != clientID || r.PostFormValue("client_secret") != secret ||
			r.PostFormValue("scope") != "https://management.azure.com//.default" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		answer(w, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": c.sim.Token()})
	})
	mux.HandleFunc("GET /subscriptions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"value": []any{map[string]any{
			"id": "/subscriptions/" + armsim.DemoSubscription, "subscriptionId": armsim.DemoSubscription,
			"displayName": "Simulated", "state": "Enabled",
		}}})
	})
	mux.Handle("/", c.proxy())
	return mux
}

// proxy passes requests to the simulator, and replaces the address of the
// simulator in its answers: az sends its token over TLS only.
func (c *cloud) proxy() http.Handler {
	target, err := url.Parse(c.sim.Endpoint())
	require.NoError(c.t, err)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.Header.Del("Accept-Encoding") // the body of the answer is changed below
		},
		ModifyResponse: func(r *http.Response) error {
			public := "https://" + r.Request.Header.Get("X-Forwarded-Host")
			for _, values := range r.Header {
				for n, v := range values {
					values[n] = strings.Replace(v, c.sim.Endpoint(), public, 1)
				}
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			body = bytes.ReplaceAll(body, []byte(c.sim.Endpoint()), []byte(public))
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Header.Get("Content-Length") != "" {
				r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			}
			r.ContentLength = int64(len(body))
			return nil
		},
	}
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client may have disconnected
}

// try runs one command. It returns the standard output and error, and whether
// az succeeded.
func (c *cloud) try(args ...string) (output, message string, ok bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), maxCommand)
	defer cancel()
	cmd := exec.CommandContext(ctx, "az", append(args, "--output", "json")...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (ctx.Err() != nil || !errors.As(err, &exit)) {
		require.NoError(c.t, err, "az %s: %s", strings.Join(args, " "), &stderr)
	}
	return stdout.String(), stderr.String(), err == nil
}

// az runs a command that must succeed, and returns its output.
func (c *cloud) az(args ...string) string {
	c.t.Helper()
	output, message, ok := c.try(args...)
	require.True(c.t, ok, "az %s: %s", strings.Join(args, " "), message)
	return output
}

// object runs a command that prints an object.
func (c *cloud) object(args ...string) map[string]any {
	c.t.Helper()
	var v map[string]any
	output := c.az(args...)
	require.NoError(c.t, json.Unmarshal([]byte(output), &v), "az %s: %s", strings.Join(args, " "), output)
	return v
}

// list runs a command that prints a list.
func (c *cloud) list(args ...string) []any {
	c.t.Helper()
	var v []any
	output := c.az(args...)
	require.NoError(c.t, json.Unmarshal([]byte(output), &v), "az %s: %s", strings.Join(args, " "), output)
	return v
}

// at returns a value by its path, such as properties/status.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, "/") {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// each returns the values at a path of the entries of a list.
func each(list []any, path string) []any {
	values := []any{}
	for _, entry := range list {
		values = append(values, at(entry, path))
	}
	return values
}
