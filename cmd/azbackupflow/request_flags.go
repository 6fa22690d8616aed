package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/duration"
)

// requestFlags are the flags of commands that read a request.
type requestFlags struct {
	Target        string            `arg:"" optional:"" name:"flow-or-file" help:"Flow, with its parameters as flags (azbackupflow flows show FLOW lists them), or a request file that names its flow."`
	File          string            `short:"f" placeholder:"FILE" help:"Request file, as YAML or JSON (- for standard input): {flow, key, parameters, deadline, labels}. Flags override it."`
	Set           []string          `sep:"none" placeholder:"PATH=VALUE" help:"Parameter by its path, such as rule.name=BackupWeekly; may be repeated."`
	Key           string            `placeholder:"KEY" help:"Key of the request, with {date}, {hour} or {env:NAME} in it. The same flow and key is the same operation, however often it is started. A new key by default."`
	Label         map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Label of the operation; may be repeated."`
	Deadline      string            `placeholder:"DURATION" help:"Maximum duration of the operation, such as 6h, 7d or PT6H."`
	Subscription  string            `placeholder:"ID" help:"Subscription of resources that flags name; that of the context by default."`
	ResourceGroup string            `short:"g" placeholder:"NAME" help:"Resource group of resources that flags name; that of the context by default."`
	Parameters    kong.Plugins      `embed:""`
}

// request joins the file and the flags.
func (f *requestFlags) request(a *app) (api.Request, error) {
	flowName, file, err := f.target(a.book)
	if err != nil {
		return api.Request{}, err
	}
	r := api.Request{}
	if file != "" {
		raw, err := cli.ReadFile(file, a.stdin)
		if err != nil {
			return r, err
		}
		if r, err = cli.DecodeRequest(raw, file); err != nil {
			return r, err
		}
	}
	switch {
	case flowName == "" && r.Flow == "":
		return r, &cli.UsageError{Text: file + " has no field flow", Remedy: "add flow to the file, or name the flow: azbackupflow start FLOW --file " + file}
	case flowName != "" && r.Flow != "" && r.Flow != flowName:
		return r, &cli.UsageError{Text: fmt.Sprintf("%s is a request for flow %s, the command line names %s", file, r.Flow, flowName), Remedy: "name the same flow"}
	case r.Flow == "":
		r.Flow = flowName
	}
	if r.Parameters, err = f.parameters(a, r); err != nil {
		return r, err
	}
	return r, f.override(a, &r)
}

// parameters joins the parameters of the file with the flags.
func (f *requestFlags) parameters(a *app, r api.Request) ([]byte, error) {
	flags := pluginValues(f.Parameters)
	known, err := a.book.get(r.Flow)
	if err != nil {
		// A newer app may know the flow: it decides about a file.
		if len(flags) > 0 || len(r.Parameters) == 0 && len(f.Set) == 0 {
			return nil, err
		}
		known = parameters.Flow{Name: r.Flow}
	}
	return known.Build(parameters.Given{Flags: flags, Set: f.Set, Base: r.Parameters, Scope: a.scope(f.Subscription, f.ResourceGroup), Now: a.now()})
}

// override applies the flags that all flows have.
func (f *requestFlags) override(a *app, r *api.Request) error {
	if f.Key != "" {
		key, err := cli.ExpandKey(f.Key, a.now(), a.lookup)
		if err != nil {
			return err
		}
		r.Key = key
	}
	if f.Deadline != "" {
		d, err := cli.ParseDurationFlag("--deadline", f.Deadline)
		if err != nil {
			return err
		}
		r.Deadline = duration.ISO(d)
	}
	if len(f.Label) > 0 {
		labels := maps.Clone(r.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, f.Label)
		r.Labels = labels
	}
	return nil
}

// target decides whether the argument names a flow or a file. Both results are
// empty only together with an error.
func (f *requestFlags) target(book flowFlags) (flowName, file string, err error) {
	switch {
	case f.Target == "" && f.File == "":
		return "", "", &cli.UsageError{
			Text:   "a flow or a request file is missing",
			Remedy: "name one, such as azbackupflow start backup-now --vault VAULT --storage-account ACCOUNT --file-share SHARE, or azbackupflow start FILE; azbackupflow flows lists the flows",
		}
	case f.Target == "" || f.File != "":
		return f.Target, f.File, nil
	case slices.Contains(book.names(), f.Target):
		return f.Target, "", nil
	case f.Target == "-" || strings.ContainsAny(f.Target, `/\.`):
		return "", f.Target, nil
	}
	if _, err := os.Stat(f.Target); !errors.Is(err, fs.ErrNotExist) {
		return "", f.Target, nil
	}
	return "", "", &cli.UsageError{
		Text:   fmt.Sprintf("%q is neither a flow nor a file", f.Target),
		Remedy: book.insteadOf(f.Target),
	}
}
