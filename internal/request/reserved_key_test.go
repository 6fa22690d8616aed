package request_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
)

func TestReserved_RejectsTheAppsOwnPrefixes(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"schedule:daily:2026-11-21T02:30:request", "protect:x", "drill:x", "Schedule:daily", "DRILL:"} {
		require.ErrorContains(t, request.Reserved(key), "reserved", key)
	}
	for _, key := range []string{"", "schedule", "schedules:x", "my schedule:x", "sha256:schedule:"} {
		require.NoError(t, request.Reserved(key), key)
	}
}

func TestUnwrap_RejectsAttributesWithNamesOfMetadata(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"messageid", "MessageId", "replyto", "enqueuedTimeUtc", "applicationproperties", "userproperties", "deliverycount", "sys"} {
		_, err := request.Unwrap([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","` + name + `":"x","data":{}}`))
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "metadata")
	}
	_, err := request.Unwrap([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"x","partitionkey":"y","data":{"messageid":"inside"}}`))
	require.NoError(t, err)
}
