package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// described is docs/openapi.yaml, loaded once for all tests.
var described = sync.OnceValues(func() (*openapi3.T, error) { //nolint:gochecknoglobals // read once
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	doc, err := loader.LoadFromFile(filepath.Join("..", "..", "docs", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	// The tests' requests go nowhere, so the document's server is theirs.
	doc.Servers = openapi3.Servers{{URL: "/api"}}
	return doc, nil
})

// document is docs/openapi.yaml.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := described()
	require.NoError(t, err)
	return doc
}

// routed finds routes in docs/openapi.yaml.
var routed = sync.OnceValues(func() (routers.Router, error) { //nolint:gochecknoglobals // built once
	doc, err := described()
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// requireDocumented asserts that docs/openapi.yaml describes the answer; and,
// where the API took the request, the request too: what the document calls
// valid is what the API takes.
func requireDocumented(t *testing.T, req *http.Request, body []byte, res answered, answer []byte) {
	t.Helper()
	router, err := routed()
	require.NoError(t, err)
	what := req.Method + " " + req.URL.Path
	route, parameters, err := router.FindRoute(req)
	if err != nil {
		require.Equal(t, http.StatusNotFound, res.StatusCode, "%s is answered and not documented", what)
		require.Contains(t, string(answer), "urn:azbackupflow:problem:no-such-route")
		return
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}
	req = req.Clone(context.WithoutCancel(req.Context()))
	req.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	asked := &openapi3filter.RequestValidationInput{Request: req, PathParams: parameters, Route: route, Options: options}
	fits := openapi3filter.ValidateRequest(req.Context(), asked)
	if res.StatusCode < http.StatusBadRequest {
		require.NoError(t, fits, "%s: %s is taken and not documented", what, body)
	}
	err = openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
	})
	require.NoError(t, err, "%s is answered %d %s", what, res.StatusCode, answer)
	if res.StatusCode >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"), what)
	}
}

func TestTheOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc := document(t)
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.NoError(t, doc.Validate(t.Context()))
}

func TestEveryRouteIsInTheOpenAPIDocumentAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	var documented []string
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" /api"+path)
		}
	}
	require.ElementsMatch(t, routesOf(t), documented)
}

// routesOf are the routes that the API registers.
func routesOf(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var routes []string
	for _, source := range sources {
		if !strings.HasSuffix(source, "_test.go") {
			routes = append(routes, found(`HandleFunc\("([A-Z]+ [^"]+)"`, file(t, source))...)
		}
	}
	require.Contains(t, routes, "POST /api/operations")
	require.Contains(t, routes, "POST /api/rescue")
	return routes
}

func TestEveryProblemIsInTheOpenAPIDocument(t *testing.T) {
	t.Parallel()
	text := file(t, filepath.Join("..", "..", "docs", "openapi.yaml"))
	documented := slices.Compact(slices.Sorted(slices.Values(found(`"urn:azbackupflow:problem:([a-z-]+)"`, text))))
	require.ElementsMatch(t, problemTypes(t), documented)
}

// problemTypes are the short names of the API's problems.
func problemTypes(t *testing.T) []string {
	t.Helper()
	types := found(`problemPrefix \+ "([^"]+)"`, file(t, "problem.go"))
	require.Contains(t, types, "key-conflict")
	return types
}

func TestEveryFieldThatIsAnsweredIsInTheOpenAPIDocumentAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for name, kind := range map[string]reflect.Type{
		"Operation": reflect.TypeFor[handlers.View](), "Operations": reflect.TypeFor[handlers.List](),
		"Error": reflect.TypeFor[operation.Error](), "Exchange": reflect.TypeFor[operation.Exchange](), "Event": reflect.TypeFor[operation.Event](),
		"Validation": reflect.TypeFor[handlers.Validation](), "RehearsedStep": reflect.TypeFor[handlers.RehearsedStep](), "UnsentCall": reflect.TypeFor[step.Unsent](),
		"BulkAnswer": reflect.TypeFor[handlers.BulkAnswer](), "BulkTarget": reflect.TypeFor[handlers.BulkTarget](), "BulkRefusal": reflect.TypeFor[handlers.BulkRefusal](),
		"DeadLetters": reflect.TypeFor[handlers.DeadLetterList](), "Replayed": reflect.TypeFor[handlers.Replayed](),
		"Purged": reflect.TypeFor[handlers.Purged](), "Swept": reflect.TypeFor[engine.SweepResult](),
		"Verdict": reflect.TypeFor[decision.Record](), "Verdicts": reflect.TypeFor[handlers.VerdictList](),
		"Refusal": reflect.TypeFor[rejected.Request](), "Flow": reflect.TypeFor[handlers.FlowView](),
		"FieldError": reflect.TypeFor[step.FieldError](), "Problem": reflect.TypeFor[handlers.Problem](),
	} {
		described := doc.Components.Schemas[name]
		require.NotNil(t, described, name)
		var documented, answered, always []string
		for field := range described.Value.Properties {
			documented = append(documented, field)
		}
		for i := range kind.NumField() {
			field, options, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			answered = append(answered, field)
			if !strings.Contains(options, "omit") {
				always = append(always, field)
			}
		}
		require.ElementsMatch(t, answered, documented, name)
		require.ElementsMatch(t, always, described.Value.Required, "%s: what is always there is required", name)
	}
	statuses := doc.Components.Schemas["Status"].Value.Enum
	require.Len(t, statuses, len(operation.Statuses()))
	for _, s := range operation.Statuses() {
		require.Contains(t, statuses, string(s))
	}
	outcomes := doc.Components.Schemas["Outcome"].Value.Enum
	require.Len(t, outcomes, len(autoprotect.Outcomes()))
	for _, o := range autoprotect.Outcomes() {
		require.Contains(t, outcomes, string(o))
	}
}

// Every documented answer of every route is one that the API gives.
func TestEveryAnswerInTheOpenAPIDocumentIsGiven(t *testing.T) {
	t.Parallel()
	given := map[string]bool{}
	problems := map[string]bool{}
	var mu sync.Mutex
	note := func(method, route string, res answered, p handlers.Problem) {
		mu.Lock()
		defer mu.Unlock()
		given[fmt.Sprintf("%s %s %d", method, route, res.StatusCode)] = true
		if p.Type != "" {
			problems[problem(p)] = true
		}
	}
	everyAnswer(t, note)
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				require.True(t, given[method+" "+path+" "+status], "%s %s is never answered %s", method, path, status)
			}
		}
	}
	for _, name := range problemTypes(t) {
		require.True(t, problems[name], "no request is answered with the problem %s", name)
	}
}

// everyAnswer makes requests that together are answered in every way.
func everyAnswer(t *testing.T, note func(method, route string, res answered, p handlers.Problem)) {
	t.Helper()
	const unknown = "/operations/nobody"
	share := backupRequest("b", "testshare")
	bulk := func() object {
		return object{"template": object{"flow": "backup-now", "parameters": object{}}, "targets": []any{share["parameters"], object{}}}
	}
	long := `{"flow":"` + strings.Repeat("x", 300<<10) + `"}`
	r := newRig(t)
	r.receive(r.message("m1", []byte("<"), nil))
	withRoles := r.config()
	withRoles.Roles = true
	repairGuarded := r.repair()
	repairGuarded.Roles = true
	guarded := repairGuarded.Routes(handlers.API(withRoles))

	ask := func(api http.Handler, method, route, target string, body any, headers ...string) answered {
		var p handlers.Problem
		res := r.call(api, method, target, body, nil, headers...)
		if res.StatusCode >= http.StatusBadRequest {
			r.call(api, method, target, body, &p, headers...)
		}
		note(method, route, res, p)
		return res
	}
	var v handlers.View
	r.call(r.api, http.MethodPost, "/operations", share, &v)
	id := "/operations/" + v.ID
	post, get, del := http.MethodPost, http.MethodGet, http.MethodDelete

	ask(r.api, post, "/operations", "/operations", share)
	ask(r.api, post, "/operations", "/operations", object{"flow": "backup-now", "parameters": share["parameters"], "dryRun": true})
	ask(r.api, post, "/operations", "/operations", "{}")
	ask(r.api, post, "/operations", "/operations", backupRequest("b", "other"))
	ask(r.api, post, "/operations", "/operations", long)
	ask(r.api, post, "/operations:validate", "/operations:validate", share)
	ask(r.api, post, "/operations:validate", "/operations:validate", "{}")
	ask(r.api, post, "/operations:validate", "/operations:validate", long)
	ask(r.api, post, "/operations:bulk", "/operations:bulk", bulk(), "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ask(r.api, post, "/operations:bulk", "/operations:bulk", "{}")
	ask(r.api, post, "/operations:bulk", "/operations:bulk", long)
	ask(r.api, get, "/operations", "/operations?status=Pending,running&flow=backup-now&since=2026-01-01T00:00:00Z&pageSize=1", nil)
	ask(r.api, get, "/operations", "/operations?colour=red", nil)
	ask(r.api, get, "/refusals", "/refusals", nil)
	ask(r.api, get, "/refusals", "/refusals?pageSize=0", nil)
	require.NoError(t, r.store.SaveDecision(t.Context(), decision.Record{ResourceID: "/s/a", Outcome: "none", Reason: "no rule matches", Source: "event", EventID: "e1"}))
	ask(r.api, get, "/verdicts", "/verdicts?outcome=none&pageSize=1", nil)
	ask(r.api, get, "/verdicts", "/verdicts?outcome=red", nil)
	ask(r.api, get, "/flows", "/flows", nil)
	ask(r.api, get, "/preflight", "/preflight", nil)
	letter := r.refused("m2", share)
	ask(r.api, get, "/dead-letters", "/dead-letters?pageSize=1", nil)
	ask(r.api, get, "/dead-letters", "/dead-letters?colour=red", nil)
	ask(r.api, get, "/dead-letters/{handle}", letter, nil)
	ask(r.api, post, "/dead-letters/{handle}/replay", letter+"/replay", nil)
	ask(r.api, post, "/dead-letters/{handle}/replay", letter+"/replay", share)
	ask(r.api, post, "/dead-letters/{handle}/replay", letter+"/replay", "{}")
	ask(r.api, post, "/dead-letters/{handle}/replay", letter+"/replay", long)
	for _, target := range []struct{ method, route, suffix string }{
		{get, "", ""}, {del, "", ""}, {post, "/replay", "/replay"},
	} {
		ask(r.api, target.method, "/dead-letters/{handle}"+target.route, "/dead-letters/nobody"+target.suffix, nil)
	}
	ask(r.api, del, "/dead-letters", "/dead-letters?until=2026-01-01T00:00:00Z", nil)
	ask(r.api, del, "/dead-letters", "/dead-letters", nil)
	ask(r.api, post, "/rescue", "/rescue", nil)
	ask(r.api, del, "/dead-letters/{handle}", letter, nil)
	letter = r.refused("m3", share)
	res := ask(r.api, get, "/operations/{id}", id, nil)
	ask(r.api, get, "/operations/{id}", id, nil, "If-None-Match", res.Header.Get("ETag"))
	ask(r.api, get, "/operations/{id}", unknown, nil)
	ask(r.api, get, "/operations/{id}/history", id+"/history", nil)
	ask(r.api, get, "/operations/{id}/history", unknown+"/history", nil)
	ask(r.api, get, "/nowhere", "/nowhere", nil)
	ask(r.api, post, "/operations/{id}/retry", id+"/retry", nil)
	ask(r.api, post, "/operations/{id}/retry", unknown+"/retry", nil)
	changes := []struct{ method, route, suffix string }{
		{post, "/operations/{id}/pause", "/pause"}, {post, "/operations/{id}/resume", "/resume"}, {del, "/operations/{id}", ""},
	}
	for _, c := range changes {
		ask(r.api, c.method, c.route, id+c.suffix, nil)
		ask(r.api, c.method, c.route, unknown+c.suffix, nil)
	}
	r.work() // it is canceled, or fails: the share is not protected
	for _, c := range changes {
		ask(r.api, c.method, c.route, id+c.suffix, nil)
	}
	ask(r.api, post, "/operations", "/operations", share)
	failed := backupRequest("c", "noshare")
	r.call(r.api, post, "/operations", failed, &v)
	r.work()
	ask(r.api, post, "/operations/{id}/retry", "/operations/"+v.ID+"/retry", nil)

	all := []struct {
		method, route, target string
		body                  any
	}{
		{post, "/operations", "/operations", share}, {post, "/operations:validate", "/operations:validate", share}, {post, "/operations:bulk", "/operations:bulk", bulk()},
		{get, "/operations", "/operations", nil}, {get, "/refusals", "/refusals", nil}, {get, "/verdicts", "/verdicts", nil}, {get, "/flows", "/flows", nil}, {get, "/preflight", "/preflight", nil},
		{get, "/operations/{id}", id, nil}, {get, "/operations/{id}/history", id + "/history", nil}, {post, "/operations/{id}/retry", id + "/retry", nil},
		{get, "/dead-letters", "/dead-letters", nil}, {get, "/dead-letters/{handle}", letter, nil}, {post, "/dead-letters/{handle}/replay", letter + "/replay", nil},
		{del, "/dead-letters", "/dead-letters?until=2026-01-01T00:00:00Z", nil}, {post, "/rescue", "/rescue", nil}, {del, "/dead-letters/{handle}", letter, nil},
		{post, "/operations/{id}/pause", id + "/pause", nil}, {post, "/operations/{id}/resume", id + "/resume", nil}, {del, "/operations/{id}", id, nil},
	}
	for _, c := range all {
		ask(guarded, c.method, c.route, c.target, c.body)
		ask(guarded, c.method, c.route, c.target, c.body, principalHeader, signedIn("Nothing"))
	}
	r.store.set(true)
	r.busAway = true
	for _, c := range all {
		ask(r.api, c.method, c.route, c.target, c.body)
	}
}

// A query that the document calls wrong is refused, and so the other way round.
func TestTheFiltersInTheOpenAPIDocumentAreThoseOfTheLists(t *testing.T) {
	t.Parallel()
	doc := document(t)
	r := newRig(t)
	for _, path := range []string{"/operations", "/refusals", "/verdicts", "/dead-letters"} {
		var names []string
		for _, p := range doc.Paths.Find(path).Get.Parameters {
			names = append(names, p.Value.Name)
		}
		var p handlers.Problem
		r.call(r.api, http.MethodGet, path+"?colour="+url.QueryEscape("red"), nil, &p)
		want := "one of " + strings.Join(names, ", ")
		require.Equal(t, want, p.Fields[0].Want)
	}
}
