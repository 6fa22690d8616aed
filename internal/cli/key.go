package cli

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// keyForms describes the placeholders of a key.
const keyForms = "use {date}, {hour} or {env:NAME}"

// ExpandKey replaces the placeholders of a key: {date} is the date and {hour} the
// date and hour in UTC, {env:NAME} is an environment variable.
func ExpandKey(key string, now time.Time, lookup func(string) (string, bool)) (string, error) {
	var failed error
	expanded := placeholder.ReplaceAllStringFunc(key, func(text string) string {
		switch name := text[1 : len(text)-1]; {
		case name == "date":
			return now.UTC().Format(time.DateOnly)
		case name == "hour":
			return now.UTC().Format("2006-01-02T15")
		case strings.HasPrefix(name, "env:") && name != "env:":
			value, _ := lookup(strings.TrimPrefix(name, "env:"))
			if value == "" {
				failed = &UsageError{
					Text:   fmt.Sprintf("--key %q: the environment variable %s is not set", key, strings.TrimPrefix(name, "env:")),
					Remedy: "set it; without it, different requests would have the same key",
				}
			}
			return value
		}
		failed = &UsageError{Text: fmt.Sprintf("--key %q: %s is not a placeholder", key, text), Remedy: keyForms}
		return ""
	})
	switch {
	case failed != nil:
		return "", failed
	case strings.ContainsAny(expanded, "{}") && strings.ContainsAny(key, "{}") && strings.Count(key, "{") != strings.Count(key, "}"):
		return "", &UsageError{Text: fmt.Sprintf("--key %q has a brace without its counterpart", key), Remedy: keyForms}
	}
	return expanded, nil
}
