package arm

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/step"
)

func TestWith_DryRunSendsReadsAndListsWrites(t *testing.T) {
	t.Parallel()
	azure := newAzure(t, answers(200, `{}`))
	dryRun, recorder := &step.DryRun{}, &step.Recorder{}
	client := azure.client(t)
	bound := client.With(CallOptions{DryRun: dryRun, Record: recorder.Record})
	_, err := bound.Do(t.Context(), Request{Method: http.MethodGet, Path: "/a"})
	require.NoError(t, err)
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		_, err := bound.Do(t.Context(), Request{
			Method: method, Path: "/b", Query: url.Values{"api-version": {"1"}}, Body: map[string]int{"x": 1},
		})
		require.Equal(t, CodeNotSent, asError(t, err).Code, method)
		require.False(t, asError(t, err).Ambiguous, method)
	}
	require.Len(t, azure.requests(), 1)
	require.Len(t, recorder.Exchanges(), 1)
	require.Len(t, dryRun.Calls(), 4)
	require.Equal(t, step.Unsent{Method: "PUT", Path: "/b", Query: "api-version=1", Body: []byte(`{"x":1}`)}, dryRun.Calls()[0])

	_, err = client.Do(t.Context(), Request{Method: http.MethodPost, Path: "/b"})
	require.NoError(t, err, "the client itself still writes")
	require.Len(t, azure.requests(), 2)
}
