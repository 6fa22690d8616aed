package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/schema/schematest"
)

// TestPublishedSchema_RejectsInvalidRequests checks that the requests that are
// rejected over HTTP and on the queue do not fit the published schema either,
// except for rules that a schema cannot express.
func TestPublishedSchema_RejectsInvalidRequests(t *testing.T) {
	t.Parallel()
	s := schematest.Published(t, "../../docs/schemas").Get(t, "urn:azbackupflow:schema:request:v1")
	beyond := map[string]bool{
		"a policy of another vault":    true, // two fields that do not go together
		"an expiry in the past":        true,
		"a deadline that is too short": true,
	}
	fitted := 0
	for _, c := range badInputs() {
		raw := encoded(c.body)
		err := schematest.Validate(s, raw)
		if err == nil {
			fitted++
		}
		require.Equal(t, beyond[c.name], err == nil, "%s: %v", c.name, err)
	}
	require.Equal(t, 3, fitted)
	right, err := json.Marshal(protect("right"))
	require.NoError(t, err)
	require.NoError(t, schematest.Validate(s, right))
}
