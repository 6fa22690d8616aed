package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/step"
)

const (
	testSubscription = "00000000-0000-0000-0000-000000000000"
	testAccount      = clienttest.Account
)

// started starts an operation and returns the JSON output.
func (s *shell) started(args ...string) api.Started {
	s.t.Helper()
	var op api.Started
	require.NoError(s.t, json.Unmarshal([]byte(s.succeeds(append([]string{"start"}, append(args, "-o", "json")...)...)), &op))
	return op
}

func TestStart_MakesARequestOfFlags(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	op := s.started("protect-file-share", "--subscription", testSubscription, "-g", "azurefiles", "--vault", "azurefilesvault",
		"--storage-account", testAccount, "--file-share", "orders", "--policy", "schedule1", "--deadline", "36h", "--set", "firstBackup={}")
	require.True(t, op.Created)
	require.JSONEq(t, `{"vaultId":"`+clienttest.Vault+`","storageAccountId":"`+testAccount+`","fileShare":"orders","policy":"schedule1","firstBackup":{}}`, string(op.Parameters))
	require.Equal(t, 36*time.Hour, op.Deadline.Sub(op.CreatedAt))
	require.Equal(t, "made-up-key", op.Key)
}

func TestStart_TakesTheFlowFromTheFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	yaml := "flow: protect-file-share\ndeadline: 7d\nlabels: {team: files}\nparameters:\n  vaultId: " + clienttest.Vault +
		"\n  storageAccountId: " + testAccount + "\n  fileShare: orders\n  policy: schedule1\n  firstBackup:\n    recoveryPointExpiryTimeInUTC: 2027-01-01T00:00:00Z\n"
	name := filepath.Join(t.TempDir(), "request.yaml")
	require.NoError(t, os.WriteFile(name, []byte(yaml), 0o600))
	op := s.started(name, "--file-share", "other")
	require.Equal(t, "protect-file-share", op.Flow)
	require.Equal(t, 7*24*time.Hour, op.Deadline.Sub(op.CreatedAt))
	require.Equal(t, map[string]string{"team": "files"}, op.Labels)
	require.Contains(t, string(op.Parameters), `"other"`)
	require.Contains(t, string(op.Parameters), `"2027-01-01T00:00:00Z"`)

	s.stdin = yaml
	require.Equal(t, "protect-file-share", s.started("-", "--key", "two").Flow)
	require.Equal(t, "protect-file-share", s.started("protect-file-share", "-f", name, "--key", "three").Flow)
}

func TestStart_PrintsAnExampleThatIsValid(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	book, err := newFlowFlags(environment{now: s.api.Clock.Now})
	require.NoError(t, err)
	for _, f := range book.flows {
		example := s.succeeds("start", f.Name, "--example")
		r, err := cli.DecodeRequest([]byte(example), f.Name)
		require.NoError(t, err, example)
		require.Equal(t, f.Name, r.Flow)
		require.Empty(t, r.Key, "a key would start nothing the second time")
		d := book.definition[f.Name]
		_, err = d.Check(r.Parameters)
		var invalid *step.Invalid
		if err != nil { // an operator may have to allow it
			require.ErrorAs(t, err, &invalid, f.Name)
			for _, field := range invalid.Fields {
				require.Contains(t, field.Problem+field.Want, "AZBACKUPFLOW_", "%s: %s", f.Name, invalid)
			}
		}
		for _, p := range d.Parameters().List() {
			require.Contains(t, example, p.Path[strings.LastIndex(p.Path, ".")+1:]+":", f.Name)
		}
	}
}

func TestFlowsShow_NamesTheFlagOfEveryParameter(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("flows-show", s.succeeds("flows", "show", "backup-now"))
	book, err := newFlowFlags(environment{now: s.api.Clock.Now})
	require.NoError(t, err)
	for _, f := range book.flows {
		shown, help := s.succeeds("flows", "show", f.Name), s.succeeds("start", f.Name, "--help")
		for _, flag := range f.Flags {
			require.Contains(t, shown, "--"+flag.Name)
			require.Contains(t, help, "--"+flag.Name)
		}
	}
	require.Contains(t, s.run("flows", "show", "nope").stderr, `"nope" is not a flow; use one of protect-file-share`)
}

// A flag has a value in its example if the command line takes one.
func TestFlowsShow_ExamplesAreValid(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	book, err := newFlowFlags(environment{now: s.api.Clock.Now})
	require.NoError(t, err)
	example := regexp.MustCompile(`(?m)^ *Example: (--[a-z-]+)(.*)`)
	for _, f := range book.flows {
		found := example.FindAllStringSubmatch(s.succeeds("flows", "show", f.Name), -1)
		require.NotEmpty(t, found, f.Name)
		for _, m := range found {
			args := []string{"start", f.Name, m[1]}
			// A long value begins on the next line.
			if m[2] != "" || !book.takesNoValue(strings.TrimPrefix(m[1], "--")) {
				args = append(args, "value")
			}
			_, err := grammar(t).Parse(args)
			require.NoError(t, err, "%s: %s", f.Name, m[0])
		}
	}
}

func TestStart_SaysWhetherTheOperationIsNew(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	request := file(t, `{"flow":"protect-file-share","parameters":`+parametersOfTestshare+`}`)
	require.True(t, s.started(request, "--key", "one").Created)
	s.api.Clock.Pass(time.Second)
	require.Contains(t, strings.ReplaceAll(s.succeeds("start", request, "--key", "one"), "\n", " "), "which is Running.")
	s.api.Clock.Pass(time.Hour)
	s.golden("start-existing", s.succeeds("start", request, "--key", "one"))
	s.golden("start-existing-wait", s.succeeds("start", request, "--key", "one", "--wait"))
	require.False(t, s.started(request, "--key", "one").Created)
	require.False(t, s.started(request, "--key", "one", "--wait").Created)

	r := s.run("start", request, "--key", "one", "--require-new", "--wait")
	require.Equal(t, cli.ExitNotStarted, r.code)
	require.Contains(t, r.stderr, "Nothing was started: key one belongs to operation ")
	require.Contains(t, r.stderr, "which ended Succeeded")
	r = s.run("start", request, "--key", "one", "--require-new", "-o", "json")
	require.Equal(t, cli.ExitNotStarted, r.code)
	require.Contains(t, r.stdout, `"created": false`)
	require.Zero(t, s.run("start", request, "--key", "two", "--require-new").code)
}

func TestStart_ExpandsTheKey(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.change = func(w *environment) {
		w.lookup = func(name string) (string, bool) { v, ok := map[string]string{"RUN": "17"}[name]; return v, ok }
	}
	request := file(t, `{"flow":"protect-file-share","parameters":`+parametersOfTestshare+`}`)
	require.Equal(t, "nightly-2026-11-21-17", s.started(request, "--key", "nightly-{date}-{env:RUN}").Key)
	require.Equal(t, "2026-11-21T03", s.started(request, "--key", "{hour}").Key)
	for key, says := range map[string]string{
		"{env:NOTHING}": "the environment variable NOTHING is not set", "{day}": "{day} is not a placeholder; use {date}, {hour} or {env:NAME}",
		"a{date": "has a brace without its counterpart", "{env:}": "is not a placeholder",
	} {
		r := s.run("start", request, "--key", key)
		require.Equal(t, cli.ExitUsage, r.code, key)
		require.Contains(t, r.stderr, says, key)
	}
}

func TestStart_SaysWhatToDoAboutAFailedOperation(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.failing(1)
	request := file(t, `{"flow":"protect-file-share","parameters":`+parametersOfTestshare+`}`)
	op := s.started(request, "--key", "one")
	s.api.Clock.Pass(time.Minute)
	shown := s.succeeds("start", request, "--key", "one")
	require.Contains(t, shown, "Nothing was started: key one belongs to operation "+op.ID)
	require.Contains(t, shown, "which ended Failed")
	require.Contains(t, shown, "Retry it:      azbackupflow retry "+op.ID)
	require.Contains(t, shown, "Start afresh:  use another --key, or none")
	r := s.run("start", request, "--key", "one", "--wait")
	require.Equal(t, cli.ExitFailed, r.code)
	require.Contains(t, r.stdout, "Nothing was started")
	r = s.run("start", request, "--key", "one", "--require-new")
	require.Equal(t, cli.ExitNotStarted, r.code)
	require.Contains(t, r.stderr, " ago; retry it with azbackupflow retry "+op.ID+"; to start afresh, use another --key, or none")

	// Nothing was written in Azure, so a corrected request starts it again.
	corrected := s.started(request, "--key", "one", "--set", "policy=schedule2")
	require.True(t, corrected.Created)
	require.Equal(t, op.ID, corrected.ID)
}

func TestStart_RepeatsAThrottledCall(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	calls := 0
	throttle := func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 3 {
			s.api.Instead(nil)
		}
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	s.api.Instead(throttle)
	request := file(t, `{"flow":"protect-file-share","parameters":`+parametersOfTestshare+`}`)
	require.Contains(t, s.succeeds("start", request), "Started operation ")
	require.Equal(t, 3, calls)
	require.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second}, s.api.Clock.Slept())

	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(http.StatusTooManyRequests) })
	calls = 0
	r := s.run("start", request)
	require.Equal(t, cli.ExitUnavailable, r.code)
	require.Equal(t, maxThrottled, calls)
}

// The IDs that the names of an item make are those of the flows' examples.
func TestStart_NamesVirtualMachinesAndDatabases(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.succeeds("context", "add", "production", "--url", s.api.URL, "--subscription", testSubscription, "-g", "azurefiles", "--vault", "azurefilesvault")
	s.urlFlag = false
	machine, database := []string{"--item-vm", "machines/vm1"}, []string{"--item-vm", "machines/sqlvm", "--item-instance", "MSSQLSERVER", "--item-database", "orders"}
	for flow, names := range map[string][]string{"backup-now": machine, "stop-protection": machine, "restore-vm": machine, "restore-database": database} {
		example := s.succeeds("start", flow, "--example")
		want := containersOf(clienttest.Vault) + "IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"
		if flow == "restore-database" {
			want = containersOf(clienttest.Vault) + "VMAppContainer;Compute;machines;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders"
		}
		if strings.HasPrefix(flow, "restore") {
			require.Contains(t, example, want, flow)
		}
		var body []byte
		s.api.Instead(func(w http.ResponseWriter, r *http.Request) {
			body, _ = io.ReadAll(r.Body)
			w.WriteHeader(http.StatusTeapot)
		})
		s.run(append([]string{"start", flow}, names...)...)
		s.api.Instead(nil)
		var sent map[string]any
		require.NoError(t, json.Unmarshal(body, &sent))
		require.Equal(t, map[string]any{"itemId": want}, sent["parameters"], flow)
	}
	r := s.run("start", "restore-vm", "--item-vm", "vm1", "--item-database", "orders")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "flow restore-vm has no parameter --item-database")
	r = s.run("start", "restore-file-share", "--item-vm", "vm1")
	require.Contains(t, r.stderr, "flow restore-file-share has no parameter --item-vm")
}

func containersOf(vault string) string { return vault + "/backupFabrics/Azure/protectionContainers/" }
