package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schedule/run"
)

// described is docs/openapi.yaml, loaded once for all tests.
var described = sync.OnceValues(func() (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	doc, err := loader.LoadFromFile(filepath.Join("..", "..", "docs", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	// The tests call no server, so the paths need no host.
	doc.Servers = openapi3.Servers{{URL: "/api"}}
	return doc, nil
})

// document is docs/openapi.yaml.
func document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := described()
	require.NoError(t, err)
	return doc
}

// routed finds the routes of docs/openapi.yaml.
var routed = sync.OnceValues(func() (routers.Router, error) {
	doc, err := described()
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// requireDocumented asserts that docs/openapi.yaml describes the response. If the
// API accepted the request, the document must describe the request too.
func requireDocumented(t testing.TB, req *http.Request, body []byte, res response, answer []byte) {
	t.Helper()
	router, err := routed()
	require.NoError(t, err)
	what := req.Method + " " + req.URL.Path
	route, parameters, err := router.FindRoute(req)
	if err != nil && (res.StatusCode == http.StatusMethodNotAllowed || req.Method == http.MethodOptions || req.Method == http.MethodHead) {
		return // the routes themselves are documented
	}
	if err != nil {
		require.Equal(t, http.StatusNotFound, res.StatusCode, "%s has a response and is not documented", what)
		require.Contains(t, string(answer), "urn:azbackupflow:problem:no-such-route")
		return
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}
	req = req.Clone(context.WithoutCancel(req.Context()))
	req.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	input := &openapi3filter.RequestValidationInput{Request: req, PathParams: parameters, Route: route, Options: options}
	fits := openapi3filter.ValidateRequest(req.Context(), input)
	if res.StatusCode < http.StatusBadRequest {
		require.NoError(t, fits, "%s: %s is accepted and not documented", what, body)
	}
	err = openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
	})
	require.NoError(t, err, "%s has the response %d %s", what, res.StatusCode, answer)
	if res.StatusCode >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"), what)
	}
}

func TestOpenAPI_IsValid(t *testing.T) {
	t.Parallel()
	doc := document(t)
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.NoError(t, doc.Validate(t.Context()))
}

func TestOpenAPI_HasTheRoutesOfTheRouteTable(t *testing.T) {
	t.Parallel()
	var documented []string
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" /api"+path)
		}
	}
	require.ElementsMatch(t, newRig(t).api.Routes(), documented)
}

func TestOpenAPI_HasEveryProblemType(t *testing.T) {
	t.Parallel()
	text := file(t, filepath.Join("..", "..", "docs", "openapi.yaml"))
	documented := slices.Compact(slices.Sorted(slices.Values(found(`"(urn:azbackupflow:problem:[a-z-]+)"`, text))))
	require.ElementsMatch(t, wire.ProblemTypes(), documented)
}

func TestOpenAPI_HasTheFieldsOfTheWireTypes(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for _, kind := range []reflect.Type{
		reflect.TypeFor[wire.Operation](), reflect.TypeFor[wire.OperationPage](), reflect.TypeFor[wire.Error](), reflect.TypeFor[wire.Exchange](),
		reflect.TypeFor[wire.Event](), reflect.TypeFor[wire.History](), reflect.TypeFor[wire.Plan](), reflect.TypeFor[wire.Validation](),
		reflect.TypeFor[wire.DryRunStep](), reflect.TypeFor[wire.UnsentCall](), reflect.TypeFor[wire.BulkResult](), reflect.TypeFor[wire.BulkTarget](),
		reflect.TypeFor[wire.BulkRejected](), reflect.TypeFor[wire.RejectedRequest](), reflect.TypeFor[wire.RejectedPage](), reflect.TypeFor[wire.Replayed](),
		reflect.TypeFor[wire.Purged](), reflect.TypeFor[wire.SweepResult](), reflect.TypeFor[wire.Decision](), reflect.TypeFor[wire.DecisionPage](),
		reflect.TypeFor[wire.Flow](), reflect.TypeFor[wire.FlowList](), reflect.TypeFor[wire.Preflight](), reflect.TypeFor[wire.Finding](),
		reflect.TypeFor[wire.FieldError](), reflect.TypeFor[wire.Problem](), reflect.TypeFor[wire.Actor](), reflect.TypeFor[wire.Summary](),
		reflect.TypeFor[wire.FlowSummary](), reflect.TypeFor[wire.BulkStatus](), reflect.TypeFor[wire.BulkProblem](), reflect.TypeFor[wire.Schedule](),
		reflect.TypeFor[wire.ScheduledRun](), reflect.TypeFor[wire.ScheduleList](), reflect.TypeFor[wire.RequestedRun](), reflect.TypeFor[wire.Limit](),
		reflect.TypeFor[wire.LimitWaiter](), reflect.TypeFor[wire.LimitList](), reflect.TypeFor[wire.Version](), reflect.TypeFor[wire.Health](),
		reflect.TypeFor[wire.Readiness](), reflect.TypeFor[wire.ReadinessObjectives](), reflect.TypeFor[wire.ReadinessScan](), reflect.TypeFor[wire.ReadinessProblem](),
		reflect.TypeFor[wire.ReadinessScore](), reflect.TypeFor[wire.ReadinessVault](), reflect.TypeFor[wire.ReadinessItem](), reflect.TypeFor[wire.ReadinessDrill](),
		reflect.TypeFor[wire.DrillResults](), reflect.TypeFor[wire.DrillList](), reflect.TypeFor[wire.Evidence](), reflect.TypeFor[wire.EvidencePage](),
		reflect.TypeFor[wire.EvidenceKey](), reflect.TypeFor[wire.Removal](), reflect.TypeFor[wire.RemovalPage](),
	} {
		name := kind.Name()
		described := doc.Components.Schemas[name]
		require.NotNil(t, described, name)
		var documented, fields, always []string
		for field := range described.Value.Properties {
			documented = append(documented, field)
		}
		for i := range kind.NumField() {
			field, options, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			fields = append(fields, field)
			require.NotEqual(t, reflect.TypeFor[time.Duration](), kind.Field(i).Type, "%s.%s: durations are seconds or ISO 8601", name, field)
			if !strings.Contains(options, "omit") {
				always = append(always, field)
			}
		}
		require.ElementsMatch(t, fields, documented, name)
		require.ElementsMatch(t, always, described.Value.Required, "%s: fields that are always present are required", name)
	}
	statuses := doc.Components.Schemas["Status"].Value.Enum
	require.Len(t, statuses, len(operation.Statuses()))
	require.Len(t, wire.Statuses(), len(operation.Statuses()))
	for i, s := range operation.Statuses() {
		require.Contains(t, statuses, string(s))
		require.Equal(t, string(s), string(wire.Statuses()[i]))
		require.Equal(t, s.Terminal(), wire.Statuses()[i].Terminal())
		require.Equal(t, s.Successful(), wire.Statuses()[i].Successful())
	}
	require.Equal(t, operation.MaxPageSize, wire.MaxPageSize)
	require.ElementsMatch(t, doc.Components.Schemas["DrillResult"].Value.Enum, wire.DrillResultNames())
	outcomes := doc.Components.Schemas["Outcome"].Value.Enum
	require.Len(t, outcomes, len(autoprotect.Outcomes()))
	for _, o := range autoprotect.Outcomes() {
		require.Contains(t, outcomes, string(o))
	}
}

// The API sends every documented response of every route.
func TestOpenAPI_HasNoResponseThatNeverOccurs(t *testing.T) {
	t.Parallel()
	sent := map[string]bool{}
	problems := map[string]bool{}
	var mu sync.Mutex
	note := func(method, route string, res response, p wire.Problem) {
		mu.Lock()
		defer mu.Unlock()
		sent[fmt.Sprintf("%s %s %d", method, route, res.StatusCode)] = true
		if p.Type != "" {
			problems[p.Type] = true
		}
	}
	everyResponse(t, note)
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				require.True(t, sent[method+" "+path+" "+status], "%s %s never responds with %s", method, path, status)
			}
		}
	}
	for _, kind := range wire.ProblemTypes() {
		require.True(t, problems[kind], "no response has the problem %s", kind)
	}
}

// everyResponse makes calls that together get every response.
func everyResponse(t *testing.T, note func(method, route string, res response, p wire.Problem)) {
	t.Helper()
	const unknown = "/operations/nobody"
	share := backupRequest("b", "testshare")
	bulk := func() object {
		return object{"template": object{"flow": "backup-now", "parameters": object{}}, "targets": []any{share["parameters"], object{}}}
	}
	long := `{"flow":"` + strings.Repeat("x", 300<<10) + `"}`
	r := newRig(t)
	r.receive(r.message("m1", []byte("<"), nil))
	guarded := r.newAPI(true)

	ask := func(api http.Handler, method, route, target string, body any, headers ...string) response {
		var p wire.Problem
		res := r.call(api, method, target, body, nil, headers...)
		if res.StatusCode >= http.StatusBadRequest {
			require.NoError(t, json.Unmarshal(res.Body, &p))
		}
		note(method, route, res, p)
		return res
	}
	var v wire.Operation
	r.call(r.api, http.MethodPost, "/operations", share, &v)
	id := "/operations/" + v.ID
	post, get, del := http.MethodPost, http.MethodGet, http.MethodDelete

	ask(r.api, post, "/operations", "/operations", share)
	ask(r.api, post, "/operations", "/operations", backupRequest("new", "othershare"))
	ask(r.api, post, "/operations", "/operations", object{"flow": "backup-now", "parameters": share["parameters"], "dryRun": true})
	ask(r.api, post, "/operations", "/operations", "{}")
	ask(r.api, post, "/operations", "/operations", backupRequest("b", "other"))
	ask(r.api, post, "/operations", "/operations", long)
	ask(r.api, post, "/operations:validate", "/operations:validate", share)
	ask(r.api, post, "/operations:validate", "/operations:validate", "{}")
	ask(r.api, post, "/operations:validate", "/operations:validate", long)
	ask(r.api, post, "/operations:bulk", "/operations:bulk", bulk(), "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Idempotency-Key", "b/1")
	ask(r.api, get, "/bulks/{key}", "/bulks/b%2F1", nil)
	ask(r.api, post, "/operations:bulk", "/operations:bulk", "{}")
	ask(r.api, post, "/operations:bulk", "/operations:bulk", long)
	ask(r.api, get, "/operations", "/operations?status=Pending,running&flow=backup-now&since=2026-01-01T00:00:00Z&pageSize=1", nil)
	ask(r.api, get, "/operations", "/operations?colour=red", nil)
	require.NoError(t, r.store.SaveDecision(t.Context(), decision.Record{ResourceID: "/s/a", Outcome: "none", Reason: "no rule matches", Source: "event", EventID: "e1"}))
	ask(r.api, get, "/decisions", "/decisions?outcome=none&pageSize=1", nil)
	ask(r.api, get, "/decisions", "/decisions?outcome=red", nil)
	ask(r.api, get, "/flows", "/flows", nil)
	ask(r.api, get, "/preflight", "/preflight", nil)
	for route, query := range azureRoutes() {
		for _, vault := range []string{"v", "missing", "broken", "busy", ""} {
			ask(r.api, get, route, route+query+vault, nil)
		}
	}
	ask(r.api, get, "/readiness", "/readiness?tag=env&maxPointAge=P1D&pageSize=1", nil)
	ask(r.api, get, "/readiness", "/readiness?colour=red", nil)
	path := r.rejected("m2", share)
	ask(r.api, get, "/rejected", "/rejected?pageSize=1", nil)
	ask(r.api, get, "/rejected", "/rejected?colour=red", nil)
	ask(r.api, get, "/rejected/{id}", path, nil)
	ask(r.api, post, "/rejected/{id}/replay", path+"/replay", nil)
	ask(r.api, post, "/rejected/{id}/replay", path+"/replay", share)
	ask(r.api, post, "/rejected/{id}/replay", path+"/replay", "{}")
	ask(r.api, post, "/rejected/{id}/replay", path+"/replay", long)
	for _, target := range []struct{ method, route, suffix string }{
		{get, "", ""}, {del, "", ""}, {post, "/replay", "/replay"},
	} {
		ask(r.api, target.method, "/rejected/{id}"+target.route, "/rejected/nobody"+target.suffix, nil)
	}
	ask(r.api, del, "/rejected", "/rejected?until=2026-01-01T00:00:00Z", nil)
	ask(r.api, del, "/rejected", "/rejected", nil)
	ask(r.api, post, "/rescue", "/rescue", nil)
	ask(r.api, del, "/rejected/{id}", path, nil)
	ask(r.api, get, "/removals", "/removals?since=1d&pageSize=1", nil)
	ask(r.api, get, "/removals", "/removals?colour=red", nil)
	path = r.rejected("m3", share)
	res := ask(r.api, get, "/operations/{id}", id, nil)
	ask(r.api, get, "/operations/{id}", id, nil, "If-None-Match", res.Header.Get("ETag"))
	ask(r.api, get, "/operations/{id}", unknown, nil)
	ask(r.api, get, "/operations/{id}/history", id+"/history", nil)
	ask(r.api, get, "/operations/{id}/history", unknown+"/history", nil)
	ask(r.api, get, "/nowhere", "/nowhere", nil)
	ask(r.api, http.MethodPut, "/nowhere", "/operations", nil)
	long500 := "?reason=" + strings.Repeat("x", 501)
	for _, c := range []struct{ method, route, target string }{
		{get, "/summary", "/summary"}, {get, "/summary", "/summary?since=x"}, {get, "/bulks/{key}", "/bulks/nobody"}, {get, "/schedules", "/schedules"},
		{post, "/schedules/{name}/run", "/schedules/nightly/run"}, {post, "/schedules/{name}/run", "/schedules/nobody/run"},
		{post, "/schedules/{name}/run", "/schedules/nightly/run" + long500},
		{post, "/schedules/{name}/pause", "/schedules/nightly/pause"}, {post, "/schedules/{name}/pause", "/schedules/nobody/pause"},
		{post, "/schedules/{name}/pause", "/schedules/nightly/pause" + long500},
		{post, "/schedules/{name}/resume", "/schedules/nightly/resume"}, {post, "/schedules/{name}/resume", "/schedules/nobody/resume"},
		{post, "/schedules/{name}/resume", "/schedules/nightly/resume" + long500},
		{get, "/limits", "/limits"}, {get, "/openapi.json", "/openapi.json"}, {get, "/version", "/version"}, {get, "/health", "/health"}, {del, "/operations/{id}", id + long500},
		{get, "/drills", "/drills"}, {get, "/drills/key", "/drills/key"}, {get, "/drills/key", "/drills/key"}, {get, "/drills/key", "/drills/key"},
		{get, "/drills/evidence", "/drills/evidence?pageSize=1&result=Failed"}, {get, "/drills/evidence", "/drills/evidence?colour=red"},
		{get, "/drills/evidence", "/drills/evidence?vault=broken"}, {get, "/drills/evidence/{id}", "/drills/evidence/a"},
		{get, "/drills/evidence/{id}", "/drills/evidence/none"}, {get, "/drills/evidence/{id}", "/drills/evidence/changed"}, {get, "/drills/evidence/{id}", "/drills/evidence/broken"},
		{post, "/operations/{id}/pause", id + "/pause" + long500}, {post, "/operations/{id}/resume", id + "/resume" + long500},
		{post, "/operations/{id}/retry", id + "/retry" + long500}, {del, "/rejected/{id}", path + long500},
	} {
		ask(r.api, c.method, c.route, c.target, nil)
	}
	validations(t, r, ask)
	for _, verb := range []string{"run", "pause", "resume"} {
		for _, target := range []string{"monthly-files/" + verb, "nobody/" + verb, "monthly-files/" + verb + long500} {
			ask(r.api, post, "/drills/declared/{name}/"+verb, "/drills/declared/"+target, nil)
		}
	}
	r.requestedRun(t, "drill:monthly-files")
	ask(r.api, post, "/drills/declared/{name}/run", "/drills/declared/monthly-files/run", nil, "Idempotency-Key", "another")
	r.requestedRun(t, "nightly")
	ask(r.api, post, "/schedules/{name}/run", "/schedules/nightly/run", nil, "Idempotency-Key", "another")
	ask(r.api, post, "/operations/{id}/retry", id+"/retry", nil)
	ask(r.api, post, "/operations/{id}/retry", unknown+"/retry", nil)
	changes := []struct{ method, route, suffix string }{
		{post, "/operations/{id}/pause", "/pause"}, {post, "/operations/{id}/resume", "/resume"}, {del, "/operations/{id}", ""},
	}
	for _, c := range changes {
		ask(r.api, c.method, c.route, id+c.suffix, nil)
		ask(r.api, c.method, c.route, unknown+c.suffix, nil)
	}
	r.work() // the operation is canceled, or fails because the share is not protected
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
		{get, "/operations", "/operations", nil}, {get, "/decisions", "/decisions", nil}, {get, "/flows", "/flows", nil}, {get, "/preflight", "/preflight", nil},
		{get, "/operations/{id}", id, nil}, {get, "/operations/{id}/history", id + "/history", nil}, {post, "/operations/{id}/retry", id + "/retry", nil},
		{get, "/removals", "/removals", nil}, {get, "/rejected", "/rejected", nil}, {get, "/rejected/{id}", path, nil}, {post, "/rejected/{id}/replay", path + "/replay", nil},
		{del, "/rejected", "/rejected?until=2026-01-01T00:00:00Z", nil}, {post, "/rescue", "/rescue", nil}, {del, "/rejected/{id}", path, nil},
		{get, "/readiness", "/readiness", nil}, {get, "/summary", "/summary", nil}, {get, "/bulks/{key}", "/bulks/b%2F1", nil}, {get, "/schedules", "/schedules", nil}, {get, "/limits", "/limits", nil},
		{get, "/openapi.json", "/openapi.json", nil}, {get, "/version", "/version", nil}, {get, "/health", "/health", nil}, {post, "/schedules/{name}/run", "/schedules/nightly/run", nil},
		{post, "/schedules/{name}/pause", "/schedules/nightly/pause", nil}, {post, "/schedules/{name}/resume", "/schedules/nightly/resume", nil},
		{post, "/operations/{id}/pause", id + "/pause", nil}, {post, "/operations/{id}/resume", id + "/resume", nil}, {del, "/operations/{id}", id, nil},
		{post, "/operations/{id}/validation", id + "/validation", object{"result": "Failed"}},
		{get, "/drills", "/drills", nil}, {get, "/drills/key", "/drills/key", nil}, {get, "/drills/evidence", "/drills/evidence", nil}, {get, "/drills/evidence/{id}", "/drills/evidence/a", nil},
		{post, "/drills/declared/{name}/run", "/drills/declared/monthly-files/run", nil}, {post, "/drills/declared/{name}/pause", "/drills/declared/monthly-files/pause", nil},
		{post, "/drills/declared/{name}/resume", "/drills/declared/monthly-files/resume", nil},
	}
	for route, query := range azureRoutes() {
		ask(guarded, get, route, route+query+"v", nil)
		ask(guarded, get, route, route+query+"v", nil, principalHeader, signedIn("Nothing"))
	}
	for _, c := range all {
		ask(guarded, c.method, c.route, c.target, c.body)
		ask(guarded, c.method, c.route, c.target, c.body, principalHeader, signedIn("Nothing"))
	}
	unchecked := r.newAPI(true, errors.New("AZBACKUPFLOW_API_ROLES"))
	for _, c := range all {
		ask(unchecked, c.method, c.route, c.target, c.body, principalHeader, signedIn("Operations.Read", "Operations.Start", "Operations.Restore"))
	}
	r.store.setUnreadable(true)
	for _, c := range all {
		ask(r.api, c.method, c.route, c.target, c.body)
	}
	r.store.setUnreadable(false)
	r.store.set(true)
	r.report.Err = errUnavailable
	r.busDown = true
	for _, c := range all {
		ask(r.api, c.method, c.route, c.target, c.body)
	}
}

// The API rejects exactly the filters that the document does not have.
func TestOpenAPI_HasTheFiltersOfTheLists(t *testing.T) {
	t.Parallel()
	doc := document(t)
	r := newRig(t)
	for _, path := range []string{"/operations", "/decisions", "/rejected", "/removals", "/readiness", "/drills/evidence"} {
		var names []string
		for _, p := range doc.Paths.Find(path).Get.Parameters {
			names = append(names, p.Value.Name)
		}
		var p wire.Problem
		r.call(r.api, http.MethodGet, path+"?colour="+url.QueryEscape("red"), nil, &p)
		want := "one of " + strings.Join(names, ", ")
		require.Equal(t, want, p.Fields[0].Want)
	}
}

// requestedRun stores a requested run of a schedule that is not complete.
func (r *rig) requestedRun(t *testing.T, name string) {
	t.Helper()
	records, err := r.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	record := records[name]
	record.Name = name
	record.Manual = &run.Manual{Slot: "run-1", At: r.clock()}
	_, err = r.store.SaveScheduleRun(t.Context(), record)
	require.NoError(t, err)
}
