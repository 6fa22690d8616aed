package contexts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/contexts"
)

const subscription = "00000000-0000-0000-0000-000000000000"

// rejected requires an error that says what is wrong and what would be right.
func rejected(t *testing.T, err error, problem, remedy string) {
	t.Helper()
	var usage *cli.UsageError
	require.ErrorAs(t, err, &usage)
	require.Contains(t, usage.Text, problem)
	require.Contains(t, usage.Remedy, remedy)
}

func TestFile_KeepsContexts(t *testing.T) {
	t.Parallel()
	file := contexts.NewFile(t.TempDir())
	all, err := file.Load()
	require.NoError(t, err)
	require.Empty(t, all.Names())
	production := contexts.Context{
		URL: "https://name.azurewebsites.net", SignIn: contexts.SignIn{Method: "azure-cli", Audience: "api://a", TenantID: "t", ClientID: "c"},
		Subscription: subscription, ResourceGroup: "rg", Vault: "v", Output: "json",
	}
	require.NoError(t, all.Add("production", production, false))
	require.NoError(t, all.Add("test", contexts.Context{URL: "http://127.0.0.1:7071"}, false))
	require.Equal(t, "production", all.Current, "the first one")
	require.NoError(t, all.Use("test"))
	require.NoError(t, file.Save(all))

	saved, err := file.Load()
	require.NoError(t, err)
	require.Equal(t, all, saved)
	info, err := os.Stat(file.Path())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "only the user can read it")
	left, err := os.ReadDir(filepath.Dir(file.Path()))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file is left")

	require.NoError(t, saved.Remove("test"))
	require.Empty(t, saved.Current)
	rejected(t, saved.Remove("test"), `context "test" does not exist`, "use one of production")
}

func TestContexts_RejectWrongValues(t *testing.T) {
	t.Parallel()
	all := contexts.Contexts{Contexts: map[string]contexts.Context{}}
	good := contexts.Context{URL: "https://name.example"}
	rejected(t, all.Use("x"), `context "x" does not exist`, "azbackupflow context add NAME --url URL")
	rejected(t, all.Add("a b", good, false), `"a b" is not a name of a context`, "letters")
	rejected(t, all.Add("a", contexts.Context{URL: "name.example"}, false), "is not the address of a Functions app", "https://name.azurewebsites.net")
	for _, url := range []string{"https://name.example?code=secret", "https://user:secret@name.example", "https://name.example#x"} {
		err := all.Add("a", contexts.Context{URL: url}, false)
		rejected(t, err, "--url holds more than an address", "AZBACKUPFLOW_FUNCTION_KEY")
		require.NotContains(t, err.Error(), "secret")
	}
	rejected(t, all.Add("a", contexts.Context{URL: good.URL, Subscription: "Production"}, false), `--subscription "Production" is not a subscription ID`, "az account show")
	require.NoError(t, all.Add("a", good, false))
	rejected(t, all.Add("a", good, false), `context "a" exists already`, "--replace")
	require.NoError(t, all.Add("a", good, true))
}

func TestFile_ExplainsWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		"contexts:\n  a:\n    url: x\n    password: y\n": "is not a file of contexts (line 4)",
		"contexts: [": "is not a file of contexts",
		"[]":          "is not a file of contexts",
	} {
		file := contexts.NewFile(t.TempDir())
		require.NoError(t, os.MkdirAll(filepath.Dir(file.Path()), 0o700))
		require.NoError(t, os.WriteFile(file.Path(), []byte(text), 0o600))
		_, err := file.Load()
		rejected(t, err, problem, "azbackupflow context add")
		require.NotContains(t, err.Error(), "yaml:")
	}
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	rejected(t, contexts.NewFile(blocked).Save(contexts.Contexts{}), "cannot be written", "AZBACKUPFLOW_CONFIG_DIR")
}

func TestFromAzd_ReadsItsEnvironment(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	write := func(environment, text string) {
		folder := filepath.Join(project, ".azure", environment)
		require.NoError(t, os.MkdirAll(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, ".env"), []byte(text), 0o600))
	}
	write("production", "AZBACKUPFLOW_URL=\"https://app.example\"\nAZURE_SUBSCRIPTION_ID=\""+subscription+"\"\nAZURE_TENANT_ID=\"t\"\n"+
		"AZBACKUPFLOW_VAULT_RESOURCE_GROUPS=\"rg-vaults, rg-more\"\nAZBACKUPFLOW_AUTH_CLIENT_ID=\"a\"\n")
	inner := filepath.Join(project, "docs")
	require.NoError(t, os.Mkdir(inner, 0o700))
	got, err := contexts.FromAzd(inner, "production")
	require.NoError(t, err)
	require.Equal(t, contexts.Context{
		URL: "https://app.example", Subscription: subscription, ResourceGroup: "rg-vaults", SignIn: contexts.SignIn{Audience: "api://a", TenantID: "t"},
	}, got)

	write("named", "AZBACKUPFLOW_FUNCTION_APP=func-x\nAZURE_TENANT_ID=t\n")
	got, err = contexts.FromAzd(project, "named")
	require.NoError(t, err)
	require.Equal(t, contexts.Context{URL: "https://func-x.azurewebsites.net"}, got, "without an app registration there is no sign-in")

	write("new", "AZURE_ENV_NAME=new\n")
	_, err = contexts.FromAzd(project, "new")
	rejected(t, err, `azd environment "new" has no deployed app`, "run azd up")
	write("broken", "what is this?\n")
	_, err = contexts.FromAzd(project, "broken")
	rejected(t, err, "is not a file of environment variables", "azd env refresh")
	_, err = contexts.FromAzd(project, "nope")
	rejected(t, err, `azd environment "nope" not found`, "azd env list")
	_, err = contexts.FromAzd(project, "../production")
	rejected(t, err, "is not a name of an azd environment", "azd env list")
}
