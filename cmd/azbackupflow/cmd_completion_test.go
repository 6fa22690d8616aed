package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/completion"
	"azbackupflow/internal/client/clienttest"
)

// completions returns the words that complete a line.
func (s *shell) completions(words ...string) (found []string) {
	s.t.Helper()
	var stdout, stderr buffer
	env := environment{
		stdout: &stdout, stderr: &stderr, configDir: s.configDir, now: s.api.Clock.Now, sleep: s.api.Clock.Sleep,
		lookup: func(string) (string, bool) { return "", false },
	}
	require.Zero(s.t, run(s.t.Context(), append([]string{completion.HiddenCommand}, words...), env))
	require.Empty(s.t, stderr.String(), "the shell would show it within the line")
	for line := range strings.Lines(stdout.String()) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		found = append(found, word)
	}
	return found
}

func TestCompletion_KnowsWordsOfTheGrammar(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, name := range []string{"staging", "production"} {
		s.succeeds("context", "add", name, "--url", "https://"+name+".example")
	}
	for line, want := range map[string][]string{
		"sch":                        {"schedules"},
		"schedules ":                 {"list", "run", "pause", "resume", "check", "next"},
		"-o json schedules n":        {"next"},
		"list --status Suc":          {"Succeeded", "SucceededWithWarnings"},
		"list --status=Suc":          {"--status=Succeeded", "--status=SucceededWithWarnings"},
		"list --sta":                 {"--status"},
		"ls --sta":                   {"--status"},
		"list --output ":             {"table", "wide", "json", "yaml", "jsonl", "id"},
		"list -o y":                  {"yaml"},
		"list --output=j":            {"--output=json", "--output=jsonl"},
		"list --flow resume":         {"resume-protection"},
		"start track":                {":files", "track-job"},
		"flows show track":           {"track-job"},
		"start track-job --job":      {"--job"},
		"start --wait track-job --j": {"--job"},
		"context use ":               {"production", "staging"},
		"list --context st":          {"staging"},
		"start -f ":                  {":files"},
		"start backup-now --file x":  {":files"},
		"schedules check --file=sc":  {":files"},
		"drills verify --key=x":      {":files"},
		"completion z":               {"zsh"},
		"help resc":                  {"rescue"},
		"list --nope=":               nil,
		"rejected purge --before 1 ": nil,
	} {
		require.Equal(t, want, s.completions(strings.Split(line, " ")...), line)
	}
	require.Contains(t, s.completions(), "start")
	require.Equal(t, s.completions("start", ""), s.completions("start", `""`), "PowerShell passes an empty word in quotes")
}

func TestCompletion_AsksTheAppForIDs(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	one := s.start(clienttest.Protect("one", "testshare"))
	two := s.start(clienttest.Protect("two", "logs"))
	rejectedID := s.reject()
	require.ElementsMatch(t, []string{one.ID, two.ID}, s.completions("--url", s.api.URL, "status", ""))
	require.Equal(t, []string{one.ID}, s.completions("--url="+s.api.URL, "describe", one.ID[:5]))
	require.Contains(t, s.completions("--url", s.api.URL, "rejected", "show", ""), rejectedID)
	require.Empty(t, s.completions("--url", s.api.URL, "status", one.ID, ""), "a command with one ID takes no second one")
	require.Empty(t, s.completions("--url", "http://127.0.0.1:1", "status", ""), "without an app, there is nothing to complete")
	require.Empty(t, s.completions("--url", "nonsense", "status", ""))
}

func TestCompletion_KnowsSchedulesVaultsItemsAndRecoveryPoints(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.start(clienttest.Protect("one", "testshare"))
	complete := func(words ...string) []string {
		return s.completions(append([]string{"--url", s.api.URL}, words...)...)
	}
	vault := clienttest.Vault
	for line, want := range map[string][]string{
		"schedules run ":                           {"nightly"},
		"schedules pause night":                    {"nightly"},
		"list --vault ":                            {"azurefilesvault", vault},
		"list --vault=az":                          {"--vault=azurefilesvault"},
		"start backup-now --vault /sub":            {vault},
		"items list ":                              {vault},
		"policies list /subscr":                    {vault},
		"list --item ":                             {vault}, // the only item that the vault of the test lists
		"start backup-now --item /":                {vault},
		"start backup-now --vault other --item ":   nil,
		"start restore-vm --item /x --recovery-po": {"--recovery-point"},
		"start restore-vm --item /a/points/42 --recovery-point ": {"42"},
		"start restore-vm --recovery-point ":                     nil, // of which item?
	} {
		require.Equal(t, want, complete(strings.Split(line, " ")...), line)
	}

	// A second completion within a minute makes no call.
	calls := len(s.api.Requests())
	require.Equal(t, []string{vault}, complete("list", "--item", ""))
	require.Len(t, s.api.Requests(), calls)
	s.api.Clock.Pass(time.Minute)
	require.Equal(t, []string{vault}, complete("list", "--item", ""))
	require.Greater(t, len(s.api.Requests()), calls)

	// An app that fails has no words, and is asked again.
	s.api.Clock.Pass(time.Minute)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
	require.Empty(t, complete("list", "--item", ""))
	s.api.Instead(nil)
	require.Equal(t, []string{vault}, complete("list", "--item", ""))

	// A cache that is damaged is ignored and replaced.
	require.NoError(t, os.WriteFile(filepath.Join(s.configDir, "azbackupflow", "completion.json"), []byte("{"), 0o600))
	require.Equal(t, []string{"nightly"}, complete("schedules", "run", ""))
}

func TestCompletion_OfAnotherAppSharesNoWords(t *testing.T) {
	t.Parallel()
	s, other := newShell(t), newShell(t)
	other.configDir = s.configDir
	s.start(clienttest.Protect("one", "testshare"))
	require.NotEmpty(t, s.completions("--url", s.api.URL, "list", "--vault", ""))
	require.Empty(t, other.completions("--url", other.api.URL, "list", "--vault", ""))
}

func TestCompletion_WorksInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	folder := t.TempDir()
	script, err := completion.Script("bash")
	require.NoError(t, err)
	// The program answers with the words that it gets.
	program := filepath.Join(folder, "azbackupflow")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nfor w in \"$@\"; do echo \"@$w@\thelp\"; done\n"), 0o700))
	for line, want := range map[string]string{
		"COMP_WORDS=(azbackupflow li); COMP_CWORD=1":                    "@__complete@ @li@",
		"COMP_WORDS=(azbackupflow list ''); COMP_CWORD=2":               "@__complete@ @list@ @@",
		"COMP_WORDS=(azbackupflow list --status = Suc); COMP_CWORD=4":   "@__complete@ @list@ @--status=Suc@",
		"COMP_WORDS=(azbackupflow list --status = ); COMP_CWORD=3":      "@__complete@ @list@ @--status=@",
		"COMP_WORDS=(azbackupflow list -o json more); COMP_CWORD=2":     "@__complete@ @list@ @-o@",
		"COMP_WORDS=(azbackupflow start -f 'a b' --wait); COMP_CWORD=4": `@__complete@ @start@ @-f@ @a\ b@ @--wait@`,
		`COMP_WORDS=(azbackupflow list --item '/a\;b'); COMP_CWORD=3`:   `@__complete@ @list@ @--item@ @/a\;b@`,
	} {
		cmd := exec.CommandContext(t.Context(), bash, "-c", script+"\n"+line+"\n_azbackupflow\necho \"${COMPREPLY[*]}\"")
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, want, strings.TrimSpace(string(out)), line)
	}
}

func TestCompletion_HasAScriptForEachShell(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, name := range completion.Shells() {
		script := s.succeeds("completion", name)
		require.Contains(t, script, completion.HiddenCommand, name)
		require.Contains(t, script, "To install it", name)
	}
	r := s.run("completion", "tcsh")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "use one of bash, zsh, fish, powershell")
}

func TestAliases_AreTheCommandsThatUsersTry(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	id := s.start(clienttest.Protect("one", "testshare")).ID
	require.Equal(t, s.succeeds("list"), s.succeeds("ls"))
	require.Equal(t, s.succeeds("status", id), s.succeeds("get", id))
	require.Equal(t, s.succeeds("describe", id), s.succeeds("show", id))
	require.Equal(t, s.succeeds("rejected", "list", "--help"), s.succeeds("help", "rejected", "list"))
	require.Equal(t, s.succeeds("--help"), s.succeeds("help"))
	require.Equal(t, cli.ExitUsage, s.run("help", "nope").code)
	require.Contains(t, s.succeeds("--version"), "azbackupflow ")
}

func TestMan_DescribesEveryCommand(t *testing.T) {
	t.Parallel()
	page := newShell(t).succeeds("man")
	require.True(t, strings.HasPrefix(page, ".TH AZBACKUPFLOW 1"), page[:40])
	for _, command := range commands(t) {
		words := strings.Fields(command)
		require.Contains(t, page, words[len(words)-1], command)
	}
}

func TestVersion_IsThatOfTheLinkerOrTheBuild(t *testing.T) {
	t.Parallel()
	module := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	for want, got := range map[string]string{
		"v1.2.3":  programVersion("v1.2.3", module("(devel)")),
		"v2.0.0":  programVersion("", module("v2.0.0")),
		"0123abc": programVersion("", module("(devel)", debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"})),
		"dev":     programVersion("", module("(devel)")),
		"unknown": programVersion("", nil),
	} {
		require.Equal(t, want, got)
	}
}

func TestDescribe_JoinsWhatIsKnown(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	id := s.failed()
	shown := s.succeeds("describe", id)
	for _, want := range []string{
		"Status          Failed", "PolicyNotFound (Fatal, HTTP 404)", "Check parameters.policy.", "azbackupflow retry " + id,
		"https://portal.azure.com/#resource" + clienttest.Vault + "/overview", "fileShare         logs", "ended as Failed",
	} {
		require.Contains(t, shown, want)
	}
	require.Equal(t, "https://portal.azure.com/#resource"+clienttest.Vault+"/overview\n", s.succeeds("describe", id, "--query", "portal"))
	require.Contains(t, s.succeeds("describe", id, "-o", "yaml"), "\nwhatToDo:\n  - Check parameters.policy.\n")
}

func TestWhatToDo_FitsTheOperation(t *testing.T) {
	t.Parallel()
	now := clienttest.Began()
	for want, op := range map[string]api.Operation{
		"Nothing.": {Status: api.Succeeded},
		"Read the warnings. The operation has done its work.":                                      {Status: api.SucceededWithWarnings},
		"Nothing, unless the work is still wanted: then send a new request.":                       {Status: api.Canceled},
		"When the cause is gone: azbackupflow retry x":                                             {ID: "x", Status: api.Parked},
		"A retry cannot succeed until the cause is gone. Then: azbackupflow retry x":               {ID: "x", Status: api.Failed, Error: &api.Error{Class: "Fatal"}},
		"Its deadline has passed. To start it again: azbackupflow retry x":                         {ID: "x", Status: api.TimedOut},
		"Nothing. The operation is being canceled.":                                                {Status: api.Running, CancelRequested: true},
		"Resume it when it may go on: azbackupflow resume x":                                       {ID: "x", Status: api.Running, Paused: true},
		"Its wake-up is overdue. The sweep replaces it; to run the sweep now: azbackupflow rescue": {Status: api.Running, DueAt: now.Add(-20 * 60e9)},
		"Nothing. It continues by itself; to follow it: azbackupflow watch x":                      {ID: "x", Status: api.Running, DueAt: now},
	} {
		require.Equal(t, []string{want}, cli.WhatToDo(op, now))
	}
}
