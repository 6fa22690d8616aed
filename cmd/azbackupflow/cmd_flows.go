package main

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/schema"
)

type flowsCommand struct {
	List flowsListCommand `cmd:"" default:"1" help:"List the flows that the app can start (default)."`
	Show flowsShowCommand `cmd:"" help:"Show the parameters of a flow: flag, meaning and an example."`
}

type flowsListCommand struct{}

// Run lists the flows that can be started.
func (flowsListCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Flows(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	var rows [][]string
	for _, f := range list.Flows {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Version), render.Plain(f.Summary)})
	}
	a.out.Table([]string{"Flow", "Version", "Summary"}, rows)
	return nil
}

type flowsShowCommand struct {
	Flow string `arg:"" help:"Name of the flow."`
}

// Help is shown below the command's own help.
func (flowsShowCommand) Help() string {
	return `The parameters are those that this program knows; it calls no app. A parameter
without a flag goes into a request file: azbackupflow start FLOW --example.`
}

// flowParameter is the output for one parameter.
type flowParameter struct {
	Parameter string `json:"parameter"`
	Flag      string `json:"flag,omitempty"`
	// Names are the flags that can take the place of Flag.
	Names   string   `json:"names,omitempty"`
	Need    string   `json:"need,omitempty"`
	Meaning string   `json:"meaning"`
	Values  []string `json:"values,omitempty"`
	Example string   `json:"example"`
	// withoutValue is set if the flag takes no value.
	withoutValue bool
}

// Run shows the parameters.
func (s *flowsShowCommand) Run(a *app) error {
	f, err := a.book.get(s.Flow)
	if err != nil {
		return err
	}
	var all []flowParameter
	for _, p := range a.parametersOf(f) {
		one := flowParameter{Parameter: p.Path, Need: parameters.Need(p), Meaning: parameters.Meaning(p), Values: p.Values, Example: f.Example(p)}
		for _, flag := range f.Flags {
			switch {
			case flag.NamesItem && flag.Path == p.Path:
				one.Names = parameters.ItemNames(p)
			case flag.Path == p.Path:
				one.Flag, one.Need = "--"+flag.Name, flag.Need()
				one.withoutValue = a.book.takesNoValue(flag.Name)
			}
		}
		all = append(all, one)
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"flow": f.Name, "summary": f.Summary, "parameters": all})
	}
	a.out.Wrapped(0, f.Name+": "+f.Summary+".")
	for _, p := range all {
		a.showParameter(p)
	}
	a.out.Line("")
	a.out.Wrapped(0, "Names of resources are looked up in the subscription, resource group and vault of the flags or the context.")
	a.out.Line("A request file with comments:  azbackupflow start %s --example", f.Name)
	return nil
}

func (a *app) showParameter(p flowParameter) {
	name := p.Flag
	if name == "" {
		name = p.Parameter
	}
	if p.Need != "" {
		name += "  (" + p.Need + ")"
	}
	a.out.Line("")
	a.out.Line("%s", a.out.Bold(name))
	a.out.Wrapped(4, p.Meaning)
	if p.Flag == "" {
		return // its fields follow
	}
	if p.withoutValue {
		a.out.Wrapped(4, "Example: "+p.Flag)
	} else {
		a.out.Wrapped(4, "Example: "+p.Flag+" "+render.Plain(shown(p.Example)))
	}
	if p.Names != "" {
		a.out.Wrapped(4, "Or: --vault NAME "+p.Names)
	}
}

// shown returns an example for people: the name of a resource that a resource ID
// names, as its last part.
func shown(example string) string {
	const partsOfID = 9 // of a resource below a resource group
	parts := strings.Split(example, "/")
	if strings.HasPrefix(example, "/subscriptions/") && len(parts) == partsOfID {
		return parts[len(parts)-1]
	}
	return example
}

// parametersOf returns the parameters of a flow.
func (a *app) parametersOf(f parameters.Flow) []schema.Parameter {
	return a.book.definition[f.Name].Parameters().List()
}
