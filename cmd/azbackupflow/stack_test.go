package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/packaging"
)

const (
	exampleRequest = "../../examples/protect-file-share.json"
	// patience is how long a test waits for what must happen. Only a failing
	// test waits so long.
	patience = time.Minute
)

// packaged assembles what the local stack runs.
func packaged(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("../../internal/local/azurite/node_modules"); err != nil {
		t.Skip("needs Azurite: make deps")
	}
	dist := filepath.Join(t.TempDir(), "dist")
	_, err := packaging.Build(t.Context(), packaging.Config{Root: "../..", Folder: dist, Archive: filepath.Join(t.TempDir(), "dist.zip"), Version: "test"})
	require.NoError(t, err)
	return dist
}

// machine is the world of a command that works with real processes.
func machine(stdout, stderr *buffer) world {
	return world{
		stdout: stdout, stderr: stderr, lookup: func(string) (string, bool) { return "", false },
		now: now, sleep: sleep, ticks: ticks, newKey: func() string { return "key" },
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	dist := packaged(t) // takes longest, so once
	for name, test := range map[string]func(*testing.T, string){
		"demo protects and backs up although the handler is killed": demoWithKill,
		"demo runs every flow and ends with a table":                demoOfAll,
		"demo of an operation that fails exits so":                  demoThatFails,
		"local is up until it is interrupted":                       localUntilInterrupted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, dist)
		})
	}
}

func demoWithKill(t *testing.T, dist string) {
	var stdout, stderr buffer
	code := run(t.Context(), []string{"demo", "--kill", "--dist", dist, "-f", exampleRequest}, machine(&stdout, &stderr))
	require.Zero(t, code, stderr.String())
	shown := stdout.String()
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), width, line)
	}
	// What was asked, what Azure answered, what it means, when it looks again.
	for _, want := range []string{
		"GET …/backupPolicies/schedule1 → 200", "POST …/refreshContainers → 202", "looks again in",
		"-- the handler is killed (SIGKILL)", "the earlier request had taken effect",
		"ends as Succeeded", "Status             Succeeded\n", "Kills              1\n", "Backups asked for  1\n",
	} {
		require.Contains(t, shown, want)
	}
	require.Less(t, strings.Index(shown, "about to call"), strings.Index(shown, "is killed"), "told in order")
	require.Less(t, strings.Index(shown, "is killed"), strings.Index(shown, "had taken effect"), "told in order")
}

func demoOfAll(t *testing.T, dist string) {
	var stdout, stderr buffer
	code := run(t.Context(), []string{"demo", "--dist", dist, "--examples", "../../examples"}, machine(&stdout, &stderr))
	require.Zero(t, code, stderr.String()+stdout.String())
	shown := stdout.String()
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), width, line)
	}
	_, table, found := strings.Cut(shown, "\nFlow ")
	require.True(t, found, shown)
	all := len(demoPlan()) + 1
	require.Equal(t, all, strings.Count(table, "  Succeeded  "), table)
	require.Contains(t, table, fmt.Sprintf("\n%d of %d operations Succeeded, with ", all, all))
	require.Regexp(t, `\nrestore-postgres +empdb11, from archive +Succeeded +[0-9a-f]{8}… +7 +\d+ +\d+`, table)
}

func demoThatFails(t *testing.T, dist string) {
	raw, err := os.ReadFile(exampleRequest)
	require.NoError(t, err)
	request := file(t, strings.Replace(string(raw), "schedule1", "nope", 1))
	var stdout, stderr buffer
	code := run(t.Context(), []string{"demo", "--dist", dist, "-f", request}, machine(&stdout, &stderr))
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr.String(), "PolicyNotFound")
	require.Contains(t, stderr.String(), "what to do: ")
}

func localUntilInterrupted(t *testing.T, dist string) {
	dir := t.TempDir()
	var id string
	for round, look := range [][]string{{"-v"}, {"-o", "json"}} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var stdout, stderr buffer
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, append([]string{"local", "--port", "0", "--dist", dist, "--dir", dir}, look...), machine(&stdout, &stderr))
		}()
		var url string
		require.Eventually(t, func() bool {
			url = regexp.MustCompile(`Functions host\W+(http://127\.0\.0\.1:\d+)`).FindString(stdout.String())
			return url != ""
		}, patience, 20*time.Millisecond, stderr.String())
		url = url[strings.Index(url, "http"):]

		shell := func(args ...string) string {
			var stdout, stderr buffer
			require.Zero(t, run(ctx, append([]string{"--url", url}, args...), machine(&stdout, &stderr)), stderr.String())
			return stdout.String()
		}
		if round == 0 {
			require.Contains(t, stdout.String(), "azbackupflow --url "+url+" start protect-file-share")
			requireValidated(t, shell("validate", "protect-file-share", "-f", exampleRequest)+
				shell("validate", "protect-postgres", "-f", "../../examples/protect-postgres.json"))
			shell("start", "protect-file-share", "-f", exampleRequest, "--wait")
			id = operation.ID("local", "protect-file-share", "protect-testshare")
			require.Contains(t, stderr.String(), "operation moved", "-v shows what the handler logs")
		}
		require.Contains(t, shell("status", id), "Succeeded", "operations outlive the stack")

		interrupt()
		require.Equal(t, exitDone, <-ended, stderr.String())
	}
}

// requireValidated asserts that what validate says of the examples holds what
// the app read, and what it would have written with which body.
func requireValidated(t *testing.T, shown string) {
	t.Helper()
	for _, want := range []string{
		"The request is valid. What protect-file-share version",
		"  read: GET /", "backupPolicies/schedule1 (200)", "  would call: POST /", "refreshContainers", "Not known beforehand: ", "looks right.",
		"  would call: PUT /", `"objectType": "BackupInstance"`,
	} {
		require.Contains(t, shown, want)
	}
}

func TestStackWithoutAPackageSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"local", "--dist", t.TempDir(), "--port", "0", "--dir", ""}, {"demo", "--dist", t.TempDir(), "-f", exampleRequest}} {
		var stdout, stderr buffer
		require.Equal(t, exitFailed, run(t.Context(), args, machine(&stdout, &stderr)))
		require.Contains(t, stderr.String(), "make package")
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
	}
}
