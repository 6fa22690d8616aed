package flow_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

func TestCheck_RecognizesARepeatAfterItsExpiryHasPassed(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	ask := func(expiry time.Time) (operation.Operation, bool, error) {
		raw, err := json.Marshal(demoShare(object{"firstBackup": object{"recoveryPointExpiryTimeInUTC": expiry}}))
		require.NoError(t, err)
		return r.engine.Start(t.Context(), request.Request{Flow: "protect-file-share", Key: "nightly", Parameters: raw}, engine.Origin{})
	}
	expiry := morning().Add(48 * time.Hour)
	first, created, err := ask(expiry)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, operation.Succeeded, r.finish(first.ID).Status)
	r.pass(expiry.Add(time.Hour))

	again, created, err := ask(expiry)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, operation.Succeeded, again.Status)
	require.Empty(t, r.queue.Waiting())

	_, _, err = ask(expiry.Add(time.Minute))
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid, "another request with the key is rejected for its own errors")
	require.Contains(t, invalid.Fields[0].Problem, "has passed")
}

func TestCheck_RecognizesARepeatAfterDeletionWasRevoked(t *testing.T) {
	t.Parallel()
	b := registry(t, morning())
	f, ok := b.Newest("delete-protection")
	require.True(t, ok)
	allowed, err := f.Check(json.RawMessage(`{"itemId":"` + demoItem + `"}`))
	require.NoError(t, err)
	forbidden, err := flow.New(flow.Config{Now: morning})
	require.NoError(t, err)
	f, ok = forbidden.Newest("delete-protection")
	require.True(t, ok)
	withdrawn, err := f.Check(json.RawMessage(`{"itemId":"` + demoItem + `"}`))
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "flow", invalid.Fields[0].Field)
	require.JSONEq(t, string(allowed), string(withdrawn), "its parameters identify it")
}
