package handlers_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
)

func TestDeadLetterRequests_WithAnExistingOperationAreNotRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := backupRequest("", "testshare")
	delete(request, "key")
	request["labels"] = object{"bulk": "nightly"}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	r.receive(r.message("m1", body, nil))
	before := r.listed(10)
	require.Len(t, before, 1)

	dead := r.message("m1", body, object{"DeadLetterReason": "MaxDeliveryCountExceeded"})
	_, err = handlers.DeadLetterRequests(r.intake)(t.Context(), dead)
	require.NoError(t, err)
	require.Empty(t, r.take("rejected"))
	require.Len(t, r.listed(10), 1)
	require.Len(t, r.steps.Waiting(), 2, "the first step message is sent again, because it may have been lost")

	other := r.message("m2", body, object{"DeadLetterReason": "MaxDeliveryCountExceeded"})
	_, err = handlers.DeadLetterRequests(r.intake)(t.Context(), other)
	require.NoError(t, err)
	require.Len(t, r.take("rejected"), 1, "no operation exists for this request")
	require.Len(t, r.listed(10), 1)

	r.store.set(true)
	_, err = handlers.DeadLetterRequests(r.intake)(t.Context(), dead)
	require.NoError(t, err)
	require.Empty(t, r.take("rejected"))
	require.Len(t, r.take("requests"), 1, "the request is rescheduled while storage is unavailable")
}

// A sweep and the retention after it fit into one invocation.
func TestSweep_LeavesTimeForRetention(t *testing.T) {
	t.Parallel()
	require.Less(t, engine.MaxSweepTime+handlers.MaxRetentionTime, customhandler.DefaultDeadline)
}
