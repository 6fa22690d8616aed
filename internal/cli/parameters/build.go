package parameters

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/schema"
)

// Given holds what a command line sets.
type Given struct {
	// Flags are the values of the flags, by name. Set holds the values of --set,
	// such as a.b=c, in order.
	Flags map[string][]string
	Set   []string
	// Base are the parameters of the request file; nil if there is none.
	Base json.RawMessage
	// Scope resolves names. Its Vault is the default for --vault.
	Scope Scope
	Now   time.Time
}

// builder makes the parameters of one request.
type builder struct {
	flow      Flow
	scope     Scope
	now       time.Time
	all       map[string]any
	vaultUsed bool
}

// Build returns the parameters of a request: those of the file, changed by the
// flags and then by --set. A vault that is missing is the scope's.
func (f Flow) Build(g Given) (json.RawMessage, error) {
	b := builder{flow: f, scope: g.Scope, now: g.Now, all: map[string]any{}}
	if len(g.Base) > 0 && string(g.Base) != "null" {
		if len(g.Flags) == 0 && len(g.Set) == 0 {
			return g.Base, nil
		}
		d := json.NewDecoder(strings.NewReader(string(g.Base)))
		d.UseNumber()
		if err := d.Decode(&b.all); err != nil || b.all == nil {
			return nil, &cli.UsageError{Text: "parameters of the request file is not an object", Remedy: "write parameters as an object with the flow's parameters"}
		}
	}
	vault, givenVault := g.Flags[vaultFlag]
	if givenVault {
		b.scope.Vault = vault[len(vault)-1]
	}
	if err := b.flags(g.Flags); err != nil {
		return nil, err
	}
	for _, text := range g.Set {
		if err := b.set(text); err != nil {
			return nil, err
		}
	}
	if len(g.Base) == 0 || givenVault {
		if err := b.fillVaults(givenVault); err != nil {
			return nil, err
		}
	}
	if givenVault && !b.vaultUsed {
		return nil, b.unusedVault()
	}
	return json.Marshal(b.all)
}

// flags applies the flags in the order of their names.
func (b *builder) flags(given map[string][]string) error {
	names := itemNames{}
	givenID := false
	for _, name := range slices.Sorted(maps.Keys(given)) {
		flag, known := b.flow.Flag(name)
		if known && flag.NamesItem {
			names[name] = given[name][len(given[name])-1]
			continue
		}
		givenID = givenID || known && len(flag.Items) > 0
		if err := b.flag(name, given[name]); err != nil {
			return err
		}
	}
	return b.putItem(names, givenID)
}

func (b *builder) flag(name string, values []string) error {
	if name == vaultFlag {
		return nil // see fillVaults
	}
	flag, ok := b.flow.Flag(name)
	if !ok {
		return &cli.UsageError{
			Text:   fmt.Sprintf("flow %s has no parameter --%s", b.flow.Name, name),
			Remedy: "use one of " + b.flow.flagNames() + "; azbackupflow flows show " + b.flow.Name + " explains them",
		}
	}
	v, err := b.value(flag, "--"+name, values)
	if err != nil {
		return err
	}
	return b.put("--"+name, flag.Path, v, flag.Kind == schema.ObjectKind)
}

func (f Flow) flagNames() string {
	var names []string
	for _, flag := range f.Flags {
		names = append(names, "--"+flag.Name)
	}
	return strings.Join(names, ", ")
}

// set applies one value of --set.
func (b *builder) set(text string) error {
	path, value, ok := strings.Cut(text, "=")
	path = strings.TrimPrefix(path, "parameters.")
	if !ok || path == "" || slices.Contains(strings.Split(path, "."), "") {
		return wrong("--set", text, "is not PATH=VALUE", "write it such as --set rule.name=BackupWeekly")
	}
	label := "--set " + path
	if flag, known := b.flow.byPath(path); known && flag.Kind != schema.Other {
		v, err := b.value(flag, label, []string{value})
		if err != nil && flag.Kind != schema.Map && flag.Kind != schema.TextList && flag.Kind != schema.ObjectKind {
			return err
		}
		if err == nil && flag.Kind != schema.TextList {
			return b.put(label, path, v, false)
		}
	}
	if of, known := b.flow.byPath(parent(path)); known && of.Kind == schema.Map {
		return b.put(label, path, value, false)
	}
	return b.put(label, path, jsonOrText(value), false)
}

// jsonOrText returns a value that is JSON as JSON, and any other as a text.
func jsonOrText(value string) any {
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return value
}

// put stores a value at a path. keep leaves an existing value as it is.
func (b *builder) put(label, path string, v any, keep bool) error {
	at := b.all
	parts := strings.Split(path, ".")
	for i, part := range parts[:len(parts)-1] {
		inner, exists := at[part]
		object, isObject := inner.(map[string]any)
		if exists && !isObject {
			return &cli.UsageError{
				Text:   fmt.Sprintf("%s cannot be set: %s is not an object", label, strings.Join(parts[:i+1], ".")),
				Remedy: "leave out the value of " + strings.Join(parts[:i+1], "."),
			}
		}
		if !exists {
			object = map[string]any{}
			at[part] = object
		}
		at = object
	}
	last := parts[len(parts)-1]
	if _, exists := at[last]; exists && keep {
		return nil
	}
	at[last] = v
	return nil
}

// object returns the object at a path, if the request has it.
func (b *builder) object(path string) (map[string]any, bool) {
	at := b.all
	if path == "" {
		return at, true
	}
	for part := range strings.SplitSeq(path, ".") {
		inner, ok := at[part].(map[string]any)
		if !ok {
			return nil, false
		}
		at = inner
	}
	return at, true
}

// fillVaults adds the vault wherever an object of the request lacks it.
func (b *builder) fillVaults(replace bool) error {
	if b.scope.Vault == "" {
		return nil
	}
	for _, flag := range b.flow.Flags {
		if !flag.isVault() || flag.Name != vaultFlag && !flag.Required {
			continue
		}
		object, exists := b.object(parent(flag.Path))
		name := flag.Path[strings.LastIndex(flag.Path, ".")+1:]
		if _, has := object[name]; !exists || has && !replace {
			continue
		}
		id, _, err := b.scope.resolve(flag, "--"+vaultFlag, b.scope.Vault)
		if err != nil {
			return err
		}
		object[name], b.vaultUsed = id, true
	}
	return nil
}

// unusedVault returns the error of a --vault that has no effect.
func (b *builder) unusedVault() error {
	remedy := "leave out --vault"
	for _, flag := range b.flow.Flags {
		if flag.Name == vaultFlag && parent(flag.Path) != "" {
			remedy = "add the other parameters of " + parent(flag.Path) + ", or leave out --vault if a resource ID names the vault"
		}
	}
	return &cli.UsageError{Text: fmt.Sprintf("--vault %q is not used by the other parameters", b.scope.Vault), Remedy: remedy}
}
