package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// scheduleLabel is the label that names the schedule of an operation.
const scheduleLabel = "schedule"

// functionKeyParameter is the query parameter that may hold the function key.
const functionKeyParameter = "code"

// parseQuery parses the filters of a list. It rejects every parameter that the
// list does not support: a misspelt filter must not list everything.
func parseQuery(now time.Time, r *http.Request, supported ...string) (operation.Query, error) {
	p := queryParser{now: now}
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case name == functionKeyParameter:
		case slices.Contains(supported, name):
			p.parse(name, query[name])
		default:
			p.add(name, "is not a filter", "one of "+strings.Join(supported, ", "))
		}
	}
	if len(p.wrong) > 0 {
		return p.query, &step.Invalid{Fields: p.wrong}
	}
	return p.query, nil
}

// queryParser collects the filters and their errors.
type queryParser struct {
	// now is the time from which ages count.
	now   time.Time
	query operation.Query
	wrong []step.FieldError
}

func (p *queryParser) add(field, problem, want string) {
	p.wrong = append(p.wrong, step.FieldError{Field: field, Problem: problem, Want: want})
}

// parse parses one parameter. Only status and label may be repeated: of two
// values, one would be ignored. An empty filter would select everything.
func (p *queryParser) parse(name string, values []string) {
	if len(values) > 1 && name != "status" && name != "label" {
		p.add(name, fmt.Sprintf("is given %d times", len(values)), "one value")
		return
	}
	value := values[0]
	if value == "" && name != "continue" && name != "reason" {
		p.add(name, "is empty", "a value, or no "+name)
		return
	}
	switch name {
	case "status":
		p.statuses(name, values)
	case "schedule":
		p.query.Labels = append(p.query.Labels, operation.Label{Key: scheduleLabel, Value: value})
	case "bulk":
		p.query.Bulk = value
	case "errors", "paused", "overdue":
		if value != "true" && value != "false" {
			p.add(name, fmt.Sprintf("%q is neither true nor false", value), "true or false")
		}
	case "sort":
		if !slices.Contains(api.Sorts(), strings.TrimPrefix(value, "-")) {
			p.add(name, fmt.Sprintf("%q is not an order", value), "one of "+strings.Join(api.Sorts(), ", ")+`, or one of them after "-" for the opposite order`)
		}
	case "flow":
		p.query.Flow = value
	case "label":
		for _, text := range values {
			key, v, ok := strings.Cut(text, "=")
			if !ok || key == "" {
				p.add(name, fmt.Sprintf("%q is not a label", text), "name=value")
			}
			p.query.Labels = append(p.query.Labels, operation.Label{Key: key, Value: v})
		}
	case "since":
		p.query.Since = p.instant(name, value)
	case "until":
		p.query.Until = p.instant(name, value)
	case "pageSize":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > operation.MaxPageSize {
			p.add(name, fmt.Sprintf("%q is not a page size", value), fmt.Sprintf("1 to %d", operation.MaxPageSize))
		}
		p.query.PageSize = n
	case "continue":
		p.query.Continue = value
	}
}

// statuses parses comma-separated statuses in any casing.
func (p *queryParser) statuses(name string, values []string) {
	for _, text := range strings.Split(strings.Join(values, ","), ",") {
		i := slices.IndexFunc(operation.Statuses(), func(s operation.Status) bool { return strings.EqualFold(string(s), text) })
		if i < 0 {
			p.add(name, fmt.Sprintf("%q is not a status", text), "one of "+api.Listed(operation.Statuses()))
			continue
		}
		p.query.Status = append(p.query.Status, operation.Statuses()[i])
	}
}

// instant parses a time in RFC 3339, a date, or an age.
func (p *queryParser) instant(name, text string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	if age, ok := duration.Parse(text); ok {
		return p.now.Add(-age)
	}
	p.add(name, fmt.Sprintf("%q is not a time", text), "a time such as 2026-11-21T03:00:00Z, a date, or an age such as 36h or 7d")
	return time.Time{}
}
