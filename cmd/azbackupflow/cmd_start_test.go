package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
)

const parametersOfTestshare = `{"vaultId":"` + clienttest.Vault + `","storageAccountId":"` + clienttest.Account + `","fileShare":"testshare","policy":"schedule1"}`

// file writes a request and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "request.json")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

func TestStart_ShowsHowToWatch(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	request := file(t, `{"flow":"protect-file-share","key":"one","parameters":`+parametersOfTestshare+`}`)
	s.golden("start", s.succeeds("start", "protect-file-share", "-f", request))
	s.api.Clock.Pass(0)
	s.golden("start-again", s.succeeds("start", "protect-file-share", "-f", request))
}

func TestStart_ShowsTheStepsOfADryRun(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	request := file(t, `{"parameters":`+parametersOfTestshare+`}`)
	s.golden("start-dry-run", s.succeeds("start", "protect-file-share", "-f", request, "--dry-run"))
	require.Contains(t, s.succeeds("start", "protect-file-share", "-f", request, "--dry-run", "-o", "json"), `"valid": true`)
	inFile := file(t, `{"dryRun":true,"parameters":`+parametersOfTestshare+`}`)
	require.Contains(t, s.succeeds("start", "protect-file-share", "-f", inFile), "The request is valid.")
	require.Equal(t, "No operations.\n", s.succeeds("list"))
}

func TestStart_PrefersFlagsOverTheFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = "\xef\xbb\xbf" + `{"key":"of the file","deadline":"PT1H","labels":{"team":"files","env":"test"},"parameters":` + parametersOfTestshare + `}`
	var v api.Operation
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("start", "protect-file-share", "-f", "-", "-o", "json",
		"--key", "of the flag", "--deadline", "PT2H", "--label", "env=prod", "--label", "note=a;b=c")), &v))
	require.Equal(t, "of the flag", v.Key)
	require.Equal(t, map[string]string{"team": "files", "env": "prod", "note": "a;b=c"}, v.Labels)
	require.Equal(t, "2h0m0s", v.Deadline.Sub(v.CreatedAt).String())
}

func TestStart_GeneratesAKey(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	var v api.Operation
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("start", "protect-file-share", "-f", file(t, `{"parameters":`+parametersOfTestshare+`}`), "-o", "json")), &v))
	require.Equal(t, "made-up-key", v.Key)
}

func TestStart_WaitsWithFlag(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	request := file(t, `{"key":"one","parameters":`+parametersOfTestshare+`}`)
	s.golden("start-wait", s.succeeds("start", "protect-file-share", "-f", request, "--wait"))
}

func TestStart_ReportsErrorsWithRemedy(t *testing.T) {
	t.Parallel()
	good := `{"parameters":` + parametersOfTestshare + `}`
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"another flow in the file": {[]string{"protect-file-share", "-f", file(t, `{"flow":"backup-now","parameters":{}}`)}, "is a request for flow backup-now, the command line names protect-file-share; name the same flow"},
		"no such flow":             {[]string{"nope", "-f", file(t, good)}, `"nope" is not a flow; want one of protect-file-share, backup-now`},
		"no such file":             {[]string{"protect-file-share", "-f", "nope.json"}, "file nope.json does not exist"},
		"no file":                  {[]string{"protect-file-share"}, "parameters.vaultId: is missing"},
		"not JSON":                 {[]string{"protect-file-share", "-f", file(t, "{\n oops")}, "is not JSON"},
		"an unknown field":         {[]string{"protect-file-share", "-f", file(t, `{"parametres":{}}`)}, "parametres"},
		"a field of the flow":      {[]string{"protect-file-share", "-f", file(t, strings.Replace(good, "testshare", "T", 1))}, "parameters.fileShare"},
		"only the parameters":      {[]string{"protect-file-share", "-f", file(t, parametersOfTestshare)}, "want one of flow, key, parameters, deadline, labels"},
		"an invalid deadline":      {[]string{"protect-file-share", "-f", file(t, good), "--deadline", "6x"}, "such as 90m, 36h, 7d, 1d12h or PT36H"},
		"an invalid label":         {[]string{"protect-file-share", "-f", file(t, good), "--label", "team"}, "label"},
	} {
		r := newShell(t).run(append([]string{"start"}, tc.args...)...)
		require.Equal(t, cli.ExitUsage, r.code, name)
		require.Contains(t, r.stderr, tc.says, name)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), name)
		require.Empty(t, r.stdout, name)
	}
}

func TestStart_NamesTheKeyAfterALostResponse(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	r := s.run("start", "protect-file-share", "-f", file(t, `{"parameters":`+parametersOfTestshare+`}`))
	require.Equal(t, cli.ExitUnavailable, r.code)
	require.Contains(t, r.stderr, "start it again with --key made-up-key")
}
