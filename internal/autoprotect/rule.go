package autoprotect

import (
	"encoding/json"
	"errors"
	"strings"
)

// Rule decides about the resources that it matches.
type Rule struct {
	Name  string `json:"name"`
	Match Match  `json:"match"`
	// Exactly one of Protect and Exclude is set.
	Protect *Protection `json:"protect"`
	Exclude bool        `json:"exclude"`
	// DryRun rules are evaluated and recorded but never decide.
	DryRun bool `json:"dryRun"`
}

// Match selects resources. A resource must match every part that is set.
type Match struct {
	Type            Kind     `json:"type"`
	Subscriptions   []string `json:"subscriptions"`
	ResourceGroups  []string `json:"resourceGroups"`
	StorageAccounts []string `json:"storageAccounts"`
	Names           []string `json:"names"`
	Locations       []string `json:"locations"`
	Tags            struct {
		Include map[string]Values `json:"include"`
		Exclude map[string]Values `json:"exclude"`
	} `json:"tags"`
}

// Values holds the patterns for the value of a tag.
type Values []string

// UnmarshalJSON accepts one value or a list of values.
func (v *Values) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*v = Values{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("must be a string or a list of strings")
	}
	*v = list
	return nil
}

// Protection is the vault and policy that protect a resource.
type Protection struct {
	VaultID     string `json:"vaultId"`
	Policy      string `json:"policy"`
	FirstBackup bool   `json:"firstBackup"`
}

// kind returns the kind of resource that the rule is for; empty means every
// kind.
func (r Rule) kind() Kind {
	if r.Match.Type == "" && r.Protect != nil {
		return r.Protect.kind()
	}
	return r.Match.Type
}

// kind returns the kind of resource that the vault protects.
func (p Protection) kind() Kind {
	switch {
	case strings.Contains(strings.ToLower(p.VaultID), "/microsoft.recoveryservices/"):
		return FileShare
	case strings.Contains(strings.ToLower(p.VaultID), "/microsoft.dataprotection/"):
		return PostgresFlexibleServer
	}
	return ""
}
