package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// The hook prints commands that this program has.
func TestAzdHook_PrintsTheAddressAndTheNextCommand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  []string
		line string
	}{
		"with a function key": {[]string{"AZBACKUPFLOW_URL=https://app.example"}, "azbackupflow runs at https://app.example"},
		"with a sign-in":      {[]string{"AZBACKUPFLOW_AUTH_CLIENT_ID=a"}, "azbackupflow runs at https://func-x.azurewebsites.net"},
	} {
		hook := exec.CommandContext(t.Context(), "sh", "../../infra/hooks/next-steps.sh")
		hook.Env = append(c.set, "PATH="+os.Getenv("PATH"), "AZURE_ENV_NAME=production", "AZURE_RESOURCE_GROUP=rg", "AZBACKUPFLOW_FUNCTION_APP=func-x")
		out, err := hook.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), c.line, name)
		require.Contains(t, string(out), "export AZBACKUPFLOW_FUNCTION_KEY=$(az functionapp keys list --resource-group rg --name func-x", "%s: the host requires the key of each caller", name)
		commands := regexp.MustCompile(`(?m)^ +azbackupflow (.*)$`).FindAllStringSubmatch(string(out), -1)
		require.Len(t, commands, 2, name)
		for _, m := range commands {
			parser, err := kong.New(&commandLine{})
			require.NoError(t, err)
			_, err = parser.Parse(strings.Fields(m[1]))
			require.NoError(t, err, m[1])
		}
	}
}

func TestAzdHook_RejectsARegionWithoutThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		location, az string
		exit         int
		said         string
	}{
		"a region of the list":     {"westeurope", "printf 'eastus\\nwesteurope\\n'", 0, ""},
		"the name for people":      {"West Europe", "printf 'East US\\nWest Europe\\n'", 0, ""},
		"another region":           {"jioindiawest", "printf 'eastus\\nwesteurope\\n'", 1, "not available in the region jioindiawest"},
		"the beginning of a name":  {"eastus", "printf 'eastus2\\n'", 1, "  azd env set AZURE_LOCATION westeurope"},
		"az is not signed in":      {"eastus", "exit 1", 0, "not checked: the Azure CLI could not list"},
		"an empty list":            {"eastus", "true", 0, "not checked: the Azure CLI could not list"},
		"no region is chosen yet":  {"", "exit 1", 0, "not checked: AZURE_LOCATION is not set"},
		"az is not in the machine": {"eastus", "", 0, "the Azure CLI is not installed"},
	} {
		bin := t.TempDir()
		for _, tool := range []string{"sh", "tr", "sed", "cat"} {
			path, err := exec.LookPath(tool)
			require.NoError(t, err)
			require.NoError(t, os.Symlink(path, filepath.Join(bin, tool)))
		}
		if c.az != "" {
			require.NoError(t, os.WriteFile(filepath.Join(bin, "az"), []byte("#!/bin/sh\n"+c.az+"\n"), 0o700))
		}
		hook := exec.CommandContext(t.Context(), filepath.Join(bin, "sh"), "../../infra/hooks/region.sh")
		hook.Env = []string{"PATH=" + bin, "AZURE_LOCATION=" + c.location}
		out, _ := hook.CombinedOutput() // the exit code is compared below
		require.Equal(t, c.exit, hook.ProcessState.ExitCode(), "%s: %s", name, out)
		require.Contains(t, string(out), c.said, name)
	}
}
