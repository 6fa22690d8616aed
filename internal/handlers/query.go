package handlers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// readQuery reads the filters of a list, of those that it has. Every wrong one
// is named: a misspelt filter must not list everything.
func readQuery(r *http.Request, filters ...string) (operation.Query, error) {
	var q operation.Query
	var wrong []step.FieldError
	add := func(field, problem, want string) {
		wrong = append(wrong, step.FieldError{Field: field, Problem: problem, Want: want})
	}
	instant := func(field, text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			add(field, fmt.Sprintf("%q is not a time", text), "an RFC 3339 time such as 2026-11-21T03:00:00Z")
		}
		return at
	}
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		value := values[len(values)-1]
		if name == "code" {
			continue // the function key, where it comes in the query
		}
		if !slices.Contains(filters, name) {
			add(name, "is not a filter", "one of "+strings.Join(filters, ", "))
			continue
		}
		switch name {
		case "status":
			for _, s := range strings.Split(strings.Join(values, ","), ",") {
				status, known := parseStatus(s)
				if !known {
					add(name, fmt.Sprintf("%q is not a status", s), fmt.Sprint(operation.Statuses()))
				}
				q.Status = append(q.Status, status)
			}
		case "flow":
			q.Flow = value
		case "label":
			key, v, ok := strings.Cut(value, "=")
			if !ok || len(values) > 1 {
				add(name, fmt.Sprintf("%q is not one label", strings.Join(values, ",")), "name=value")
			}
			q.Label = operation.Label{Key: key, Value: v}
		case "since":
			q.Since = instant(name, value)
		case "until":
			q.Until = instant(name, value)
		case "pageSize":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > operation.MaxPageSize {
				add(name, fmt.Sprintf("%q is not a page size", value), fmt.Sprintf("1 to %d", operation.MaxPageSize))
			}
			q.PageSize = n
		case "continue":
			q.Continue = value
		}
	}
	if len(wrong) > 0 {
		return q, &step.Invalid{Fields: wrong}
	}
	return q, nil
}

// parseStatus reads a status in any casing.
func parseStatus(text string) (status operation.Status, known bool) {
	for _, s := range operation.Statuses() {
		if strings.EqualFold(string(s), text) {
			return s, true
		}
	}
	return "", false
}
