package parameters

import (
	"fmt"
	"regexp"
	"strings"

	"azbackupflow/internal/cli"
)

// Scope is where names of resources belong.
type Scope struct {
	Subscription, ResourceGroup string
	// Vault is the name or the resource ID of a vault.
	Vault string
}

// fabricType is a level of the IDs of protected items. Azure has one fabric only.
const (
	fabricType = "backupFabrics"
	fabricName = "Azure"
)

// resolve returns the resource ID for the value of a flag, which is an ID or a
// name. label names the flag in errors. usesVault reports whether the ID was made with the scope's vault.
//
// A name may have the names of the resources above it in front, up to the resource
// group: GROUP/VAULT/INSTANCE.
func (s Scope) resolve(flag Flag, label, value string) (id string, usesVault bool, err error) {
	if len(flag.ResourceTypes) == 0 || strings.HasPrefix(value, "/") || matches(flag, value) {
		return value, false, nil
	}
	resourceType, err := s.typeOf(flag, label, value)
	if err != nil {
		return "", false, err
	}
	provider, types, _ := strings.Cut(resourceType, "/")
	levels := strings.Split(types, "/")
	var names []string
	for part := range strings.SplitSeq(value, "/") {
		if part == "" {
			return "", false, wrongName(label, value, levels)
		}
		names = append(names, part)
	}
	named := levels
	if len(levels) > 2 && levels[1] == fabricType {
		named = append([]string{levels[0]}, levels[2:]...)
	}
	group, vault := s.ResourceGroup, ""
	switch len(named) - len(names) {
	case 0:
	case -1:
		group, names = names[0], names[1:]
	case 1:
		if !strings.HasSuffix(levels[0], "aults") {
			return "", false, wrongName(label, value, named)
		}
		if s.Vault == "" {
			return "", false, &cli.UsageError{
				Text:   fmt.Sprintf("%s %q does not name a vault", label, value),
				Remedy: fmt.Sprintf("add --vault NAME, or write %s, or use the resource ID", form(named)),
			}
		}
		vault = s.Vault
	default:
		return "", false, wrongName(label, value, named)
	}
	prefix, err := s.prefix(label, value, provider, levels[0], group, vault)
	if err != nil {
		return "", false, err
	}
	for i, level := range levels {
		switch {
		case i == 0 && vault != "": // the prefix ends with the vault
		case level == fabricType:
			prefix += "/" + level + "/" + fabricName
		default:
			prefix += "/" + level + "/" + names[0]
			names = names[1:]
		}
	}
	return prefix, vault != "", nil
}

// prefix returns the ID up to the provider, or up to the vault if there is one.
func (s Scope) prefix(label, value, provider, level, group, vault string) (string, error) {
	if strings.HasPrefix(vault, "/") {
		if !strings.Contains(strings.ToLower(vault), strings.ToLower("/"+provider+"/"+level+"/")) {
			return "", &cli.UsageError{
				Text:   fmt.Sprintf("--vault %q is not a vault of the type %s/%s, which %s needs", vault, provider, level, label),
				Remedy: "set --vault to such a vault, or use the resource ID in " + label,
			}
		}
		return strings.TrimSuffix(vault, "/"), nil
	}
	if of, name, ok := strings.Cut(vault, "/"); ok {
		group, vault = of, name
	}
	for _, need := range []struct{ name, value string }{{"subscription", s.Subscription}, {"resource-group", group}} {
		if need.value == "" {
			return "", &cli.UsageError{
				Text:   fmt.Sprintf("%s %q is a name, and the %s is unknown", label, value, strings.ReplaceAll(need.name, "-", " ")),
				Remedy: fmt.Sprintf("set --%s, or store it with azbackupflow context add, or use the resource ID", need.name),
			}
		}
	}
	id := "/subscriptions/" + s.Subscription + "/resourceGroups/" + group + "/providers/" + provider
	if vault != "" {
		id += "/" + level + "/" + vault
	}
	return id, nil
}

// typeOf returns the resource type of a name. If several types are possible, the
// ID of the vault decides.
func (s Scope) typeOf(flag Flag, label, value string) (string, error) {
	if len(flag.ResourceTypes) == 1 {
		return flag.ResourceTypes[0], nil
	}
	for _, t := range flag.ResourceTypes {
		parts := strings.SplitN(t, "/", 3)
		if strings.HasPrefix(s.Vault, "/") && strings.Contains(strings.ToLower(s.Vault), strings.ToLower("/"+parts[0]+"/"+parts[1]+"/")) {
			return t, nil
		}
	}
	return "", &cli.UsageError{
		Text:   fmt.Sprintf("%s %q is a name, which can belong to %s", label, value, strings.Join(flag.ResourceTypes, " or ")),
		Remedy: "use the resource ID, or set --vault to the resource ID of the vault",
	}
}

func wrongName(label, value string, levels []string) error {
	return &cli.UsageError{
		Text:   fmt.Sprintf("%s %q is neither a resource ID nor a name", label, value),
		Remedy: fmt.Sprintf("write %s, with the resource group and a slash in front if it is another group, or the resource ID", form(levels)),
	}
}

// form returns the form of a name, such as VAULT/INSTANCE.
func form(levels []string) string {
	var parts []string
	for _, level := range levels {
		parts = append(parts, strings.ToUpper(strings.ReplaceAll(FlagName(strings.TrimSuffix(level, "s")), "-", "_")))
	}
	return strings.Join(parts, "/")
}

// matches reports whether the parameter takes the value as it is.
func matches(flag Flag, value string) bool {
	pattern, _ := flag.Rule["pattern"].(string)
	if pattern == "" {
		return false
	}
	r, err := regexp.Compile(pattern)
	return err == nil && r.MatchString(value)
}
