package declaration

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

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

// match reports whether one of the patterns matches a tag's value. Azure
// compares tag values case-sensitively.
func (v Values) match(value string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool { return Match(pattern, value) })
}

// Tags selects resources by their tags. Each tag of Include must exist and match;
// no tag of Exclude may match.
type Tags struct {
	Include map[string]Values `json:"include"`
	Exclude map[string]Values `json:"exclude"`
}

// Any reports whether tags decide at all.
func (t Tags) Any() bool { return len(t.Include)+len(t.Exclude) > 0 }

// Mismatch returns why the tags of a resource are not selected; empty if they are.
func (t Tags) Mismatch(tags map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(t.Include)) {
		value, found := tag(tags, name)
		if !found {
			return "tag " + name + " is missing"
		}
		if !t.Include[name].match(value) {
			return "tag " + name + " is " + value + ", not one of " + strings.Join(t.Include[name], ", ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Exclude)) {
		if value, found := tag(tags, name); found && t.Exclude[name].match(value) {
			return "tag " + name + " is " + value + ", which the rule excludes"
		}
	}
	return ""
}

// tag returns a tag's value. Azure compares tag names case-insensitively.
func tag(tags map[string]string, name string) (string, bool) {
	for key, value := range tags {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}
