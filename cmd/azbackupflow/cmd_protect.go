package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

type protectCommand struct {
	Check     protectCheckCommand     `cmd:"" help:"Check protection.yaml: every rule, and whether it can ever decide."`
	Explain   protectExplainCommand   `cmd:"" help:"Show which rule decides about a resource, and why."`
	Decisions protectDecisionsCommand `cmd:"" help:"List the last decision about each resource."`
}

type protectCheckCommand struct {
	File string `short:"f" default:"protection.yaml" help:"File to check."`
}

// Run shows the problems of the file.
func (c *protectCheckCommand) Run(a *app) error {
	rules, err := a.readRules(c.File)
	return a.showCheck(c.File, "rules", len(rules), err)
}

type protectExplainCommand struct {
	ResourceID string            `arg:"" name:"resource-id" help:"Resource ID of a storage account, a file share (…/fileServices/default/shares/NAME), a virtual machine, a database on one (…/sqlInstances/INSTANCE/databases/NAME), a disk, a cluster or a database server."`
	File       string            `short:"f" default:"protection.yaml" help:"File with the rules."`
	Location   string            `placeholder:"REGION" help:"Region of the resource; replaces the call to Azure."`
	Tag        map[string]string `placeholder:"NAME=VALUE" help:"Tag of the resource, or of the storage account or virtual machine that contains it; replaces the call to Azure. May be repeated."`
	Cloud      string            `env:"AZBACKUPFLOW_CLOUD" default:"public" enum:"public,usgovernment,china" help:"Azure cloud: public, usgovernment or china."`
	LocalDir   string            `default:".local" help:"Folder of the local stack, whose simulated Azure is read while it runs, unless a deployed app is selected."`
	Endpoint   string            `name:"arm-endpoint" env:"AZBACKUPFLOW_ARM_ENDPOINT" placeholder:"URL" help:"Address of Azure Resource Manager, if it is not that of the cloud."`
}

// Help is shown below the command's own help.
func (protectExplainCommand) Help() string {
	return `Without --location and --tag, the command reads the resource: from the simulated
Azure while azbackupflow local runs, without a sign-in; else from Azure, with the
sign-in of this machine, such as that of az login, which needs the role Reader on
the resource. It starts nothing.`
}

// explanation is the JSON output for one resource.
type explanation struct {
	ResourceID    string                   `json:"resourceId"`
	Type          autoprotect.Kind         `json:"type"`
	Outcome       autoprotect.Outcome      `json:"outcome"`
	Rule          string                   `json:"rule,omitempty"`
	Reason        string                   `json:"reason"`
	DryRunMatches []string                 `json:"dryRunMatches,omitempty"`
	Rules         []autoprotect.RuleResult `json:"rules"`
	PolicyGaps    []string                 `json:"policyGaps,omitempty"`
}

// Run shows the evaluated rules, up to the one that decides.
func (c *protectExplainCommand) Run(ctx context.Context, a *app) error {
	rules, err := a.readRules(c.File)
	if err := a.showProblems(err); err != nil {
		return err
	}
	found, err := c.explain(ctx, a, rules)
	if err != nil {
		return err
	}
	all := []explanation{}
	for _, e := range found {
		x := explanation{ResourceID: e.ResourceID, Type: e.Type, PolicyGaps: e.PolicyGaps, Outcome: e.Decision.Outcome, Reason: e.Decision.Reason, DryRunMatches: e.Decision.DryRunMatches, Rules: e.Decision.Results}
		if e.Decision.Rule != nil {
			x.Rule = e.Decision.Rule.Name
		}
		all = append(all, x)
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"resources": all})
	}
	if len(all) == 0 {
		a.out.Line("The storage account has no file shares.")
		return nil
	}
	for i, x := range all {
		if i > 0 {
			a.out.Line("")
		}
		a.showExplanation(x)
	}
	return nil
}

func (c *protectExplainCommand) explain(ctx context.Context, a *app, rules []autoprotect.Rule) ([]autoprotect.Explanation, error) {
	if c.Location != "" || len(c.Tag) > 0 {
		return autoprotect.ExplainFacts(rules, c.ResourceID, autoprotect.Facts{Location: c.Location, Tags: c.Tag})
	}
	azure, err := c.datasources(a)
	if err != nil {
		return nil, err
	}
	return autoprotect.Explain(ctx, rules, azure, c.ResourceID)
}

func (a *app) showExplanation(x explanation) {
	a.out.Line("%s", a.out.Bold(a.out.ResourceID(x.ResourceID)))
	var rows [][]string
	for _, r := range x.Rules {
		matches := "no"
		if r.Matches {
			matches = "yes"
		}
		name := r.Rule
		if r.DryRun {
			name += " (dry run)"
		}
		rows = append(rows, []string{name, matches, render.Plain(r.Reason)})
	}
	if len(rows) > 0 {
		a.out.Table([]string{"Rule", "Matches", "Reason"}, rows)
	}
	by := "no rule matches"
	if x.Rule != "" {
		by = "by rule " + x.Rule
	}
	a.out.Line("Decision: %s, %s", x.Outcome, by)
	if len(x.PolicyGaps) > 0 {
		a.out.Line("Azure Policy may miss it, because")
	}
	for _, gap := range x.PolicyGaps {
		a.out.Line("- %s", render.Plain(gap))
	}
}

// datasources returns a client for the simulated Azure of the local stack, or for
// Azure with the credentials of this machine.
func (c *protectExplainCommand) datasources(a *app) (*datasource.Client, error) {
	endpoint, credential, err := c.azure(a)
	if err != nil {
		return nil, err
	}
	client, err := arm.New(arm.Config{Cloud: c.Cloud, Endpoint: endpoint, Credential: credential, Now: a.now})
	if err != nil {
		return nil, &cli.UsageError{Text: err.Error()}
	}
	return datasource.New(client), nil
}

func (c *protectExplainCommand) azure(a *app) (endpoint string, credential azcore.TokenCredential, err error) {
	if isLocal(a.connection.context.URL) && c.Endpoint == "" {
		id, runs, err := readLocalIdentity(c.LocalDir)
		if err != nil || runs {
			return id.ResourceManager, id, err
		}
	}
	credential, err = azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return "", nil, &cli.UsageError{Text: "this machine has no sign-in for Azure", Remedy: "run az login, or add --location and --tag, which need no call"}
	}
	return c.Endpoint, machineSignIn{credential}, nil
}

// machineSignIn is the sign-in of this machine, with errors in words.
type machineSignIn struct{ azcore.TokenCredential }

// GetToken implements azcore.TokenCredential.
func (m machineSignIn) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := m.TokenCredential.GetToken(ctx, o)
	if err != nil && ctx.Err() == nil {
		return token, &cli.UsageError{Text: "this machine has no sign-in for Azure", Remedy: "run az login, or add --location and --tag, which need no call"}
	}
	return token, err
}

// readRules parses a file as the app does at its start.
func (a *app) readRules(file string) ([]autoprotect.Rule, error) {
	raw, err := cli.ReadFile(file, a.stdin)
	if err != nil {
		return nil, err
	}
	check, err := a.requestCheck()
	if err != nil {
		return nil, err
	}
	return autoprotect.Parse(file, raw, check)
}
