package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/similar"
)

// flowFlags holds the newest version of each flow, with the flags of its parameters.
type flowFlags struct {
	flows      []parameters.Flow
	definition map[string]flow.Definition
}

// newFlowFlags reads the flows of this program. It needs no app.
func newFlowFlags(env environment) (flowFlags, error) {
	definitions, err := flow.Definitions(flow.Config{Now: env.now})
	if err != nil {
		return flowFlags{}, err
	}
	book, reserved := flowFlags{definition: map[string]flow.Definition{}}, reservedFlags()
	for _, d := range flow.Newest(definitions) {
		var examples [][]byte
		for _, e := range d.Examples {
			raw, err := json.Marshal(e.Parameters)
			if err != nil {
				return flowFlags{}, fmt.Errorf("write example %s: %w", e.File, err)
			}
			examples = append(examples, raw)
		}
		book.definition[d.Name] = d
		book.flows = append(book.flows, parameters.New(d.Name, d.Summary, d.Parameters().List(), examples, reserved))
	}
	return book, nil
}

// reservedFlags are the flags that start and validate have for all flows.
func reservedFlags() []string {
	names := []string{"help", "version"}
	for _, t := range []reflect.Type{reflect.TypeFor[commandLine](), reflect.TypeFor[startCommand](), reflect.TypeFor[validateCommand]()} {
		names = append(names, flagNamesOf(t)...)
	}
	return names
}

// flagNamesOf returns the names of a struct's flags, as kong derives them.
func flagNamesOf(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		_, isArgument := f.Tag.Lookup("arg")
		_, isCommand := f.Tag.Lookup("cmd")
		switch {
		case isArgument, isCommand, f.Type == reflect.TypeFor[kong.Plugins]():
		case f.Anonymous:
			names = append(names, flagNamesOf(f.Type)...)
		case f.Tag.Get("name") != "":
			names = append(names, f.Tag.Get("name"))
		default:
			names = append(names, parameters.FlagName(f.Name))
		}
	}
	return names
}

func (b flowFlags) names() []string {
	var names []string
	for _, f := range b.flows {
		names = append(names, f.Name)
	}
	return names
}

// insteadOf returns what to use instead of a name without a flow: the flow that it
// may mean, or one of all.
func (b flowFlags) insteadOf(name string) string {
	for _, candidate := range b.names() {
		if similar.Differences(name, candidate) <= min(maxDifferences, len(name)/2) {
			return fmt.Sprintf("did you mean %q? azbackupflow flows lists the flows", candidate)
		}
	}
	return "use one of " + strings.Join(b.names(), ", ")
}

// maxDifferences is the number of differences up to which a name is treated as a
// misspelt one.
const maxDifferences = 3

// get returns a flow by its name.
func (b flowFlags) get(name string) (parameters.Flow, error) {
	i := slices.IndexFunc(b.flows, func(f parameters.Flow) bool { return f.Name == name })
	if i < 0 {
		return parameters.Flow{}, &cli.UsageError{Text: fmt.Sprintf("%q is not a flow", name), Remedy: b.insteadOf(name)}
	}
	return b.flows[i], nil
}

// plugin returns a pointer to a struct with the flags of all flows, for kong. They
// are hidden: azbackupflow flows show explains the flags of one flow.
func (b flowFlags) plugin() any {
	var fields []reflect.StructField
	seen := map[string]int{}
	for _, f := range b.flows {
		for _, flag := range f.Flags {
			t := flagType(flag.Kind)
			if i, ok := seen[flag.Name]; ok {
				if fields[i].Type != t {
					fields[i].Type = reflect.TypeFor[[]string]() // it takes the values of both kinds
				}
				continue
			}
			seen[flag.Name] = len(fields)
			fields = append(fields, reflect.StructField{
				Name: fmt.Sprintf("Flag%d", len(fields)), Type: t,
				Tag: reflect.StructTag(fmt.Sprintf(`name:%q sep:"none" hidden:"" group:"parameters" help:%q`, flag.Name, parameters.Meaning(flag.Parameter))),
			})
		}
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

func flagType(k schema.Kind) reflect.Type {
	if k == schema.Boolean || k == schema.ObjectKind {
		return reflect.TypeFor[*bool]()
	}
	return reflect.TypeFor[[]string]()
}

// takesNoValue reports whether the flag of this name is one without a value, in all
// flows that have it.
func (b flowFlags) takesNoValue(name string) bool {
	for _, f := range b.flows {
		for _, flag := range f.Flags {
			if flag.Name == name && flagType(flag.Kind) != reflect.TypeFor[*bool]() {
				return false
			}
		}
	}
	return true
}

// pluginValues returns the flags that the command line sets.
func pluginValues(plugins kong.Plugins) map[string][]string {
	all := map[string][]string{}
	for _, p := range plugins {
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("name")
			switch set := v.Field(i).Interface().(type) {
			case *bool:
				if set != nil {
					all[name] = []string{fmt.Sprint(*set)}
				}
			case []string:
				if len(set) > 0 {
					all[name] = set
				}
			}
		}
	}
	return all
}

// writeFlags writes the flags of the flow that the command line names, below the
// help of its command.
func (b flowFlags) writeFlags(w io.Writer, args []string) {
	if !slices.Contains(args, "start") && !slices.Contains(args, "validate") {
		return
	}
	for _, arg := range args {
		f, err := b.get(arg)
		if err != nil {
			continue
		}
		const flagColumns, textColumns = 31, 48
		_, _ = fmt.Fprintf(w, "\nParameters of %s (azbackupflow flows show %s):\n", f.Name, f.Name) // a closed terminal cannot be reported anywhere
		for _, flag := range f.Flags {
			meaning := f.Help(flag)
			name := "      --" + flag.Name
			for i, line := range strings.Split(text.WrapSoft(meaning, textColumns), "\n") {
				if i == 0 && len(name) >= flagColumns {
					_, _ = fmt.Fprintln(w, name)
					name = ""
				}
				_, _ = fmt.Fprintf(w, "%-*s%s\n", flagColumns, name, strings.TrimRight(line, " "))
				name = ""
			}
		}
		return
	}
}
