package signin_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/signin"
	"azbackupflow/internal/cli/signin/signintest"
)

// config returns a sign-in with the token of a workflow of GitHub Actions. change
// changes the environment; an empty value removes a variable.
func config(a *signintest.Authority, change map[string]string) signin.Config {
	set := a.Environment()
	for name, value := range change {
		set[name] = value
	}
	return signin.Config{
		Method: signin.WorkloadIdentity, Audience: signintest.Audience, Transport: a.HTTP, Now: time.Now,
		Lookup: func(name string) (string, bool) { v := set[name]; return v, v != "" },
	}
}

// signedIn signs in once.
func signedIn(t *testing.T, c signin.Config) (string, error) {
	t.Helper()
	token, err := signin.New(c)
	if err != nil {
		return "", err
	}
	return token(t.Context())
}

func TestWorkloadIdentity_ExchangesTheTokenOfAPipeline(t *testing.T) {
	t.Parallel()
	a := signintest.Start(t)
	assertion := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(assertion, []byte(signintest.Assertion), 0o600))
	for name, change := range map[string]map[string]string{
		"GitHub Actions": nil,
		"a token file":   {"ACTIONS_ID_TOKEN_REQUEST_URL": "", "AZURE_FEDERATED_TOKEN_FILE": assertion},
	} {
		token, err := signedIn(t, config(a, change))
		require.NoError(t, err, name)
		require.Equal(t, signintest.AccessToken, token, name)
	}

	token, err := signin.New(config(a, nil))
	require.NoError(t, err)
	before := a.Issued()
	for range 3 {
		_, err := token(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, before+1, a.Issued(), "the token is kept")
}

func TestSignIn_ExplainsFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change        map[string]string
		with          func(*signin.Config)
		reject        string
		problem, what string
	}{
		"no tenant":             {map[string]string{"AZURE_TENANT_ID": ""}, nil, "", "the tenant of the identity is unknown", "set AZURE_TENANT_ID"},
		"no client":             {map[string]string{"AZURE_CLIENT_ID": ""}, nil, "", "the client ID of the identity is unknown", "set AZURE_CLIENT_ID"},
		"no token to exchange":  {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, nil, "", "offers no token to exchange", "id-token: write"},
		"a wrong request token": {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}, nil, "", "responded with HTTP 401 and no token", "id-token: write"},
		"no token service":      {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "https://127.0.0.1:1/"}, nil, "", "token service of GitHub Actions cannot be reached", "id-token: write"},
		"another federation":    {nil, nil, "AADSTS700213", "rejected it with AADSTS700213", "compare the issuer, subject and audience"},
		"an unknown client":     {map[string]string{"AZURE_CLIENT_ID": "x"}, nil, "", "rejected it with AADSTS700016", "check --client-id"},
		"an unknown audience":   {nil, func(c *signin.Config) { c.Audience = "api://x" }, "", "rejected it with AADSTS500011", "check --audience"},
		"another code":          {nil, nil, "AADSTS123456", "rejected it with AADSTS123456", "https://login.microsoftonline.com/error?code=123456"},
		"Azure DevOps without its variables": {
			map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "SYSTEM_OIDCREQUESTURI": "https://x"}, nil, "", "does not pass SYSTEM_ACCESSTOKEN", "AzureCLI@2",
		},
	} {
		a := signintest.Start(t)
		a.Reject(c.reject)
		cfg := config(a, c.change)
		if c.with != nil {
			c.with(&cfg)
		}
		_, err := signedIn(t, cfg)
		var failed *signin.Error
		require.ErrorAs(t, err, &failed, name)
		require.Contains(t, failed.Error(), "sign-in with workload-identity failed: ", name)
		require.Contains(t, failed.Problem, c.problem, name)
		require.Contains(t, failed.WhatToDo(), c.what, name)
		require.NotContains(t, failed.Error(), "\n", name)
	}
}

func TestSignIn_RejectsAnIncompleteConfiguration(t *testing.T) {
	t.Parallel()
	a := signintest.Start(t)
	c := config(a, nil)
	c.Audience = ""
	_, err := signin.New(c)
	var usage *cli.UsageError
	require.ErrorAs(t, err, &usage)
	require.Contains(t, usage.Remedy, "AZBACKUPFLOW_AUDIENCE")
	c = config(a, nil)
	c.Method = "magic"
	_, err = signin.New(c)
	require.ErrorAs(t, err, &usage)
	require.Contains(t, usage.Remedy, "workload-identity")
}

func TestDeviceCode_ShowsWhereToEnterTheCode(t *testing.T) {
	t.Parallel()
	a := signintest.Start(t)
	c := config(a, nil)
	c.Method, c.TenantID, c.ClientID = signin.DeviceCode, signintest.Tenant, signintest.Client
	var mu sync.Mutex
	shown := ""
	c.Prompt = func(message string) {
		mu.Lock()
		defer mu.Unlock()
		shown = message
	}
	token, err := signedIn(t, c)
	require.NoError(t, err)
	require.Equal(t, signintest.AccessToken, token)
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, shown, "enter the code ABC-123")
}

// transport responds to every request.
type transport func(*http.Request) *http.Response

// Do implements policy.Transporter.
func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestManagedIdentity_AsksTheMachine(t *testing.T) {
	t.Parallel()
	respond := func(status int, body string) transport {
		return func(r *http.Request) *http.Response {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		}
	}
	c := signin.Config{Method: signin.ManagedIdentity, Audience: signintest.Audience, ClientID: signintest.Client, Now: time.Now, Lookup: func(string) (string, bool) { return "", false }}
	c.Transport = respond(http.StatusOK, `{"access_token":"`+signintest.AccessToken+`","expires_in":"3600","resource":"r","token_type":"Bearer"}`)
	token, err := signedIn(t, c)
	require.NoError(t, err)
	require.Equal(t, signintest.AccessToken, token)

	c.ClientID = "33333333-3333-3333-3333-333333333333" // the Azure SDK keeps the token of the other one
	c.Transport = respond(http.StatusBadRequest, `{"error":"invalid_request","error_description":"Identity not found"}`)
	_, err = signedIn(t, c)
	var failed *signin.Error
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Problem, "no such managed identity")
}

// It replaces PATH, so it does not run in parallel.
func TestAzureCLI_UsesItsSignIn(t *testing.T) {
	folder := t.TempDir()
	az := filepath.Join(folder, "az")
	c := signin.Config{Method: signin.AzureCLI, Audience: signintest.Audience, Now: time.Now, Lookup: os.LookupEnv}
	t.Setenv("PATH", folder)
	_, err := signedIn(t, c)
	var failed *signin.Error
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Error()+failed.Remedy, "install it")

	script := func(text string) {
		require.NoError(t, os.WriteFile(az, []byte("#!/bin/sh\n"+text), 0o700))
	}
	script(`echo '{"accessToken":"` + signintest.AccessToken + `","expiresOn":"2099-01-01 00:00:00.000000","expires_on":4070908800,"tenant":"t","tokenType":"Bearer"}'` + "\n")
	token, err := signedIn(t, c)
	require.NoError(t, err)
	require.Equal(t, signintest.AccessToken, token)

	script("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1\n")
	_, err = signedIn(t, c)
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Remedy, "az login")

	script("echo 'ERROR: AADSTS65001: no consent' >&2; exit 1\n")
	_, err = signedIn(t, c)
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Remedy, "consent")
}
