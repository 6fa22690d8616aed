package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/contexts"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/local/stack"
)

// localFlags parses the flags of the command local.
func localFlags(t *testing.T, args ...string) *localCommand {
	t.Helper()
	var l localCommand
	parser, err := kong.New(&l)
	require.NoError(t, err)
	_, err = parser.Parse(args)
	require.NoError(t, err)
	return &l
}

func TestLocal_ShowsItsScreens(t *testing.T) {
	t.Parallel()
	faults, err := localstack.ParseInjections([]string{"throttle", "lost-answer"})
	require.NoError(t, err)
	arm := stack.Endpoint{Name: "Azure Resource Manager (simulator)", Address: "http://127.0.0.1:43997"}
	bus := stack.Endpoint{Name: "Service Bus", Address: "Endpoint=sb://127.0.0.1:45075;SharedAccessKeyName=local;SharedAccessKey=bm90IGEga2V5LCBidXQgYXMgbG9uZyBhcyBvbmU=;UseDevelopmentEmulator=true"}
	for name, v := range map[string]stackView{
		"local":         {url: "http://127.0.0.1:7071", dashboard: "http://127.0.0.1:40404/?session=0f8fad5b-d9cb-469f-a165-70867728950e", endpoints: []stack.Endpoint{{Name: "Functions host", Address: "http://127.0.0.1:7071"}, bus, arm}, faults: faults, flags: localFlags(t)},
		"local-no-host": {settingsFile: "dist/local.settings.json", endpoints: []stack.Endpoint{bus, arm}, flags: localFlags(t, "--no-host")},
	} {
		var all strings.Builder
		for _, width := range screenWidths() {
			for _, color := range []bool{false, true} {
				var out buffer
				printer, err := render.New(render.Config{Out: &out, Err: &out, Now: now, Columns: func() int { return width }, Color: color})
				require.NoError(t, err)
				a := &app{out: printer, connection: connection{context: contexts.Context{URL: localURL}}}
				require.NoError(t, a.showStack(v))
				for line := range strings.Lines(out.String()) {
					require.LessOrEqual(t, text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")), width, line)
				}
				title := fmt.Sprintf("== %d columns ==\n", width)
				if color {
					title = fmt.Sprintf("== %d columns, in color ==\n", width)
				}
				all.WriteString(title + visible(out.String()))
			}
		}
		(&shell{t: t, api: newShell(t).api}).golden(filepath.Join("screens", name), all.String())
	}
}

func TestLocal_RejectsFlagsThatDoNotFit(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"an injection":             {[]string{"--inject", "fire"}, "use one of throttle, lost-answer, job-fails, forbidden, slow"},
		"a number":                 {[]string{"--inject", "throttle=no"}, "is not a number from 1; use one such as throttle=3"},
		"a world without file":     {[]string{"--world", "nowhere.yaml"}, "nowhere.yaml"},
		"schedules without file":   {[]string{"--schedules", "nowhere.yaml"}, "--schedules: file nowhere.yaml cannot be read; name a file that exists"},
		"a real Azure and a world": {[]string{"--arm-endpoint", "https://management.azure.com", "--world", "w.yaml"}, "leave out --arm-endpoint"},
		"a tour without host":      {[]string{"--tour", "--no-host"}, "leave out --no-host"},
	} {
		r := s.run(append([]string{"local", "--port", "0", "--dir", ""}, tc.args...)...)
		require.Equal(t, cli.ExitUsage, r.code, name)
		require.Contains(t, r.stderr, tc.says, name)
	}
}

func TestLocal_WatchesTheFilesOfTheFlags(t *testing.T) {
	t.Parallel()
	schedules, rules := declared(t, "s.yaml", someSchedules), declared(t, "p.yaml", someRules)
	var out, note buffer
	printer, err := render.New(render.Config{Out: &out, Err: &note, Now: now})
	require.NoError(t, err)
	none := func(string) (string, bool) { return "", false }
	a := &app{out: printer, environment: environment{lookup: none, now: now}}
	l := localFlags(t, "--schedules", schedules, "--protection", rules)
	c, err := l.stackConfig(a)
	require.NoError(t, err)
	require.Equal(t, schedules, c.Settings["AZBACKUPFLOW_SCHEDULES"])
	require.Equal(t, rules, c.Settings["AZBACKUPFLOW_PROTECTION"])
	for _, d := range l.declarations(a) {
		a.showReload(d)
	}
	require.Contains(t, note.String(), schedules+" has changed: 2 schedules are in force.")
	require.Contains(t, note.String(), rules+" has changed: 3 rules are in force.")
	require.NoError(t, os.WriteFile(rules, []byte("version: 1\nrules:\n  - {name: all, colour: red}\n"), 0o600))
	a.showReload(l.declarations(a)[1])
	require.Contains(t, note.String(), "p.yaml has changed and has problems:\n")
	require.Contains(t, note.String(), "colour")

	a.lookup = func(name string) (string, bool) { return "mine.yaml", name == "AZBACKUPFLOW_SCHEDULES" }
	require.Empty(t, localFlags(t).declarations(a), "the environment names the file, and no other one exists here")
}

// localWithReload changes the schedules while the stack runs.
func localWithReload(t *testing.T, dist string) {
	file := declared(t, "schedules.yaml", "version: 1\nschedules: []\n")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	dir := t.TempDir()
	var stdout, stderr buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"local", "-v", "--port", "0", "--dist", dist, "--dir", dir, "--schedules", file}, machine(&stdout, &stderr))
	}()
	require.Eventually(t, func() bool { return strings.Contains(stdout.String(), "In another terminal") }, patience, 20*time.Millisecond)
	var second, problem buffer
	require.Equal(t, cli.ExitUsage, run(ctx, []string{"local", "--port", "0", "--dist", dist, "--dir", dir}, machine(&second, &problem)))
	require.Contains(t, problem.String(), "is used by another local stack; stop that one, or choose another folder with --dir")

	require.NoError(t, os.WriteFile(file, []byte(someSchedules), 0o600))
	require.Eventually(t, func() bool { return strings.Contains(stderr.String(), "2 schedules are in force") }, patience, 20*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Count(stderr.String(), "app assembled") == 2 }, patience, 20*time.Millisecond, stderr.String())
	require.NotContains(t, stderr.String(), "level=ERROR")
	interrupt()
	require.Equal(t, cli.ExitDone, <-ended, stderr.String())
}

// localTour runs the tour without a terminal, so that it does not wait for Enter.
func localTour(t *testing.T, dist string) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"local", "--tour", "--port", "0", "--dist", dist, "--dir", ""}, machine(&stdout, &stderr))
	}()
	require.Eventually(t, func() bool { return strings.Contains(stdout.String(), "The tour has ended.") }, 3*patience, 50*time.Millisecond)
	interrupt()
	require.Equal(t, cli.ExitDone, <-ended)
	_, shown, _ := strings.Cut(stdout.String(), "1. An operation")
	for _, want := range []string{
		"protected with policy schedule1; ended as Succeeded", "Nothing was started: key tour-protect",
		"ResourceRequestsThrottled (Throttled, HTTP 429)", "the earlier request had taken effect: found as job",
		"The snapshot could not be taken.", "What to do now", "is Running.", "7. All operations", "backup-now",
	} {
		require.Contains(t, shown, want)
		_, shown, _ = strings.Cut(shown, want)
	}
	require.Contains(t, stderr.String(), "vaultId", "the wrong request is rejected")
}
