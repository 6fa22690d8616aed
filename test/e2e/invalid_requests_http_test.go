package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/stack"
)

// requireNamed asserts that the answer names the field, its problem and the
// correct value.
func requireNamed(t *testing.T, c badInput, fields []api.FieldError) {
	t.Helper()
	require.NotEmpty(t, fields)
	var found bool
	for _, f := range fields {
		require.Less(t, len(f.Field+f.Problem+f.Want), 1500)
		found = found || (f.Field == c.field || len(f.Field) > 100 && strings.HasPrefix(f.Field, c.field)) &&
			strings.Contains(f.Problem, c.problem) && strings.Contains(f.Want, c.want)
	}
	require.Truef(t, found, "want field %q, problem %q, want %q in %+v", c.field, c.problem, c.want, fields)
}

// TestHTTPRequest_InvalidIsAnsweredWithTheProblem sends every invalid request
// over HTTP. Each is answered at once with its problem, and starts nothing.
func TestHTTPRequest_InvalidIsAnsweredWithTheProblem(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed})
	for _, c := range badInputs() { //nolint:paralleltest // they share a stack
		t.Run(c.name, func(t *testing.T) {
			l := l.in(t)
			var p api.Problem
			res := l.call(http.MethodPost, "/operations", string(encoded(c.body)), &p)
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
			require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
			require.Equal(t, "urn:azbackupflow:problem:invalid-request", p.Type)
			require.Equal(t, http.StatusBadRequest, p.Status)
			require.NotEmpty(t, p.Title)
			require.Less(t, len(p.Detail), 5000)
			requireNamed(t, c, p.Fields)
		})
	}
	t.Run("1 MB", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		var p api.Problem
		body := parameters(map[string]any{"fileShare": strings.Repeat("a", 1<<20)})
		res := l.call(http.MethodPost, "/operations", body, &p)
		require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		require.Equal(t, "urn:azbackupflow:problem:too-large", p.Type)
		requireNamed(t, badInput{field: "request", problem: "too long", want: "262144"}, p.Fields)
	})
	t.Run("several things at once", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		var p api.Problem
		l.call(http.MethodPost, "/operations", parameters(map[string]any{"vaultId": "v", "fileShare": "S", "policy": nil}), &p)
		require.Len(t, p.Fields, 3)
	})
	t.Run("an invalid Idempotency-Key", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		r := protect("")
		delete(r, "key")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.URL()+"/api/operations", strings.NewReader(string(encoded(r))))
		require.NoError(t, err)
		req.Header.Set("Idempotency-Key", strings.Repeat("k", 201))
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
	})
	t.Run("filters", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		for query, field := range map[string]string{
			"status=Sleeping": "status", "since=yesterday": "since", "pageSize=0": "pageSize", "label=x": "label",
			"colour=red": "colour", "continue=nonsense": "continue",
		} {
			var p api.Problem
			res := l.call(http.MethodGet, "/operations?"+query, nil, &p)
			require.Equal(t, http.StatusBadRequest, res.StatusCode, query)
			require.NotEmpty(t, p.Fields, query)
			require.Equal(t, field, p.Fields[0].Field)
			require.NotEmpty(t, p.Fields[0].Want)
		}
	})
	t.Run("an unknown route", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		var p api.Problem
		res := l.call(http.MethodGet, "/backups", nil, &p)
		require.Equal(t, http.StatusNotFound, res.StatusCode)
		require.Equal(t, "urn:azbackupflow:problem:no-such-route", p.Type)
	})
	t.Run("the same key with other parameters", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		l.keepsItsKey(func(other map[string]any, id string) {
			var p api.Problem
			res := l.call(http.MethodPost, "/operations", other, &p)
			require.Equal(t, http.StatusConflict, res.StatusCode)
			require.Equal(t, "urn:azbackupflow:problem:key-conflict", p.Type)
			require.Equal(t, id, p.Operation)
			require.Contains(t, p.Detail, id)
			require.Equal(t, "key", p.Fields[0].Field)
		})
	})
	// One operation was valid. Nothing else was started.
	var all api.OperationPage
	l.call(http.MethodGet, "/operations", nil, &all)
	require.Len(t, all.Operations, 1)
	require.Empty(t, l.rejectedRequests(), "the caller over HTTP has read the answer")
}

// keepsItsKey starts an operation, sends another request under the same key,
// and checks that the first one ends as requested.
func (l *local) keepsItsKey(ask func(other map[string]any, id string)) {
	l.t.Helper()
	request := protect("taken")
	id := l.begin(request)
	ask(withParameters(protect("taken"), map[string]any{"fileShare": "othershare"}), id)
	// White space and the order of fields do not change the request.
	same := fmt.Sprintf(`{ "parameters": %s, "key": "taken", "flow": "protect-file-share" }`, encoded(request["parameters"]))
	var v api.Operation
	l.call(http.MethodPost, "/operations", same, &v)
	require.Equal(l.t, id, v.ID)
	done := l.succeeds(id)
	require.Contains(l.t, string(done.Parameters), `"testshare"`)
	require.Len(l.t, l.ARM.Backups(), 1)
}
