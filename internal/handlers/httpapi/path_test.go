package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Functions host sends a caller's %2F as %252F. An ID with a slash arrives as
// one path segment.
func TestWithSlashes_ReversesTheHostsEscape(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/api/operations/a%252Fb": "a/b", "/api/operations/a%252fb%20c": "a/b c", "/api/operations/a%2Fb": "a/b",
		"/api/operations/a": "a", "/api/operations/100%25": "100%", "/api/operations/%252": "%2",
	} {
		var id string
		mux := http.NewServeMux()
		mux.HandleFunc("GET /api/operations/{id}", func(_ http.ResponseWriter, r *http.Request) { id = r.PathValue("id") })
		mux.ServeHTTP(httptest.NewRecorder(), withSlashes(httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)))
		require.Equal(t, want, id, target)
	}
}
