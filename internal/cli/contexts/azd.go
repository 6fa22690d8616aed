package contexts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/joho/godotenv"

	"azbackupflow/internal/cli"
)

// FromAzd returns the context of an environment of the Azure Developer CLI. It
// looks for the environment in a folder and in the folders above it.
func FromAzd(folder, environment string) (Context, error) {
	path, err := findAzd(folder, environment)
	if err != nil {
		return Context{}, err
	}
	values, err := godotenv.Read(path)
	if err != nil {
		return Context{}, &cli.UsageError{Text: path + " is not a file of environment variables", Remedy: "run azd env refresh"}
	}
	c := Context{
		URL:           values["AZBACKUPFLOW_URL"],
		Subscription:  values["AZURE_SUBSCRIPTION_ID"],
		ResourceGroup: firstOf(values["AZBACKUPFLOW_VAULT_RESOURCE_GROUPS"]),
	}
	if client := values["AZBACKUPFLOW_AUTH_CLIENT_ID"]; client != "" {
		c.SignIn = SignIn{Audience: "api://" + client, TenantID: values["AZURE_TENANT_ID"]}
	}
	if c.URL == "" && values["AZBACKUPFLOW_FUNCTION_APP"] != "" {
		c.URL = "https://" + values["AZBACKUPFLOW_FUNCTION_APP"] + ".azurewebsites.net"
	}
	if c.URL == "" {
		return Context{}, &cli.UsageError{
			Text:   fmt.Sprintf("azd environment %q has no deployed app: %s sets neither AZBACKUPFLOW_URL nor AZBACKUPFLOW_FUNCTION_APP", environment, path),
			Remedy: "run azd up, or azd env refresh if the app is deployed",
		}
	}
	return c, nil
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

func findAzd(folder, environment string) (string, error) {
	start, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("find folder %s: %w", folder, err)
	}
	if environment != filepath.Base(environment) {
		return "", &cli.UsageError{Text: fmt.Sprintf("--azd-env %q is not a name of an azd environment", environment), Remedy: "use a name that azd env list shows"}
	}
	for at := start; ; at = filepath.Dir(at) {
		path := filepath.Join(at, ".azure", environment, ".env")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", &cli.UsageError{Text: path + " cannot be read", Remedy: "make the file readable"}
		}
		if at == filepath.Dir(at) {
			return "", &cli.UsageError{
				Text:   fmt.Sprintf("azd environment %q not found in %s or a folder above", environment, start),
				Remedy: "run the command in the folder of azure.yaml, or set --azd-dir; azd env list shows the environments",
			}
		}
	}
}
