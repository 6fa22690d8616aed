package parameters

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/schema"
)

// value converts the values of a flag to the JSON value of its parameter. Only
// lists and maps have more than one. label names the flag in errors.
func (b *builder) value(flag Flag, label string, given []string) (any, error) {
	last := given[len(given)-1]
	switch flag.Kind {
	case schema.Map:
		return keyValues(label, given)
	case schema.TextList:
		return given, nil
	case schema.Boolean:
		switch strings.ToLower(last) {
		case "true", "yes", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
		return nil, wrong(label, last, "is not true or false", "use true or false")
	case schema.ObjectKind:
		if last != "true" && last != "{}" {
			return nil, wrong(label, last, "is not a value of an object without fields", "leave out the value")
		}
		return map[string]any{}, nil
	case schema.Integer:
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return nil, wrong(label, last, "is not a whole number", "use a whole number"+limits(flag))
		}
		return n, nil
	case schema.Number:
		if _, err := strconv.ParseFloat(last, 64); err != nil || !json.Valid([]byte(last)) {
			return nil, wrong(label, last, "is not a number", "use a number"+limits(flag))
		}
		return json.Number(last), nil
	case schema.Time:
		return b.time(label, last)
	case schema.Text:
		return b.text(flag, label, last)
	case schema.Other:
	}
	if !json.Valid([]byte(last)) {
		return nil, wrong(label, last, "is not JSON", "write the value as JSON, or put it into a request file")
	}
	return json.RawMessage(last), nil
}

func (b *builder) text(flag Flag, label, value string) (any, error) {
	for _, valid := range flag.Values {
		if strings.EqualFold(valid, value) {
			return valid, nil
		}
	}
	if len(flag.Values) > 0 {
		return nil, wrong(label, value, "is not a valid value", "use one of "+strings.Join(flag.Values, ", "))
	}
	if len(flag.ResourceTypes) > 0 {
		id, usesVault, err := b.scope.resolve(flag, label, value)
		b.vaultUsed = b.vaultUsed || usesVault
		return id, err
	}
	// A parameter that takes ISO 8601 durations takes the short form too.
	if d, ok := duration.Parse(value); ok && !matches(flag, value) && matches(flag, duration.ISO(d)) {
		return duration.ISO(d), nil
	}
	return value, nil
}

// time returns a time in RFC 3339. A value with a sign is relative to now.
func (b *builder) time(label, value string) (any, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC().Format(time.RFC3339Nano), nil
		}
	}
	if sign := value[:min(1, len(value))]; sign == "+" || sign == "-" {
		if d, ok := duration.Parse(value[1:]); ok {
			if sign == "-" {
				d = -d
			}
			return b.now.Add(d).UTC().Truncate(time.Second).Format(time.RFC3339Nano), nil
		}
	}
	return nil, wrong(label, value, "is not a time", "use a time such as 2026-11-21T03:00:00Z, a date such as 2026-11-21, or a duration from now such as +30d or -2d")
}

func keyValues(label string, given []string) (map[string]any, error) {
	all := map[string]any{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, wrong(label, text, "is not NAME=VALUE", "write it such as team=files; repeat the flag for more")
		}
		all[name] = value
	}
	return all, nil
}

func limits(flag Flag) string {
	low, hasLow := flag.Rule["minimum"]
	high, hasHigh := flag.Rule["maximum"]
	if hasLow && hasHigh {
		return fmt.Sprintf(" from %v to %v", low, high)
	}
	return ", such as 2"
}

func wrong(label, value, problem, remedy string) error {
	return &cli.UsageError{Text: fmt.Sprintf("%s %q %s", label, value, problem), Remedy: remedy}
}
