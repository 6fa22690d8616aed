package arm

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// Text reads a JSON value as text, whatever its type: Azure sends error codes
// as numbers, and property bags hold anything. One odd field of one item must
// not hide a whole list.
type Text string

// UnmarshalJSON takes any value.
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

// Moment reads a time of Azure Backup. What has not happened yet is
// "0001-01-01T00:00:00", with or without a zone, or null, and becomes the zero
// time; so does what is no time.
type Moment struct{ time.Time }

// UnmarshalJSON takes any value.
func (m *Moment) UnmarshalJSON(data []byte) error {
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

// Length reads an ISO 8601 duration such as PT42.701185S; zero if it is none.
func (t Text) Length() time.Duration {
	d, err := duration.Parse(string(t))
	if err != nil {
		return 0
	}
	return d.ToTimeDuration()
}

// Flag reads a boolean that may be sent as text; false if it is none.
func (t Text) Flag() bool { return strings.EqualFold(string(t), "true") }
