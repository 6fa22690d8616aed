package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/signin/signintest"
)

// withVariables sets the environment variables of later commands, and leaves out
// --url, which would win.
func (s *shell) withVariables(set map[string]string, more ...func(*environment)) {
	s.urlFlag = false
	s.change = func(w *environment) {
		w.lookup = func(name string) (string, bool) { v, ok := set[name]; return v, ok }
		for _, m := range more {
			m(w)
		}
	}
}

func TestContext_SelectsTheApp(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.withVariables(nil)
	s.golden("context-none", s.succeeds("context", "list"))
	s.succeeds("context", "add", "here", "--url", s.api.URL, "--subscription", testSubscription, "-g", "azurefiles", "--vault", "azurefilesvault", "-o", "json")
	s.succeeds("context", "add", "other", "--url", "https://other.example", "--sign-in", "azure-cli", "--audience", "api://a")
	require.Regexp(t, `here +yes +http://127.*function-key, if set +azurefilesvault\nother +https://other.example +azure-cli`, s.succeeds("context", "list", "-o", "table"))
	require.Contains(t, s.succeeds("context", "show", "-o", "table"), s.api.URL)
	require.Contains(t, s.succeeds("context", "show", "other"), `"api://a"`)

	require.Contains(t, s.succeeds("list"), `"operations": []`, "the context's output format")
	require.Contains(t, s.succeeds("list", "-o", "table"), "No operations.")
	op := s.started("protect-file-share", "--storage-account", "testvault2", "--file-share", "orders", "--policy", "schedule1")
	require.Contains(t, string(op.Parameters), "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault")
	require.Contains(t, s.succeeds("list", "--context", "here"), op.ID)

	s.succeeds("context", "use", "other")
	require.Contains(t, s.succeeds("context", "show"), "other.example")
	s.withVariables(map[string]string{"AZBACKUPFLOW_CONTEXT": "here"})
	require.Contains(t, s.succeeds("list"), op.ID, "the variable wins")
	s.withVariables(map[string]string{"AZBACKUPFLOW_URL": s.api.URL})
	require.Contains(t, s.succeeds("list", "-o", "json"), op.ID, "the variable wins, and the sign-in of the context is for its app only")
	s.succeeds("context", "remove", "other")
	require.NotContains(t, s.succeeds("context", "list"), "other")
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"list", "--context", "nope"}, `context "nope" does not exist; use one of here`},
		{[]string{"context", "add", "x"}, "the context has no address; add --url"},
		{[]string{"context", "add", "x", "--url", "https://x", "--sign-in", "azure-cli"}, "sign-in azure-cli needs the audience"},
		{[]string{"context", "add", "x", "--url", "https://x", "--sign-in", "magic"}, `--sign-in "magic" is not a method of signing in; use one of function-key`},
		{[]string{"context", "use", "nope"}, `context "nope" does not exist`},
		{[]string{"context", "add", "here", "--url", "https://x"}, "add --replace"},
	} {
		r := s.run(x.args...)
		require.Equal(t, cli.ExitUsage, r.code, x.args)
		require.Contains(t, r.stderr, x.says, x.args)
	}
}

func TestContextAdd_ReadsAnAzdEnvironment(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.withVariables(nil)
	project := t.TempDir()
	folder := filepath.Join(project, ".azure", "production")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, ".env"), []byte("AZBACKUPFLOW_URL="+s.api.URL+"\nAZBACKUPFLOW_VAULT_RESOURCE_GROUPS=rg\n"), 0o600))
	s.succeeds("context", "add", "production", "--azd-env", "production", "--azd-dir", project, "--vault", "v")
	require.Contains(t, s.succeeds("list"), "No operations.")
	shown := s.succeeds("context", "show")
	require.Contains(t, shown, "rg")
	require.Contains(t, shown, "Vault")
	require.Contains(t, s.run("context", "add", "x", "--azd-env", "nope", "--azd-dir", project).stderr, `azd environment "nope" not found`)
}

func TestSignIn_SendsATokenOfTheContext(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	authority := signintest.Start(t)
	s.withVariables(authority.Environment(), func(w *environment) { w.signInHTTP = authority.HTTP })
	s.succeeds("context", "add", "here", "--url", s.api.URL, "--sign-in", "workload-identity", "--audience", signintest.Audience)
	s.succeeds("list")
	requests := s.api.Requests()
	require.Equal(t, "Bearer "+signintest.AccessToken, requests[len(requests)-1].Header.Get("Authorization"))

	s.succeeds("list", "--sign-in", "none")
	requests = s.api.Requests()
	require.Empty(t, requests[len(requests)-1].Header.Get("Authorization"))

	authority.Reject("AADSTS700213")
	r := s.run("list")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Equal(t, "azbackupflow: sign-in with workload-identity failed: Microsoft Entra rejected it with AADSTS700213; compare the issuer, subject and audience of the federated credential with those of the pipeline\n", r.stderr)
	require.Contains(t, s.run("list", "--url", "http://name.example", "--sign-in", "workload-identity", "--audience", "api://x").stderr, "the access token would go to name.example unencrypted; use https")
	require.Contains(t, s.run("list", "--sign-in", "function-key").stderr, "set AZBACKUPFLOW_FUNCTION_KEY")
}

func TestSignIn_ExplainsDeniedCalls(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for name, c := range map[string]struct {
		respond http.HandlerFunc
		signIn  bool
		key     string
		code    int
		says    string
	}{
		"401 without a sign-in":   {status(401), false, "", cli.ExitUsage, "the app requires a sign-in: set a function key in AZBACKUPFLOW_FUNCTION_KEY, or set --sign-in azure-cli and --audience"},
		"401 with a function key": {status(401), false, "k", cli.ExitUsage, "the app does not accept the function key: compare AZBACKUPFLOW_FUNCTION_KEY with az functionapp keys list"},
		"401 with a token":        {status(401), true, "", cli.ExitUsage, "the app does not accept the access token: compare --audience"},
		"403 of the host":         {status(403), true, "", cli.ExitUsage, "the app may be stopped, its network rules may exclude this machine"},
		"403 of the API": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(403)
			_, _ = w.Write([]byte(`{"type":"urn:azbackupflow:problem:forbidden","title":"The caller lacks an app role","status":403,"detail":"needs Operations.Start"}`))
		}, true, "", cli.ExitUsage, "needs Operations.Start; assign the app role to the identity that signs in"},
		"a login page":            {redirect("https://login.microsoftonline.com/t/oauth2/v2.0/authorize?x=y"), false, "", cli.ExitUsage, "requires a sign-in: it redirects to login.microsoftonline.com; a program cannot use its sign-in page: set --sign-in azure-cli"},
		"the login of the app":    {redirect("/.auth/login/aad"), false, "", cli.ExitUsage, "a program cannot use its sign-in page"},
		"another redirect":        {redirect("https://elsewhere.example/"), false, "", cli.ExitUnavailable, "the server redirects to https://elsewhere.example/; use that address"},
		"nothing of azbackupflow": {status(404), false, "", cli.ExitUnavailable, "azbackupflow's API not found at this address"},
	} {
		s := newShell(t)
		authority := signintest.Start(t)
		variables := authority.Environment()
		variables["AZBACKUPFLOW_URL"], variables["AZBACKUPFLOW_FUNCTION_KEY"] = s.api.URL, c.key
		if c.signIn {
			variables["AZBACKUPFLOW_SIGN_IN"], variables["AZBACKUPFLOW_AUDIENCE"] = "workload-identity", signintest.Audience
		}
		s.withVariables(variables, func(w *environment) { w.signInHTTP = authority.HTTP })
		s.api.Instead(c.respond)
		for _, args := range [][]string{{"list"}, {"wait", "id"}} {
			r := s.run(args...)
			require.Equal(t, c.code, r.code, name)
			require.Contains(t, r.stderr, c.says, name)
		}
	}
}
