package armsim

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// condition matches one condition of a $filter.
var condition = regexp.MustCompile(`^(?i)([a-z]+)\s+eq\s+'((?:[^']|'')*)'\s*(and\s+|$)`)

// filter holds the values of a $filter of the form "a eq 'x' and b eq 'y'", by
// lower-case name.
type filter map[string]string

// parseFilter parses the $filter of the request. It rejects names that are not
// allowed, because the service has been seen to misinterpret them.
func parseFilter(c *call, allowed ...string) (filter, *armError) {
	f := filter{}
	text := strings.TrimSpace(c.query.Get("$filter"))
	if text == "" {
		return f, nil
	}
	for text != "" {
		m := condition.FindStringSubmatch(text)
		if m == nil {
			return nil, invalidInput("$filter", "cannot read %q; it has to be like name eq 'value' and name eq 'value'", text)
		}
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, m[1]) }) {
			return nil, invalidInput("$filter", "%q cannot be filtered by here, only %s", m[1], strings.Join(allowed, ", "))
		}
		f[strings.ToLower(m[1])] = strings.ReplaceAll(m[2], "''", "'")
		text = text[len(m[0]):]
	}
	return f, nil
}

// is reports whether a value passes the filter of that name.
func (f filter) is(name, value string) bool {
	want, there := f[strings.ToLower(name)]
	return !there || strings.EqualFold(want, value)
}

// time parses a date in the format of job lists: 2017-08-03 05:31:07 AM.
func (f filter) time(name string) (time.Time, bool, *armError) {
	text, there := f[strings.ToLower(name)]
	if !there {
		return time.Time{}, false, nil
	}
	t, err := time.Parse("2006-01-02 03:04:05 PM", text)
	if err != nil {
		return time.Time{}, false, invalidInput("$filter", "%s %q is not a time such as 2017-08-03 05:31:07 AM", name, text)
	}
	return t, true, nil
}
