package main

import (
	"fmt"
	"slices"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/contexts"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/cli/signin"
)

// contextCommand manages the contexts: how to reach deployed apps.
type contextCommand struct {
	Add    contextAddCommand    `cmd:"" help:"Add a context: address, sign-in and defaults of a deployed app."`
	Use    contextUseCommand    `cmd:"" help:"Make a context the current one."`
	List   contextListCommand   `cmd:"" help:"List the contexts."`
	Show   contextShowCommand   `cmd:"" help:"Show a context; the current one by default."`
	Remove contextRemoveCommand `cmd:"" help:"Remove a context."`
}

type contextAddCommand struct {
	Name          string `arg:"" help:"Name of the context, such as production."`
	AzdEnv        string `placeholder:"NAME" help:"Environment of the Azure Developer CLI to take the values from; flags win."`
	AzdDir        string `default:"." help:"Folder of azure.yaml, or a folder in it."`
	TenantID      string `name:"tenant-id" placeholder:"ID" help:"Tenant of the identity that signs in."`
	ClientID      string `name:"client-id" placeholder:"ID" help:"Client ID of the identity that signs in: a user-assigned managed identity, or an application with a federated credential."`
	Subscription  string `placeholder:"ID" help:"Subscription of resources that commands name."`
	ResourceGroup string `short:"g" placeholder:"NAME" help:"Resource group of resources that commands name."`
	Vault         string `placeholder:"VAULT" help:"Vault of items that commands name: a name, or a resource ID."`
	Replace       bool   `help:"Replace an existing context of this name."`
}

// Help is shown below the command's own help.
func (contextAddCommand) Help() string {
	return `The address, the sign-in and the output format come from --url, --sign-in,
--audience and -o. A context holds no secrets: set a function key in
AZBACKUPFLOW_FUNCTION_KEY. The first context becomes the current one.`
}

// Run adds the context to the file.
func (c *contextAddCommand) Run(a *app) error {
	added := contexts.Context{}
	if c.AzdEnv != "" {
		var err error
		if added, err = contexts.FromAzd(c.AzdDir, c.AzdEnv); err != nil {
			return err
		}
	}
	for _, v := range []struct {
		into  *string
		value string
	}{
		{&added.URL, a.flags.URL},
		{&added.SignIn.Method, a.flags.SignIn},
		{&added.SignIn.Audience, a.flags.Audience},
		{&added.SignIn.TenantID, c.TenantID},
		{&added.SignIn.ClientID, c.ClientID},
		{&added.Subscription, c.Subscription},
		{&added.ResourceGroup, c.ResourceGroup},
		{&added.Vault, c.Vault},
	} {
		if v.value != "" {
			*v.into = v.value
		}
	}
	if a.outputGiven {
		added.Output = a.flags.Output
	}
	if added.URL == "" {
		return &cli.UsageError{Text: "the context has no address", Remedy: "add --url https://NAME.azurewebsites.net, or --azd-env NAME"}
	}
	if added.SignIn.Audience != "" && added.SignIn.Method == "" {
		added.SignIn.Method = signin.AzureCLI
	}
	if err := checkSignIn(added.SignIn); err != nil {
		return err
	}
	return a.changeContexts(func(all *contexts.Contexts) error { return all.Add(c.Name, added, c.Replace) }, c.Name)
}

// checkSignIn rejects a sign-in that could never work.
func checkSignIn(s contexts.SignIn) error {
	if err := checkMethod(s.Method); err != nil {
		return err
	}
	if !slices.Contains([]string{"", signin.None, signin.FunctionKey}, s.Method) && s.Audience == "" {
		return &cli.UsageError{
			Text:   "--sign-in " + s.Method + " needs the audience of the app",
			Remedy: "add --audience with the application ID URI of the app registration, such as api://CLIENT_ID",
		}
	}
	return nil
}

// changeContexts changes the file, and shows the current context.
func (a *app) changeContexts(change func(*contexts.Contexts) error, name string) error {
	file := a.contextFile()
	all, err := file.Load()
	if err != nil {
		return err
	}
	if err := change(&all); err != nil {
		return err
	}
	if err := file.Save(all); err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(namedContext{Name: name, Current: all.Current == name, Context: all.Contexts[name]})
	}
	current := "There is no current context."
	if all.Current != "" {
		current = fmt.Sprintf("Current context: %s (%s).", all.Current, all.Contexts[all.Current].URL)
	}
	a.out.Line("%s", current)
	return nil
}

// namedContext is the JSON output for one context.
type namedContext struct {
	Name    string `json:"name"`
	Current bool   `json:"current"`
	contexts.Context
}

type contextUseCommand struct {
	Name string `arg:"" complete:"context" help:"Name of the context."`
}

// Run makes the context the current one.
func (c *contextUseCommand) Run(a *app) error {
	return a.changeContexts(func(all *contexts.Contexts) error { return all.Use(c.Name) }, c.Name)
}

type contextRemoveCommand struct {
	Name string `arg:"" complete:"context" help:"Name of the context."`
}

// Run removes the context.
func (c *contextRemoveCommand) Run(a *app) error {
	return a.changeContexts(func(all *contexts.Contexts) error { return all.Remove(c.Name) }, c.Name)
}

type contextListCommand struct{}

// Run lists the contexts.
func (contextListCommand) Run(a *app) error {
	all, err := a.contextFile().Load()
	if err != nil {
		return err
	}
	list := []namedContext{}
	for _, name := range all.Names() {
		list = append(list, namedContext{Name: name, Current: name == all.Current, Context: all.Contexts[name]})
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"contexts": list})
	}
	if len(list) == 0 {
		a.out.Line("No contexts. Add one:  azbackupflow context add NAME --url URL")
		return nil
	}
	rows := make([][]string, 0, len(list))
	for _, c := range list {
		current := ""
		if c.Current {
			current = "yes"
		}
		rows = append(rows, []string{c.Name, current, render.Plain(c.URL), signInName(c.SignIn), render.Plain(c.Vault)})
	}
	a.out.Table([]string{"Name", "Current", "URL", "Sign-in", "Vault"}, rows)
	return nil
}

func signInName(s contexts.SignIn) string {
	if s.Method == "" {
		return signin.FunctionKey + ", if set"
	}
	return s.Method
}

type contextShowCommand struct {
	Name string `arg:"" complete:"context" optional:"" help:"Name of the context."`
}

// Run shows the context.
func (c *contextShowCommand) Run(a *app) error {
	all, err := a.contextFile().Load()
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = a.connection.name
	}
	if name == "" {
		return &cli.UsageError{Text: "there is no current context", Remedy: "add one with azbackupflow context add NAME --url URL"}
	}
	found, err := all.Get(name)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(namedContext{Name: name, Current: name == all.Current, Context: found})
	}
	facts := []render.Fact{{Name: "Name", Value: name}, {Name: "URL", Value: render.Plain(found.URL)}, {Name: "Sign-in", Value: signInName(found.SignIn)}}
	for _, f := range []render.Fact{
		{Name: "Audience", Value: found.SignIn.Audience}, {Name: "Tenant", Value: found.SignIn.TenantID}, {Name: "Client ID", Value: found.SignIn.ClientID},
		{Name: "Subscription", Value: found.Subscription}, {Name: "Resource group", Value: found.ResourceGroup}, {Name: "Vault", Value: found.Vault},
		{Name: "Output", Value: found.Output},
	} {
		if f.Value != "" {
			facts = append(facts, render.Fact{Name: f.Name, Value: render.Plain(f.Value)})
		}
	}
	facts = append(facts, render.Fact{Name: "File", Value: render.Plain(a.contextFile().Path())})
	a.out.Facts(facts)
	return nil
}
