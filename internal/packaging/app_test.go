package packaging_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// These tests read this repository's own host.json, function.json files and
// sample of local settings.

const root = "../.."

type binding struct {
	Type, Direction, Name, Route, AuthLevel, Schedule string
	QueueName, Connection, Cardinality                string
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into), name)
}

func bindings(t *testing.T) map[string][]binding {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "functions", "*", "function.json"))
	require.NoError(t, err)
	all := map[string][]binding{}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		var function struct{ Bindings []binding }
		read(t, "functions/"+name+"/function.json", &function)
		all[name] = function.Bindings
	}
	return all
}

func TestHostJSON_LocksOutliveInvocations(t *testing.T) {
	t.Parallel()
	var host struct {
		FunctionTimeout string
		CustomHandler   struct{ EnableProxyingHTTPRequest bool }
		ExtensionBundle struct{ ID, Version string }
		Extensions      struct {
			ServiceBus struct {
				AutoCompleteMessages       *bool
				MaxAutoLockRenewalDuration string
				PrefetchCount              *int
			}
		}
	}
	read(t, "host.json", &host)
	require.Nil(t, host.Extensions.ServiceBus.AutoCompleteMessages, "it has no effect on a custom handler")
	require.Equal(t, host.FunctionTimeout, host.Extensions.ServiceBus.MaxAutoLockRenewalDuration, "a lock ends before its invocation")
	require.NotNil(t, host.Extensions.ServiceBus.PrefetchCount)
	require.Zero(t, *host.Extensions.ServiceBus.PrefetchCount, "locks of prefetched messages run out while they wait")
	require.True(t, host.CustomHandler.EnableProxyingHTTPRequest)
	require.Equal(t, "Microsoft.Azure.Functions.ExtensionBundle", host.ExtensionBundle.ID)
	require.Equal(t, "[4.22.0, 5.0.0)", host.ExtensionBundle.Version, "a named version, see docs/adr/0021-extension-bundle-range.md")
}

func TestFunctions_ServeEveryQueueAndItsDeadLetters(t *testing.T) {
	t.Parallel()
	queues := map[string]string{}
	for name, list := range bindings(t) {
		for _, b := range list {
			if b.Type != "serviceBusTrigger" {
				continue
			}
			queues[b.QueueName] = name
			require.Equal(t, "ServiceBusConnection", b.Connection, name)
			require.Equal(t, "one", b.Cardinality, name)
			require.Equal(t, "message", b.Name, name)
		}
	}
	require.Equal(t, map[string]string{
		"requests": "start-operation",
		"steps":    "run-step",
	}, queues, "a trigger on a dead-letter queue would deliver a message that it cannot bind without end")
}

func TestFunctions_HTTPFunctionsAreProxied(t *testing.T) {
	t.Parallel()
	for name, list := range bindings(t) {
		if !slices.ContainsFunc(list, func(b binding) bool { return b.Type == "httpTrigger" }) {
			continue
		}
		require.Len(t, list, 2, name)
		require.Equal(t, "http", list[1].Type, name)
		require.Equal(t, "out", list[1].Direction, name)
		level := "function"
		if name == "dashboard" {
			level = "anonymous" // App Service authentication signs its callers in
		}
		require.Equal(t, level, list[0].AuthLevel, name)
	}
}

func TestLocalSettings_HaveEverySettingOfTheFunctions(t *testing.T) {
	t.Parallel()
	var settings struct{ Values map[string]string }
	read(t, "local.settings.sample.json", &settings)
	require.Equal(t, "custom", settings.Values["FUNCTIONS_WORKER_RUNTIME"])
	names := slices.Collect(maps.Keys(settings.Values))
	for name, list := range bindings(t) {
		for _, b := range list {
			if b.Connection != "" {
				require.Contains(t, names, b.Connection, name)
			}
			if setting, ok := strings.CutPrefix(b.Schedule, "%"); ok {
				require.Contains(t, names, strings.TrimSuffix(setting, "%"), name)
			}
		}
	}
}

// Scripts of npm packages run with the rights of any user who installs them.
func TestMakefile_InstallsNpmPackagesWithoutScripts(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	installs := 0
	for line := range strings.Lines(string(makefile)) {
		if strings.Contains(line, "$(NPM) ci") {
			installs++
			require.Contains(t, line, "--ignore-scripts")
		}
	}
	require.Equal(t, 1, installs)
	for _, folder := range []string{"internal/local/azurite", "test/outside/servicebus", "test/outside/oav"} {
		lock, err := os.ReadFile(filepath.Join(root, folder, "package-lock.json"))
		require.NoError(t, err)
		require.NotContains(t, string(lock), `"hasInstallScript": true`, "%s: this package does not work without its script", folder)
	}
}
