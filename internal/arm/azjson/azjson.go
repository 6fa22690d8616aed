// Package azjson decodes JSON of Azure's APIs leniently: one field of an
// unexpected type must not make a whole list unreadable. It does not know which
// API a value comes from.
package azjson

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// Text is a JSON value of any type, decoded as text. Azure sends error codes as
// numbers, and property bags hold values of any type.
type Text string

// UnmarshalJSON accepts any value; null becomes empty.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	switch {
	case string(data) == "null":
		*t = ""
	case json.Unmarshal(data, &s) == nil:
		*t = Text(s)
	default:
		*t = Text(data)
	}
	return nil
}

// Duration returns an ISO 8601 duration such as PT42.701185S, or one in the form
// of .NET such as 13.23:59:42.86; zero if the text is neither.
func (t Text) Duration() time.Duration {
	if d, err := duration.Parse(string(t)); err == nil {
		return d.ToTimeDuration()
	}
	days, clock, ok := strings.Cut(string(t), ".")
	if !ok || strings.Contains(days, ":") {
		days, clock = "0", string(t)
	}
	whole, err := strconv.Atoi(days)
	parts := strings.Split(clock, ":")
	if err != nil || len(parts) != 3 {
		return 0
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	if err != nil {
		return 0
	}
	return time.Duration(whole)*24*time.Hour + d
}

// Bool returns a boolean that may be sent as text; false if the text is not one.
func (t Text) Bool() bool { return strings.EqualFold(string(t), "true") }

// Time is a time of Azure Backup. A time that has not happened yet is sent as
// "0001-01-01T00:00:00", with or without a zone, or as null. It becomes the
// zero time, as does any value that is not a time.
type Time struct{ time.Time }

// UnmarshalJSON accepts any value.
func (m *Time) UnmarshalJSON(data []byte) error {
	m.Time = time.Time{}
	s := strings.Trim(string(data), `"`)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// Field returns the member of an object with this name, in any casing.
func Field(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	// Several members may differ only in casing: the first in order is returned.
	found := ""
	for k := range object {
		if strings.EqualFold(k, name) && (found == "" || k < found) {
			found = k
		}
	}
	return object[found]
}

// String returns the first value that is a text, a number, or an object whose
// member "value" is a text. Values without text are skipped.
func String(values ...any) string {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if s := strings.TrimSpace(v); s != "" {
				return s
			}
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		case map[string]any:
			if s, ok := Field(v, "value").(string); ok && strings.TrimSpace(s) != "" {
				return strings.TrimSpace(s)
			}
		}
	}
	return ""
}

// maxStrings is the maximum number of texts that Strings returns.
const maxStrings = 10

// Strings returns the texts of a list, at most ten, or a single text as a list.
func Strings(v any) []string {
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" {
			return []string{s}
		}
	case []any:
		var all []string
		for _, item := range v {
			if s := String(item); s != "" && len(all) < maxStrings {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
