package functionshost

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Kinds of route segments, in order of preference.
const (
	segmentLiteral = iota
	segmentParameter
	segmentOptional
	segmentRest
)

// segment is one part of a route between slashes.
type segment struct {
	kind int
	name string // the literal, or the parameter's name
}

// route is a route template such as operations/{id} or {*path}.
type route []segment

// parseRoute parses a template. Constraints such as {id:int} are not enforced.
func parseRoute(template string) (route, error) {
	var r route
	parts := strings.Split(strings.Trim(template, "/"), "/")
	for i, part := range parts {
		if part == "" && len(parts) == 1 {
			continue
		}
		s, err := parseSegment(part)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", template, err)
		}
		if i < len(parts)-1 && s.kind >= segmentOptional {
			return nil, fmt.Errorf("route %q: %s is not the last segment; move it to the end", template, part)
		}
		r = append(r, s)
	}
	return r, nil
}

func parseSegment(part string) (segment, error) {
	inner, opened := strings.CutPrefix(part, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !opened && !closed && part != "" && !strings.ContainsAny(part, "{}*?") {
		return segment{segmentLiteral, part}, nil
	}
	s := segment{kind: segmentParameter}
	name, _, _ := strings.Cut(inner, ":")
	if trimmed, ok := strings.CutPrefix(name, "*"); ok {
		s.kind, name = segmentRest, strings.TrimPrefix(trimmed, "*")
	} else if strings.HasSuffix(inner, "?") {
		s.kind, name = segmentOptional, strings.TrimSuffix(name, "?")
	}
	s.name = name
	if !opened || !closed || !parameterName.MatchString(name) {
		return s, fmt.Errorf("%q is not a segment of a route; write a literal or {name}", part)
	}
	return s, nil
}

// match reports whether an escaped path matches the template, ignoring case, and
// returns the unescaped parameters.
func (r route) match(path string) (map[string]string, bool) {
	parameters := map[string]string{}
	rest := strings.Trim(path, "/")
	for _, s := range r {
		if s.kind == segmentRest {
			if rest != "" {
				parameters[s.name] = unescape(rest)
			}
			return parameters, true
		}
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		part = unescape(part)
		switch {
		case s.kind == segmentLiteral && !strings.EqualFold(part, s.name):
			return nil, false
		case s.kind == segmentParameter && part == "":
			return nil, false
		case s.kind != segmentLiteral && part != "":
			parameters[s.name] = part
		}
	}
	return parameters, rest == ""
}

// unescape returns a segment without escapes, or unchanged if its escapes are
// invalid.
func unescape(part string) string {
	if text, err := url.PathUnescape(part); err == nil {
		return text
	}
	return part
}

// compare orders routes: literals before parameters before the rest of a path, from
// left to right, and longer routes before shorter ones.
func (r route) compare(other route) int {
	for i := range min(len(r), len(other)) {
		if c := cmp.Compare(r[i].kind, other[i].kind); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(other), len(r))
}

// httpRoute is the route of one HTTP function.
type httpRoute struct {
	function *Function
	route    route
	methods  []string // empty allows all
}

// httpRoutes returns the routes of an app's HTTP functions in order of preference.
func httpRoutes(app *App) ([]httpRoute, error) {
	var routes []httpRoute
	for i := range app.Functions {
		function := &app.Functions[i]
		if !function.Trigger.is(typeHTTPTrigger) || function.Disabled {
			continue
		}
		template := function.Name
		if function.Trigger.Route != nil {
			template = *function.Trigger.Route
		}
		r, err := parseRoute(app.Host.RoutePrefix + "/" + strings.Trim(template, "/"))
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", function.Name, err)
		}
		routes = append(routes, httpRoute{function: function, route: r, methods: function.Trigger.Methods})
	}
	slices.SortStableFunc(routes, func(a, b httpRoute) int { return a.route.compare(b.route) })
	return routes, nil
}

// findRoute returns the function for a request, or nil. The host responds with 404
// to other methods too.
func findRoute(routes []httpRoute, r *http.Request) (*Function, map[string]string) {
	for _, candidate := range routes {
		allowed := len(candidate.methods) == 0 || slices.ContainsFunc(candidate.methods, func(m string) bool {
			return strings.EqualFold(m, r.Method)
		})
		if !allowed {
			continue
		}
		if parameters, ok := candidate.route.match(r.URL.EscapedPath()); ok {
			return candidate.function, parameters
		}
	}
	return nil, nil
}
