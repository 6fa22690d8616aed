package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/signin/signintest"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

const pipelines = "../../examples/pipelines"

// pipelineKey is the function key, which the Functions host requires of each caller.
const pipelineKey = "function-key-of-the-app"

// pipeline is a step of a pipeline: the script, the built program, a local stack
// behind a stand-in of App Service authentication, and a stand-in of Microsoft
// Entra.
type pipeline struct {
	t         *testing.T
	stack     *stack.Stack
	authority *signintest.Authority
	// url is the address of App Service authentication.
	url string
	// throttled is the number of calls that it rejects with 429.
	throttled atomic.Int32
	program   string
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	dist := packaged(t)
	p := &pipeline{t: t, authority: signintest.Start(t), program: t.TempDir()}
	buildProgram(t, filepath.Join(p.program, "azbackupflow"))
	const speed = 200
	var err error
	p.stack, err = localstack.Start(t.Context(), stack.Config{Dist: dist, SpeedFactor: speed, Settings: localstack.Guardrails()}, localstack.Verbosity(io.Discard, false, localstack.Silent))
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.stack.Close() })
	target, err := url.Parse(p.stack.URL())
	require.NoError(t, err)
	app := httputil.NewSingleHostReverseProxy(target)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Functions-Key") != pipelineKey, r.Header.Get("Authorization") != "Bearer "+signintest.AccessToken:
			w.WriteHeader(http.StatusUnauthorized)
		case p.throttled.Add(-1) >= 0:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			app.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(door.Close)
	p.url = door.URL
	return p
}

// buildProgram builds the program.
func buildProgram(t *testing.T, path string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
}

// step runs the script as a pipeline would, and returns its exit code and output.
func (p *pipeline) step(request, key string, set map[string]string) (code int, output string) {
	p.t.Helper()
	env := p.authority.Environment()
	env["PATH"], env["HOME"] = p.program+string(os.PathListSeparator)+os.Getenv("PATH"), p.t.TempDir()
	env["SSL_CERT_FILE"] = p.authority.CertFile
	env["AZBACKUPFLOW_URL"], env["AZBACKUPFLOW_SIGN_IN"], env["AZBACKUPFLOW_AUDIENCE"] = p.url, "workload-identity", signintest.Audience
	env["AZBACKUPFLOW_FUNCTION_KEY"] = pipelineKey
	for name, value := range set {
		env[name] = value
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*patience)
	defer cancel()
	run := exec.CommandContext(ctx, "sh", filepath.Join(pipelines, "backup.sh"), request, key)
	for name, value := range env {
		run.Env = append(run.Env, name+"="+value)
	}
	out, err := run.CombinedOutput()
	if err != nil {
		require.ErrorAs(p.t, err, new(*exec.ExitError), string(out))
	}
	return run.ProcessState.ExitCode(), string(out)
}

func TestPipeline_FailsUnlessABackupSucceeded(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the local stack")
	}
	t.Parallel()
	p := newPipeline(t)
	request := filepath.Join(pipelines, "backup.yaml")
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	raw, err := os.ReadFile(request)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(wrong, []byte(strings.Replace(string(raw), "name: testshare", "name: no-such-share", 1)), 0o600))

	expect := func(name string, request, key string, set map[string]string, code int, says ...string) {
		t.Helper()
		got, out := p.step(request, key, set)
		require.Equal(t, code, got, "%s: %s", name, out)
		for _, text := range says {
			require.Contains(t, out, text, name)
		}
	}
	backups := func() int { return len(p.stack.ARM.Backups()) }

	var stdout, stderr buffer
	protect := []string{"start", filepath.Join("..", "..", "examples", "protect-file-share.json"), "--url", p.stack.URL(), "--wait"}
	require.Zero(t, run(t.Context(), protect, machine(&stdout, &stderr)), stderr.String())

	before := backups()
	expect("new", request, "run-1", nil, cli.ExitDone, "Started operation ", "Succeeded after ", "The release may continue.")
	require.Equal(t, before+1, backups())
	expect("existing and succeeded", request, "run-1", nil, cli.ExitNotStarted, "key run-1 belongs to operation", "which ended Succeeded", "to start afresh, use another --key", "Nothing was backed up")
	require.Equal(t, before+1, backups(), "nothing was started")

	expect("failed", wrong, "run-2", nil, cli.ExitFailed, "is Failed", "The backup failed, or")
	expect("existing and failed", wrong, "run-2", nil, cli.ExitNotStarted, "which ended Failed", "retry it with azbackupflow retry ", "Nothing was backed up")

	throttle := armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled", "wait", http.Header{"Retry-After": {"60"}})
	p.stack.ARM.Inject(armsim.Rule{Kind: "POST backup", Times: 1, Effect: throttle})
	p.throttled.Store(2)
	expect("throttled", request, "run-3", nil, cli.ExitDone, "Started operation ", "Succeeded after ")
	require.Equal(t, before+2, backups())

	var listen net.ListenConfig
	closed, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	expect("unreachable", request, "run-5", map[string]string{"AZBACKUPFLOW_URL": "http://" + closed.Addr().String()}, cli.ExitUnavailable, "check --url", "could not be reached")

	before = backups()
	expect("rejected by Entra", request, "run-6", map[string]string{"AZURE_CLIENT_ID": "33333333-3333-3333-3333-333333333333"}, cli.ExitUsage, "AADSTS700016", "check --client-id", "Nothing was started.")
	expect("rejected by the app", request, "run-6", map[string]string{"AZBACKUPFLOW_SIGN_IN": "none"}, cli.ExitUsage, "the app requires a sign-in", "Nothing was started.")
	expect("no function key", request, "run-6", map[string]string{"AZBACKUPFLOW_FUNCTION_KEY": ""}, cli.ExitUsage, "set AZBACKUPFLOW_FUNCTION_KEY", "Nothing was started.")
	expect("no permission for a token", request, "run-6", map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, cli.ExitUsage, "id-token: write", "Nothing was started.")
	require.Equal(t, before, backups())

	p.stack.ARM.Inject(armsim.Rule{Kind: "POST backup", Effect: throttle})
	expect("timeout", request, "run-7", map[string]string{"AZBACKUPFLOW_TIMEOUT": "2s"}, cli.ExitWaitTimeout, "has not ended before --timeout", "The backup still runs.")
	require.Equal(t, before, backups())
}

// The pipelines run the script that the test runs. Their only secret is the function
// key, which a deployed app requires of callers that sign in, too.
func TestPipelines_RunTheScriptWithTheFunctionKeyAsOnlySecret(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"github-actions.yml": "AZBACKUPFLOW_FUNCTION_KEY: ${{ secrets.AZBACKUPFLOW_FUNCTION_KEY }}\n",
		"azure-devops.yml":   "AZBACKUPFLOW_FUNCTION_KEY: $(azbackupflowFunctionKey)\n",
	} {
		raw, err := os.ReadFile(filepath.Join(pipelines, name))
		require.NoError(t, err)
		var parsed map[string]any
		require.NoError(t, yaml.Unmarshal(raw, &parsed), name)
		text := string(raw)
		require.Contains(t, text, "examples/pipelines/backup.sh", name)
		require.Contains(t, text, "AZBACKUPFLOW_SIGN_IN: workload-identity", name)
		before, after, found := strings.Cut(text, key)
		require.True(t, found, name)
		require.NotContains(t, before+after, "secrets.", name)
		require.NotContains(t, before+after, "FUNCTION_KEY", name)
		require.NotContains(t, text, "continue-on-error", name)
		require.NotContains(t, text, "continueOnError", name)
	}
}
