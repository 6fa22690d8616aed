package main

import (
	"os"
	"os/exec"
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
		key  bool
		line string
	}{
		"with a function key": {[]string{"AZBACKUPFLOW_URL=https://app.example"}, true, "azbackupflow runs at https://app.example"},
		"with a sign-in":      {[]string{"AZBACKUPFLOW_AUTH_CLIENT_ID=a"}, false, "azbackupflow runs at https://func-x.azurewebsites.net"},
	} {
		hook := exec.CommandContext(t.Context(), "sh", "../../infra/hooks/next-steps.sh")
		hook.Env = append(c.set, "PATH="+os.Getenv("PATH"), "AZURE_ENV_NAME=production", "AZURE_RESOURCE_GROUP=rg", "AZBACKUPFLOW_FUNCTION_APP=func-x")
		out, err := hook.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), c.line, name)
		require.Equal(t, c.key, strings.Contains(string(out), "export AZBACKUPFLOW_FUNCTION_KEY=$(az functionapp keys list --resource-group rg --name func-x"), name)
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
