package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/packaging"
)

const (
	exampleRequest = "../../examples/protect-file-share.json"
	// exampleAccountShare is a file share of the simulated Azure.
	exampleAccountShare = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2/fileServices/default/shares/testshare"
	// patience is how long a failing test waits.
	patience = time.Minute
)

// packaged builds the package that the local stack runs.
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

// machine returns the environment of a command that starts real processes.
func machine(stdout, stderr *buffer) environment {
	return environment{
		stdout: stdout, stderr: stderr, lookup: func(string) (string, bool) { return "", false },
		now: now, sleep: sleep, ticks: ticks, newKey: func() string { return "key" }, configDir: filepath.Join("testdata", "no-contexts"),
	}
}

func TestLocalStack_RunsDemoAndLocal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the local stack several times")
	}
	t.Parallel()
	dist := packaged(t) // slow, so only once
	for name, test := range map[string]func(*testing.T, string){
		"demo succeeds although the handler is killed":   demoWithKill,
		"demo runs every flow and ends with a table":     demoOfAll,
		"demo exits with an error if an operation fails": demoThatFails,
		"local runs until it is interrupted":             localUntilInterrupt,
		"local reads a changed file again":               localWithReload,
		"local shows the tour":                           localTour,
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
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), outputWidth, line)
	}
	// Each call, the response, the result, and the next check.
	for _, want := range []string{
		"GET …/backupPolicies/schedule1 → 200", "POST …/refreshContainers → 202", "next check in",
		"-- the handler is killed (SIGKILL)", "the earlier request had taken effect",
		"ended as Succeeded", "Status           Succeeded\n", "Kills            1\n", "Backups started  1\n",
	} {
		require.Contains(t, shown, want)
	}
	require.Less(t, strings.Index(shown, "about to call"), strings.Index(shown, "is killed"), "lines are in order")
	require.Less(t, strings.Index(shown, "is killed"), strings.Index(shown, "had taken effect"), "lines are in order")

	recorded, err := os.ReadFile("../../docs/pictures/demo.cast")
	require.NoError(t, err)
	plain := escapes().ReplaceAllString(strings.ReplaceAll(string(recorded), `\u001b`, "\x1b"), "")
	require.Equal(t, stepsShown(shown), stepsShown(plain), "the picture of the demo is outdated; run make pictures")
}

// stepsShown returns the names of the steps in a timeline, each once.
func stepsShown(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\d\d:\d\d:\d\d  ([a-z][a-z-]+) `).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func demoOfAll(t *testing.T, dist string) {
	var stdout, stderr buffer
	code := run(t.Context(), []string{"demo", "--dist", dist, "--examples", "../../examples"}, machine(&stdout, &stderr))
	require.Zero(t, code, stderr.String()+stdout.String())
	shown := stdout.String()
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), outputWidth, line)
	}
	_, table, found := strings.Cut(shown, "\nFlow ")
	require.True(t, found, shown)
	var plan []json.RawMessage
	raw, err := os.ReadFile("../../examples/demo/plan.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &plan))
	all := len(plan)
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
	require.Equal(t, cli.ExitFailed, code)
	require.Contains(t, stderr.String(), "PolicyNotFound")
	require.Contains(t, stderr.String(), "what to do: ")
}

func localUntilInterrupt(t *testing.T, dist string) {
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
			shell("start", exampleRequest, "--key", "protect-testshare", "--wait")
			id = operation.ID("local", "protect-file-share", "protect-testshare")
			require.Contains(t, stderr.String(), "operation saved", "-v shows the log of the handler")
			account, _, _ := strings.Cut(exampleAccountShare, "/fileServices/")
			explained := shell("protect", "explain", exampleAccountShare, "-f", declared(t, "protection.yaml", someRules), "--local-dir", dir)
			require.Contains(t, explained, account, "the simulated Azure is read with the stack's identity")
			require.Contains(t, explained, "Decision: ")
			requireNotice(t, regexp.MustCompile(`Endpoint=sb://\S+`).FindString(stdout.String()), id)
		}
		require.Contains(t, shell("status", id), "Succeeded", "operations outlive the stack")

		interrupt()
		require.Equal(t, cli.ExitDone, <-ended, stderr.String())
	}
}

// requireNotice receives the first notice from the subscription of the topic.
func requireNotice(t *testing.T, connection, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := azservicebus.NewClientFromConnectionString(connection, nil)
	require.NoError(t, err)
	defer func() { _ = client.Close(context.Background()) }()
	receiver, err := client.NewReceiverForSubscription("notices", stack.Subscription, nil)
	require.NoError(t, err)
	received, err := receiver.ReceiveMessages(ctx, 1, nil)
	require.NoError(t, err)
	require.Len(t, received, 1)
	require.Contains(t, string(received[0].Body), "azbackupflow.operation.started")
	require.Contains(t, string(received[0].Body), id)
}

func TestLocalCommand_PassesItsFlagsToTheStack(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		args   []string
		set    map[string]string
		want   stack.Config
		notice string
		reply  string
	}{
		"by default": {nil, nil, stack.Config{Queues: []string{"replies"}, Topics: []string{"notices"}}, "notices", "replies"},
		"all flags": {
			[]string{
				"--bus-port", "5673", "--bus-key", "k", "--queue", "a", "--queue", "b", "--reply-queue", "c", "--reply-queue", "d",
				"--topic", "e", "--topic", "f",
			}, nil,
			stack.Config{BusPort: 5673, BusKey: "k", Queues: []string{"c", "d", "a", "b"}, Topics: []string{"e", "f"}}, "e", "c,d",
		},
		"settings in the environment": {
			[]string{"--queue", "mine"}, map[string]string{"AZBACKUPFLOW_NOTICES": "mine", "AZBACKUPFLOW_REPLY_QUEUES": ""},
			stack.Config{Queues: []string{"replies", "mine"}, Topics: []string{"notices"}}, "mine", "",
		},
	} {
		var l localCommand
		parser, err := kong.New(&l)
		require.NoError(t, err)
		_, err = parser.Parse(x.args)
		require.NoError(t, err)
		a := &app{environment: environment{lookup: func(key string) (string, bool) { v, ok := x.set[key]; return v, ok }}}
		got, err := l.stackConfig(a)
		require.NoError(t, err, name)
		require.Equal(t, x.want, stack.Config{BusPort: got.BusPort, BusKey: got.BusKey, Queues: got.Queues, Topics: got.Topics}, name)
		require.Equal(t, x.notice, got.Settings["AZBACKUPFLOW_NOTICES"], name)
		require.Equal(t, x.reply, got.Settings["AZBACKUPFLOW_REPLY_QUEUES"], name)
	}
}

// requireValidated checks the reads and the unsent calls in the output of validate.
func requireValidated(t *testing.T, shown string) {
	t.Helper()
	for _, want := range []string{
		"The request is valid. Steps of protect-file-share version",
		"  read: GET /", "backupPolicies/schedule1 (200)", "  would call: POST /", "refreshContainers", "Not checked: ", "found no problem.",
		"  would call: PUT /", `"objectType": "BackupInstance"`,
	} {
		require.Contains(t, shown, want)
	}
}

func TestLocalStack_ReportsAMissingPackage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"local", "--dist", t.TempDir(), "--port", "0", "--dir", ""}, {"demo", "--dist", t.TempDir(), "-f", exampleRequest}} {
		var stdout, stderr buffer
		require.Equal(t, cli.ExitFailed, run(t.Context(), args, machine(&stdout, &stderr)))
		require.Contains(t, stderr.String(), "make package")
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"))
	}
}
