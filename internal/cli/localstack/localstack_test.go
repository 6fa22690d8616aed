package localstack

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/local/armsim"
)

func TestParseInjections_HaveDefaults(t *testing.T) {
	t.Parallel()
	all, err := ParseInjections([]string{"throttle", "lost-answer", "job-fails=2", "forbidden", "slow=1"})
	require.NoError(t, err)
	require.Equal(t, []Injection{{"throttle", 3}, {"lost-answer", 1}, {"job-fails", 2}, {"forbidden", 0}, {"slow", 1}}, all)
	require.True(t, strings.HasPrefix(all[0].String(), "throttle, 3 times: Azure answers 429"), all[0])
	require.True(t, strings.HasPrefix(all[1].String(), "lost-answer, once: "), all[1])
	require.True(t, strings.HasPrefix(all[3].String(), "forbidden: "), all[3])
	for value, want := range map[string]string{"thortle": "is not an injection", "slow=0": "is not a number from 1", "slow=x": "is not a number from 1", "": "is not an injection"} {
		_, err := ParseInjections([]string{value})
		require.ErrorContains(t, err, want, value)
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
		require.Contains(t, cli.Remedy(err, cli.Caller{}), "use one", value)
	}
}

func TestInject_ChangesTheSimulatedAzure(t *testing.T) {
	t.Parallel()
	for _, name := range InjectionNames() {
		arm, err := armsim.New(armsim.Config{SpeedFactor: 1000})
		require.NoError(t, err)
		t.Cleanup(func() { _ = arm.Close() })
		call := func(method, path string) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, method, arm.Endpoint()+path, strings.NewReader(`{}`))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+arm.Token())
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return 0, err
			}
			return res.StatusCode, res.Body.Close()
		}
		const vault = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
		const version = "?api-version=2025-08-01"
		read := func() (int, error) { return call(http.MethodGet, vault+"/backupPolicies/schedule1"+version) }
		backup := func() (int, error) {
			return call(http.MethodPost, vault+"/backupFabrics/Azure/protectionContainers/x/protectedItems/y/backup"+version)
		}
		all, err := ParseInjections([]string{name})
		require.NoError(t, err)
		before, err := read()
		require.NoError(t, err)
		Inject(arm, all)
		switch name {
		case "throttle":
			for range 3 {
				status, err := read()
				require.NoError(t, err)
				require.Equal(t, http.StatusTooManyRequests, status)
			}
			status, err := read()
			require.NoError(t, err)
			require.Equal(t, before, status, "it ends")
		case "lost-answer":
			_, err := backup()
			require.Error(t, err)
			_, err = backup()
			require.NoError(t, err, "it happens once")
		case "forbidden":
			status, err := backup()
			require.NoError(t, err)
			require.Equal(t, http.StatusForbidden, status)
		case "slow":
			_, err := read()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		case "job-fails": // shown by the tour
		default:
			t.Errorf("injection %s has no test", name)
		}
	}
}

func TestParseWorld_ReadsTheExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../examples/local/world.yaml")
	require.NoError(t, err)
	world, err := ParseWorld("world.yaml", raw)
	require.NoError(t, err)
	require.Equal(t, "files-vault", world.Vaults[0].Name)
	require.Equal(t, armsim.DemoSubscription, world.StorageAccounts[0].Subscription)
	require.Len(t, world.StorageAccounts[0].Shares, 2)
	require.Equal(t, 7*24*time.Hour, world.ProtectedDatasources[0].RecoveryPoints[0].Age)
	arm, err := armsim.New(armsim.Config{World: world})
	require.NoError(t, err, "its references fit")
	require.NoError(t, arm.Close())
}

func TestParseWorld_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"vaults: [":                        "w.yaml: is not YAML",
		"- a":                              "is not an object",
		"":                                 "is not an object",
		"vaults: [{name: v, colour: red}]": `field "colour" is unknown`,
		"vaults: [{name: 7}]":              "is a number, which it must not be",
		"protectedDatasources: [{recoveryPoints: [{age: yesterday}]}]": `age "yesterday" is not a duration`,
	} {
		_, err := ParseWorld("w.yaml", []byte(text))
		require.ErrorContains(t, err, want, text)
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
		require.NotEmpty(t, cli.Remedy(err, cli.Caller{}), text)
		require.NotContains(t, err.Error(), "json", text)
	}
}

func TestWatch_ReportsChangedContents(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "schedules.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("one")
	ctx, cancel := context.WithCancel(t.Context())
	ticks, changed, ended := make(chan time.Time), make(chan string, 10), make(chan struct{})
	go func() {
		defer close(ended)
		Watch(ctx, []string{file}, func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }, func(name string) { changed <- name })
	}()
	// looks lets Watch look at the file at least once.
	looks := func() {
		ticks <- time.Time{}
		ticks <- time.Time{}
	}
	looks()
	write("two")
	looks()
	require.Equal(t, file, <-changed)
	require.NoError(t, os.Remove(file))
	looks()
	write("two") // replaced by the same content
	looks()
	cancel()
	<-ended
	require.Empty(t, changed)
}
