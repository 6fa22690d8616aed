package handlers_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
)

func TestADeadLetteredRequestWhoseOperationIsThereIsNotRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asked := backupRequest("", "testshare")
	delete(asked, "key")
	asked["labels"] = object{"bulk": "nightly"}
	body, err := json.Marshal(asked)
	require.NoError(t, err)
	r.receive(r.message("m1", body, nil))
	before := r.listed(10)
	require.Len(t, before, 1)

	dead := r.message("m1", body, object{"DeadLetterReason": "MaxDeliveryCountExceeded"})
	_, err = r.requests.DeadLettered(t.Context(), dead)
	require.NoError(t, err)
	require.Empty(t, r.take("rejected"))
	require.Len(t, r.listed(10), 1)
	require.Len(t, r.steps.Waiting(), 2, "its first message is sent again: the other one may never have been")

	other := r.message("m2", body, object{"DeadLetterReason": "MaxDeliveryCountExceeded"})
	_, err = r.requests.DeadLettered(t.Context(), other)
	require.NoError(t, err)
	require.Len(t, r.take("rejected"), 1, "this one never was taken")
	require.Len(t, r.listed(10), 1)

	r.store.set(true)
	_, err = r.requests.DeadLettered(t.Context(), dead)
	require.NoError(t, err)
	require.Empty(t, r.take("rejected"))
	require.Len(t, r.take("requests"), 1, "while nobody can tell it comes again later")
}

// A sweep and the housekeeping after it end before their invocation does.
func TestASweepLeavesTimeForHousekeeping(t *testing.T) {
	t.Parallel()
	require.Less(t, engine.MaxSweepTime+handlers.HousekeepingLimit, customhandler.DefaultDeadline)
}
