// Package autoprotect decides which resources are protected without being asked,
// by the rules of protection.yaml, and starts what they say: when an event
// announces a resource, and when a sweep finds one that nothing announced.
package autoprotect

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/declaration"
)

// Kind is what a resource is, as rules name it.
type Kind string

// The kinds that can be protected by rules.
const (
	FileShare              Kind = "fileShare"
	PostgresFlexibleServer Kind = "postgresFlexibleServer"
)

// Resource is what rules look at.
type Resource struct {
	ID            string
	Kind          Kind
	Subscription  string
	ResourceGroup string
	// Account is the file share's storage account, AccountID its resource id.
	Account, AccountID string
	// Name is the share's or the server's.
	Name     string
	Location string
	// Tags are the storage account's or the server's: shares have none.
	Tags map[string]string
	// Created is when the storage account or the server was created.
	Created time.Time
}

// Rule says what becomes of the resources that it matches.
type Rule struct {
	Name  string `json:"name"`
	Match Match  `json:"match"`
	// Protect and Exclude: exactly one of them is given.
	Protect *Protection `json:"protect"`
	Exclude bool        `json:"exclude"`
	// DryRun rules decide nothing.
	DryRun bool `json:"dryRun"`
}

// Match is what a rule is for. Everything that is given must match.
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

// Values are those that a tag may have: one, or a list.
type Values []string

// UnmarshalJSON reads one value or a list.
func (v *Values) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*v = Values{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("is neither a text nor a list of texts")
	}
	*v = list
	return nil
}

// Protection is how a resource is protected.
type Protection struct {
	VaultID     string `json:"vaultId"`
	Policy      string `json:"policy"`
	FirstBackup bool   `json:"firstBackup"`
}

// kind is what the rule is for; empty means every kind.
func (r Rule) kind() Kind {
	if r.Match.Type == "" && r.Protect != nil {
		return r.Protect.kind()
	}
	return r.Match.Type
}

// kind is what the vault takes.
func (p Protection) kind() Kind {
	switch {
	case strings.Contains(strings.ToLower(p.VaultID), "/microsoft.recoveryservices/"):
		return FileShare
	case strings.Contains(strings.ToLower(p.VaultID), "/microsoft.dataprotection/"):
		return PostgresFlexibleServer
	}
	return ""
}

// mismatch says in words why the rule does not match a resource; empty if it
// does. An empty name stands for any: a storage account is looked at before its
// shares are.
func (r Rule) mismatch(res Resource) string {
	m := r.Match
	if k := r.kind(); k != "" && k != res.Kind {
		return "it is for " + string(k) + "s"
	}
	for _, c := range []struct {
		what     string
		patterns []string
		text     string
		any      bool
	}{
		{"subscription", m.Subscriptions, res.Subscription, false},
		{"resource group", m.ResourceGroups, res.ResourceGroup, false},
		{"storage account", m.StorageAccounts, res.Account, false},
		{"name", m.Names, res.Name, res.Name == ""},
		{"location", m.Locations, region(res.Location), false},
	} {
		fits := func(pattern string) bool { return declaration.MatchFold(pattern, c.text) }
		if c.what == "location" {
			fits = func(name string) bool { return region(name) == c.text }
		}
		if len(c.patterns) > 0 && !c.any && !slices.ContainsFunc(c.patterns, fits) {
			return "the " + c.what + " " + c.text + " is not one of " + strings.Join(c.patterns, ", ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Tags.Include)) {
		value, has := tag(res.Tags, name)
		if !has {
			return "there is no tag " + name
		}
		if !m.Tags.Include[name].take(value) {
			return "the tag " + name + " is " + value + ", not one of " + strings.Join(m.Tags.Include[name], ", ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Tags.Exclude)) {
		if value, has := tag(res.Tags, name); has && m.Tags.Exclude[name].take(value) {
			return "the tag " + name + " is " + value
		}
	}
	return ""
}

// take reports whether a tag's value is one of them. Values have casing.
func (v Values) take(value string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool { return declaration.Match(pattern, value) })
}

// tag reads a tag; their names have no casing.
func tag(tags map[string]string, name string) (string, bool) {
	for have, value := range tags {
		if strings.EqualFold(have, name) {
			return value, true
		}
	}
	return "", false
}

// region is a location as Azure compares it: West Europe is westeurope.
func region(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}
