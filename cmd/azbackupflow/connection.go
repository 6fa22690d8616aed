package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/contexts"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/cli/signin"
	"azbackupflow/internal/client"
)

// localURL is the address of the local stack, and the default of --url.
const localURL = "http://127.0.0.1:7071"

// connectionFlags select the app and the sign-in. Flags win over environment
// variables, and these win over the context.
type connectionFlags struct {
	Context     string `placeholder:"NAME" help:"Context of the app, instead of the current one (AZBACKUPFLOW_CONTEXT); see azbackupflow context."`
	URL         string `name:"url" placeholder:"URL" help:"Address of the Functions app (AZBACKUPFLOW_URL); that of the local stack by default."`
	FunctionKey string `placeholder:"KEY" help:"Function key of the app, if it requires one. Prefer AZBACKUPFLOW_FUNCTION_KEY: other users of this machine can read flags."`
	SignIn      string `placeholder:"METHOD" help:"Sign-in: function-key, azure-cli, managed-identity, workload-identity, device-code or none (AZBACKUPFLOW_SIGN_IN)."`
	Audience    string `placeholder:"URI" help:"Application ID URI of the app registration for the sign-in, such as api://CLIENT_ID (AZBACKUPFLOW_AUDIENCE)."`
}

// connection is how commands reach the app.
type connection struct {
	// name is the name of the context; empty without one.
	name        string
	context     contexts.Context
	functionKey string
}

// isLocal reports whether an address is on this machine.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
}

// caller describes the connection for errors.
func (c connection) caller() cli.Caller {
	return cli.Caller{URL: c.context.URL, Local: c.context.URL == localURL, SignIn: c.context.SignIn.Method, HasKey: c.functionKey != ""}
}

// contextFile returns the file of the contexts.
func (env environment) contextFile() contexts.File {
	dir := env.configDir
	if set, _ := env.lookup("AZBACKUPFLOW_CONFIG_DIR"); set != "" {
		dir = set
	}
	return contexts.NewFile(dir)
}

// connect joins flags, environment variables and the context.
func (env environment) connect(f connectionFlags) (connection, error) {
	variable := func(name string) string { v, _ := env.lookup(name); return v }
	first := func(values ...string) string {
		return values[max(0, slices.IndexFunc(values, func(v string) bool { return v != "" }))]
	}
	all, err := env.contextFile().Load()
	if err != nil {
		return connection{}, err
	}
	c := connection{name: first(f.Context, variable("AZBACKUPFLOW_CONTEXT"), all.Current), functionKey: first(f.FunctionKey, variable("AZBACKUPFLOW_FUNCTION_KEY"))}
	if c.name != "" {
		if c.context, err = all.Get(c.name); err != nil {
			return connection{}, err
		}
	}
	address := first(f.URL, variable("AZBACKUPFLOW_URL"))
	if f.Context != "" && f.URL == "" {
		address = c.context.URL // a flag wins over a variable
	}
	if address != "" && strings.TrimRight(address, "/") != strings.TrimRight(c.context.URL, "/") {
		// The sign-in of the context is for its app only.
		c.context.SignIn = contexts.SignIn{}
	}
	c.context.URL = first(address, c.context.URL, localURL)
	s := &c.context.SignIn
	s.Method = first(f.SignIn, variable("AZBACKUPFLOW_SIGN_IN"), s.Method)
	s.Audience = first(f.Audience, variable("AZBACKUPFLOW_AUDIENCE"), s.Audience)
	s.TenantID = first(variable("AZBACKUPFLOW_TENANT_ID"), s.TenantID)
	s.ClientID = first(variable("AZBACKUPFLOW_CLIENT_ID"), s.ClientID)
	c.context.Subscription = first(variable("AZBACKUPFLOW_SUBSCRIPTION"), c.context.Subscription)
	c.context.ResourceGroup = first(variable("AZBACKUPFLOW_RESOURCE_GROUP"), c.context.ResourceGroup)
	c.context.Vault = first(variable("AZBACKUPFLOW_VAULT"), c.context.Vault)
	c.context.Output = first(variable("AZBACKUPFLOW_OUTPUT"), c.context.Output)
	return c, checkMethod(s.Method)
}

func checkMethod(method string) error {
	if method == "" || slices.Contains(signin.Methods(), method) {
		return nil
	}
	return &cli.UsageError{Text: "--sign-in \"" + method + "\" is not a method of signing in", Remedy: "use one of " + strings.Join(signin.Methods(), ", ")}
}

// given reports whether a flag is on the command line.
func given(parsed *kong.Context, name string) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == name })
}

// client returns a client for the app of the connection.
func (a *app) client() (*client.Client, error) {
	token, err := a.token()
	if err != nil {
		return nil, err
	}
	key := a.connection.functionKey
	if a.connection.context.SignIn.Method == signin.None {
		key = ""
	}
	c, err := client.New(client.Config{URL: a.connection.context.URL, FunctionKey: key, Token: token, Now: a.now, Sleep: a.sleep, HTTP: a.http})
	if err != nil {
		return nil, &cli.UsageError{Text: err.Error()}
	}
	return c, nil
}

// token returns the source of access tokens; nil if the sign-in needs none.
func (a *app) token() (func(context.Context) (string, error), error) {
	s := a.connection.context.SignIn
	switch s.Method {
	case signin.None, "":
		return nil, nil
	case signin.FunctionKey:
		if a.connection.functionKey == "" {
			return nil, &cli.UsageError{Text: "sign-in function-key needs a function key", Remedy: "set AZBACKUPFLOW_FUNCTION_KEY to a key of the app, which az functionapp keys list shows"}
		}
		return nil, nil
	}
	c := signin.Config{
		Method: s.Method, Audience: s.Audience, TenantID: s.TenantID, ClientID: s.ClientID, Lookup: a.lookup, Prompt: a.out.Note, Now: a.now,
	}
	if a.signInHTTP != nil {
		c.Transport = a.signInHTTP
	}
	token, err := signin.New(c)
	var failed *signin.Error
	if errors.As(err, &failed) {
		return nil, &client.SignInError{Err: err}
	}
	return token, err
}

// scope returns where names of resources belong. Empty values are those of the context.
func (a *app) scope(subscription, resourceGroup string) parameters.Scope {
	s := parameters.Scope{Subscription: a.connection.context.Subscription, ResourceGroup: a.connection.context.ResourceGroup, Vault: a.connection.context.Vault}
	if subscription != "" {
		s.Subscription = subscription
	}
	if resourceGroup != "" {
		s.ResourceGroup = resourceGroup
	}
	return s
}

// userConfigDir returns the folder of the user's configuration files, and a folder
// in the working directory if the user has none.
func userConfigDir() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return filepath.Join(".", ".config")
	}
	return dir
}
