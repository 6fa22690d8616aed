package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// write compares a write with the next recorded one and returns the recorded
// answer.
func (s *Server) write(r *http.Request, body string) answer {
	got := Write{
		Index: -1, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body,
		ClientRequestID: r.Header.Get("x-ms-client-request-id"),
	}
	if s.nextWrite >= len(s.recording.writes) {
		s.writes = append(s.writes, got)
		return s.mismatch(r, body, "no write is recorded after interaction %d", s.position)
	}
	if s.unvalidated(r) {
		return s.derived(map[string]any{})
	}
	n := s.recording.writes[s.nextWrite]
	want := s.recording.all[n]
	got.Index, got.RecordedMethod, got.RecordedPath, got.RecordedBody = n, want.method, want.path, want.requestBody
	why := s.difference(r, body, want)
	got.Matched = why == ""
	s.writes = append(s.writes, got)
	if !got.Matched {
		return s.mismatch(r, body, "recorded next is interaction %d, %s %s: %s", n, want.method, want.path, why)
	}
	s.nextWrite++
	return s.recorded(n)
}

// unvalidated reports whether a request validates a restore that the recorded
// client started without a validation.
func (s *Server) unvalidated(r *http.Request) bool {
	const action = "/validaterestore"
	return strings.HasSuffix(strings.ToLower(r.URL.Path), action) &&
		!slices.ContainsFunc(s.recording.writes, func(n int) bool { return strings.HasSuffix(strings.ToLower(s.recording.all[n].path), action) })
}

// difference describes how a write differs from the recorded one; empty if it
// does not.
func (s *Server) difference(r *http.Request, body string, want interaction) string {
	switch {
	case r.Method != want.method:
		return "the method is " + r.Method
	case !strings.EqualFold(r.URL.Path, want.path):
		return "the path is " + r.URL.Path
	case body == "" && want.requestBody == "":
		return ""
	}
	var mine, theirs any
	if err := json.Unmarshal([]byte(orEmpty(body)), &mine); err != nil {
		return "the body is not JSON: " + err.Error()
	}
	if err := json.Unmarshal([]byte(orEmpty(want.requestBody)), &theirs); err != nil {
		return "the recorded body is not JSON: " + err.Error()
	}
	return strings.Join(s.differences("", mine, theirs), "; ")
}

func orEmpty(body string) string {
	if body == "" {
		return "{}"
	}
	return body
}

// differences compares bodies. Texts compare case-insensitively, because
// resource IDs do. Absent, null and empty are equal.
func (s *Server) differences(path string, mine, theirs any) []string {
	if slices.Contains(s.config.IgnoreFields, path) {
		return nil
	}
	a, isA := fields(mine)
	b, isB := fields(theirs)
	if isA || isB {
		if (!isA && mine != nil) || (!isB && theirs != nil) {
			return []string{fmt.Sprintf("%s is %v, recorded was %v", path, mine, theirs)}
		}
		var all []string
		for _, name := range names(a, b) {
			all = append(all, s.differences(strings.TrimPrefix(path+"."+name, "."), a[name], b[name])...)
		}
		return all
	}
	if strings.EqualFold(plain(mine), plain(theirs)) {
		return nil
	}
	listA, isA := mine.([]any)
	listB, isB := theirs.([]any)
	if isA && isB && len(listA) == len(listB) {
		var all []string
		for i := range listA {
			all = append(all, s.differences(fmt.Sprintf("%s[%d]", path, i), listA[i], listB[i])...)
		}
		return all
	}
	return []string{fmt.Sprintf("%s is %s, recorded was %s", path, plain(mine), plain(theirs))}
}

// fields returns the fields of an object. resourceId and resourceID are equal:
// Azure accepts both.
func fields(v any) (map[string]any, bool) {
	m, ok := v.(map[string]any)
	if id, there := m["resourceId"]; there {
		m = maps.Clone(m)
		delete(m, "resourceId")
		m["resourceID"] = id
	}
	return m, ok
}

// names returns the field names of both objects, sorted.
func names(a, b map[string]any) []string {
	var all []string
	for _, m := range []map[string]any{a, b} {
		for name := range m {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// plain returns a value as comparable text; nil is empty.
func plain(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
