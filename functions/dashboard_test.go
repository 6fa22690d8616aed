package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/settings"
)

// dashboardSite serves the dashboard over an API that knows one caller.
func dashboardSite(t *testing.T, environment map[string]string) string {
	t.Helper()
	s, err := settings.Read(environment)
	require.NoError(t, err)
	b := &base{
		settings: s, timing: newTiming(1), log: slog.New(slog.DiscardHandler),
		world: world{now: time.Now, newID: uuid.NewString, sleep: func(context.Context, time.Duration) error { return nil }},
	}
	known := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Ms-Client-Principal") != "reader" {
			w.Header().Set("Content-Type", api.ContentTypeProblem)
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(api.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "caller lacks the app role Operations.Read"})
			return
		}
		switch r.URL.Path {
		case "/api/operations":
			_ = json.NewEncoder(w).Encode(api.OperationPage{Operations: []api.Operation{{ID: "op-of-the-api", Status: api.Running}}})
		default:
			_, _ = w.Write([]byte(`{}`))
		}
	})
	server := httptest.NewServer(withDashboard(b, known))
	t.Cleanup(server.Close)
	return server.URL
}

func fetch(t *testing.T, url, principal string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if principal != "" {
		req.Header.Set("X-Ms-Client-Principal", principal)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestDashboard_IsServedToSignedInCallersOnly(t *testing.T) {
	t.Parallel()
	const name, roles, on = "AZBACKUPFLOW_DASHBOARD", "AZBACKUPFLOW_API_ROLES", "WEBSITE_AUTH_ENABLED"
	for title, test := range map[string]struct {
		environment map[string]string
		status      int
		says        string
	}{
		"off":                            {map[string]string{roles: "true", on: "true"}, http.StatusNotFound, "Set AZBACKUPFLOW_DASHBOARD to true"},
		"without roles":                  {map[string]string{name: "true", on: "true"}, http.StatusNotFound, "set AZBACKUPFLOW_API_ROLES to true"},
		"without authentication":         {map[string]string{name: "true", roles: "true", on: "false"}, http.StatusServiceUnavailable, "App Service authentication is off"},
		"with an unknown authentication": {map[string]string{name: "true", roles: "true"}, http.StatusServiceUnavailable, "WEBSITE_AUTH_ENABLED is not set"},
	} {
		status, body := fetch(t, dashboardSite(t, test.environment)+"/api/dashboard/operations", "reader")
		require.Equal(t, test.status, status, title)
		require.Contains(t, body, test.says, title)
	}

	url := dashboardSite(t, map[string]string{name: "true", roles: "true", on: "true"})
	status, body := fetch(t, url+"/api/dashboard", "reader")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "op-of-the-api", "the first page is that of the operations")
	status, body = fetch(t, url+"/api/dashboard/operations", "")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "caller lacks the app role Operations.Read")
	require.NotContains(t, body, "op-of-the-api")
	status, body = fetch(t, url+"/api/operations", "reader")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"op-of-the-api"`, "the API is where it was")
	status, _ = fetch(t, url+"/api/dashboardx", "reader")
	require.Equal(t, http.StatusOK, status, "another path of the API")
}
