package functionshost

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoute_MatchesAsInTheHost(t *testing.T) {
	t.Parallel()
	cases := []struct {
		template, path string
		parameters     map[string]string // nil: no match
	}{
		{"operations/{id}", "/operations/op-7", map[string]string{"id": "op-7"}},
		{"operations/{id}", "/Operations/op-7/", map[string]string{"id": "op-7"}},
		{"operations/{id}", "/operations", nil},
		{"operations/{id}", "/operations/op-7/history", nil},
		{"operations/{id?}", "/operations", map[string]string{}},
		{"operations/{id:guid}", "/operations/x", map[string]string{"id": "x"}},
		{"operations/{id}/cancel", "/operations/op-7/cancel", map[string]string{"id": "op-7"}},
		{"{*path}", "/", map[string]string{}},
		{"{*path}", "/a/b/c", map[string]string{"path": "a/b/c"}},
		{"items/{id}", "/items/%2Fsubscriptions%2F1", map[string]string{"id": "/subscriptions/1"}},
		{"", "/", map[string]string{}},
		{"", "/x", nil},
	}
	for _, c := range cases {
		r, err := parseRoute(c.template)
		require.NoError(t, err, c.template)
		parameters, ok := r.match(c.path)
		require.Equal(t, c.parameters != nil, ok, c.template+" "+c.path)
		if ok {
			require.Equal(t, c.parameters, parameters, c.template+" "+c.path)
		}
	}
}

func TestParseRoute_RejectsInvalidTemplates(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"a//b", "{*path}/x", "{id?}/x", "{}", "{a b}", "x{id}", "{id", "a*b"} {
		_, err := parseRoute(template)
		require.Error(t, err, template)
	}
}

func TestFindRoute_PrefersTheMostSpecific(t *testing.T) {
	t.Parallel()
	app := App{Host: HostFile{RoutePrefix: "api"}}
	for name, route := range map[string]string{"all": "{*path}", "one": "operations/{id}", "stats": "operations/stats"} {
		binding := Binding{Name: "req", Type: typeHTTPTrigger, Route: &route}
		if name == "stats" {
			binding.Methods = []string{"get"}
		}
		app.Functions = append(app.Functions, Function{Name: name, Trigger: binding})
	}
	app.Functions = append(app.Functions,
		Function{Name: "Plain", Trigger: Binding{Name: "req", Type: typeHTTPTrigger, Methods: []string{"GET", "post"}}},
		Function{Name: "off", Disabled: true, Trigger: Binding{Name: "req", Type: typeHTTPTrigger}})
	routes, err := httpRoutes(&app)
	require.NoError(t, err)
	for request, want := range map[string]string{
		"GET /api/operations/stats":  "stats",
		"POST /api/operations/stats": "one",
		"GET /api/operations/op-7":   "one",
		"GET /api/anything/else/too": "all",
		"GET /api":                   "all",
		"PUT /api/off":               "all",
		"POST /api/plain":            "Plain",
		"DELETE /api/plain":          "all",
		"GET /elsewhere":             "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		method, path, _ := strings.Cut(request, " ")
		r.Method, r.URL.Path = method, path
		function, _ := findRoute(routes, r)
		if want == "" {
			require.Nil(t, function, request)
			continue
		}
		require.NotNil(t, function, request)
		require.Equal(t, want, function.Name, request)
	}
}
