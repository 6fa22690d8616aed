package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
)

type protectCommand struct {
	Check   protectCheckCommand   `cmd:"" help:"Check protection.yaml: every rule, and whether it can ever decide."`
	Explain protectExplainCommand `cmd:"" help:"Show which rule decides about a resource, and why."`

	Verdicts protectVerdictsCommand `cmd:"" help:"List what was decided last about each resource."`
}

type protectCheckCommand struct {
	File string `short:"f" default:"protection.yaml" help:"The file to check."`
}

// Run says what is wrong with the file, or that nothing is.
func (c *protectCheckCommand) Run(a *app) error {
	rules, err := a.readRules(c.File)
	return a.checked(c.File, "rules", len(rules), err)
}

type protectExplainCommand struct {
	ResourceID string            `arg:"" name:"resource-id" help:"A storage account, a file share (…/fileServices/default/shares/NAME) or a PostgreSQL flexible server."`
	File       string            `short:"f" default:"protection.yaml" help:"The file with the rules."`
	Location   string            `help:"The resource's region, in place of asking Azure."`
	Tag        map[string]string `placeholder:"NAME=VALUE" help:"A tag of the storage account or server, in place of asking Azure. May be repeated."`
	Cloud      string            `env:"AZBACKUPFLOW_CLOUD" default:"public" enum:"public,usgovernment,china" help:"Azure's cloud."`
	Endpoint   string            `name:"arm-endpoint" env:"AZBACKUPFLOW_ARM_ENDPOINT" placeholder:"URL" help:"Another Azure Resource Manager than the cloud's."`
}

// Help is shown below the command's own help.
func (protectExplainCommand) Help() string {
	return `Without --location and --tag the resource is read from Azure, as whoever has signed
in with the Azure CLI. Nothing is started.`
}

// explanation is the JSON output of protect explain for one resource.
type explanation struct {
	ResourceID    string                   `json:"resourceId"`
	Outcome       autoprotect.Outcome      `json:"outcome"`
	Rule          string                   `json:"rule,omitempty"`
	Reason        string                   `json:"reason"`
	DryRunMatches []string                 `json:"dryRunMatches,omitempty"`
	Rules         []autoprotect.RuleResult `json:"rules"`
}

// Run shows the evaluated rules, up to the one that decides.
func (c *protectExplainCommand) Run(ctx context.Context, a *app) error {
	rules, err := a.readRules(c.File)
	if err := a.problems(err); err != nil {
		return err
	}
	found, err := c.explain(ctx, a, rules)
	if err != nil {
		return err
	}
	all := []explanation{}
	for _, e := range found {
		x := explanation{ResourceID: e.ResourceID, Outcome: e.Decision.Outcome, Reason: e.Decision.Reason, DryRunMatches: e.Decision.DryRunMatches, Rules: e.Decision.Results}
		if e.Decision.Rule != nil {
			x.Rule = e.Decision.Rule.Name
		}
		all = append(all, x)
	}
	if a.json() {
		return a.printJSON(map[string]any{"resources": all})
	}
	if len(all) == 0 {
		a.say("The storage account has no file shares.")
		return nil
	}
	for i, x := range all {
		if i > 0 {
			a.say("")
		}
		a.explain(x)
	}
	return nil
}

func (c *protectExplainCommand) explain(ctx context.Context, a *app, rules []autoprotect.Rule) ([]autoprotect.Explanation, error) {
	if c.Location != "" || len(c.Tag) > 0 {
		e, err := autoprotect.ExplainFacts(rules, c.ResourceID, autoprotect.Facts{Location: c.Location, Tags: c.Tag})
		return []autoprotect.Explanation{e}, err
	}
	azure, err := c.azure(a)
	if err != nil {
		return nil, err
	}
	return autoprotect.Explain(ctx, rules, azure, c.ResourceID)
}

func (a *app) explain(x explanation) {
	a.say("%s", plain(x.ResourceID))
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
		rows = append(rows, []string{name, matches, plain(r.Reason)})
	}
	if len(rows) > 0 {
		a.list([]string{"Rule", "Matches", "Reason"}, rows)
	}
	by := "no rule matches"
	if x.Rule != "" {
		by = "by rule " + x.Rule
	}
	a.say("Decision: %s, %s", x.Outcome, by)
}

// azure reads from Azure as whoever has signed in on this machine.
func (c *protectExplainCommand) azure(a *app) (*datasource.Client, error) {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("sign in to Azure: %w", err)
	}
	client, err := arm.New(arm.Config{Cloud: c.Cloud, Endpoint: c.Endpoint, Credential: credential, Clock: a.now})
	if err != nil {
		return nil, &usage{text: err.Error()}
	}
	return datasource.New(client), nil
}

// readRules reads a file as the app does at its start.
func (a *app) readRules(file string) ([]autoprotect.Rule, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, &usage{text: fmt.Sprintf("%s cannot be read: %v", file, errors.Unwrap(err))}
	}
	check, err := a.requestCheck()
	if err != nil {
		return nil, err
	}
	return autoprotect.Parse(file, raw, autoprotect.Check(check))
}
