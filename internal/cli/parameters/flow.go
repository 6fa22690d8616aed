// Package parameters makes the flags of the command line from the parameters of
// the flows, and a request's parameters from the values of the flags. It resolves
// names of Azure resources to resource IDs.
//
// The package may not know which flows exist: its callers pass their parameters.
package parameters

import (
	"slices"
	"strings"
	"unicode"

	"azbackupflow/internal/schema"
)

// Flow is a flow with the flags of its parameters.
type Flow struct {
	Name, Summary string
	// Flags are in the order of the parameters.
	Flags []Flag
	// Examples are the parameters of example requests, as JSON.
	Examples [][]byte
}

// Flag is the flag of one parameter.
type Flag struct {
	// Name is the name of the flag, such as storage-account.
	Name string
	schema.Parameter
	// NamesItem marks a flag that names a part of the item whose ID the parameter
	// is.
	NamesItem bool
}

// vaultFlag is the flag of a vault. It also names the vault of other resources.
const vaultFlag = "vault"

// New returns the flow with its flags. reserved are the names of flags that the
// commands have already.
func New(name, summary string, parameters []schema.Parameter, examples [][]byte, reserved []string) Flow {
	f := Flow{Name: name, Summary: summary, Examples: examples}
	taken := map[string]bool{}
	for _, r := range reserved {
		taken[r] = true
	}
	// A parameter near the top of the request has the first choice of its name.
	order := slices.Clone(parameters)
	slices.SortStableFunc(order, func(a, b schema.Parameter) int { return rank(a) - rank(b) })
	names := map[string]string{}
	for _, p := range order {
		if p.Kind == schema.Other || p.Kind == schema.ObjectKind && !mayBeEmpty(p, parameters) {
			continue
		}
		for i, candidate := range candidates(p) {
			if p.Kind == schema.ObjectKind && i > 0 {
				break // the flag of one of its fields has its name
			}
			if !taken[candidate] {
				taken[candidate], names[p.Path] = true, candidate
				break
			}
		}
	}
	for _, p := range parameters {
		if flag, ok := names[p.Path]; ok {
			f.Flags = append(f.Flags, Flag{Name: flag, Parameter: p})
			f.Flags = append(f.Flags, nameFlags(p)...)
		}
	}
	return f
}

// rank orders parameters by depth. Objects come last: the flag of an object only
// adds it without fields.
func rank(p schema.Parameter) int {
	if p.Kind == schema.ObjectKind {
		return 1000
	}
	return strings.Count(p.Path, ".")
}

// mayBeEmpty reports whether an object is valid without fields.
func mayBeEmpty(object schema.Parameter, all []schema.Parameter) bool {
	return !slices.ContainsFunc(all, func(p schema.Parameter) bool {
		return parent(p.Path) == object.Path && (p.Required || p.When != "")
	}) && !object.Required
}

// candidates returns the names that a parameter's flag may have, best first.
func candidates(p schema.Parameter) []string {
	parts := strings.Split(p.Path, ".")
	last := parts[len(parts)-1]
	if len(p.ResourceTypes) > 0 {
		last = strings.TrimSuffix(last, "Id")
	}
	var all []string
	if len(parts) > 1 && (last == "name" || last == "id") {
		all = append(all, FlagName(parts[len(parts)-2]))
	} else {
		all = append(all, FlagName(last))
	}
	parts[len(parts)-1] = last
	for i := len(parts) - 2; i >= 0; i-- {
		all = append(all, FlagName(strings.Join(parts[i:], "-")))
	}
	return append(all, "parameter-"+FlagName(strings.Join(parts, "-")))
}

// FlagName returns the name of a field as the name of a flag: storageAccountId is
// storage-account-id.
func FlagName(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		starts := unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts && runes[i-1] != '-' {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func parent(path string) string {
	if i := strings.LastIndex(path, "."); i >= 0 {
		return path[:i]
	}
	return ""
}

// Flag returns a flag by its name.
func (f Flow) Flag(name string) (Flag, bool) {
	i := slices.IndexFunc(f.Flags, func(flag Flag) bool { return flag.Name == name })
	if i < 0 {
		return Flag{}, false
	}
	return f.Flags[i], true
}

// byPath returns the flag of a parameter.
func (f Flow) byPath(path string) (Flag, bool) {
	i := slices.IndexFunc(f.Flags, func(flag Flag) bool { return flag.Path == path })
	if i < 0 {
		return Flag{}, false
	}
	return f.Flags[i], true
}

// isVault reports whether the parameter is the ID of a vault.
func (f Flag) isVault() bool {
	return len(f.ResourceTypes) > 0 && !slices.ContainsFunc(f.ResourceTypes, func(t string) bool {
		return !strings.HasSuffix(t, "/vaults") && !strings.HasSuffix(t, "/backupVaults")
	})
}
