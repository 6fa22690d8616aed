package handlers_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// recorder records the calls of the handlers for steps and events.
type recorder struct {
	runs       []operation.Delivery
	wakes      []operation.Wakeup
	rejections []intake.Rejection
	eventErr   error
}

func (r *recorder) RunStep(_ context.Context, d operation.Delivery) error {
	r.runs = append(r.runs, d)
	return nil
}

func (r *recorder) WakeDeadLettered(_ context.Context, w operation.Wakeup) error {
	r.wakes = append(r.wakes, w)
	return nil
}

func (r *recorder) Reject(_ context.Context, rejection intake.Rejection) error {
	r.rejections = append(r.rejections, rejection)
	return nil
}

func (r *recorder) HandleEvent(context.Context, []byte, string) error { return r.eventErr }

// invocation returns an invocation with a JSON value.
func invocation(t *testing.T, binding, body string) customhandler.Invocation {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	text, err = json.Marshal(string(text)) // the host encodes text twice
	require.NoError(t, err)
	return customhandler.Invocation{
		ID: "inv-1", Trace: "trace",
		Data:     map[string]json.RawMessage{binding: text},
		Metadata: map[string]json.RawMessage{"MessageId": json.RawMessage(`"m1"`), "DeliveryCount": json.RawMessage(`"3"`)},
	}
}

func TestRunStep_RunsAWakeUpAndDropsOtherMessages(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	_, err := handlers.RunStep(r)(t.Context(), invocation(t, "message", `{"operation":"op","seq":4}`))
	require.NoError(t, err)
	require.Len(t, r.runs, 1)
	require.Equal(t, "op", r.runs[0].Wakeup.OperationID)
	require.Equal(t, "trace", r.runs[0].Wakeup.TraceParent)
	require.Equal(t, 3, r.runs[0].Count)
	for _, body := range []string{"<", "{}", `{"operation":"op"}`, `{"seq":1}`} {
		_, err := handlers.RunStep(r)(t.Context(), invocation(t, "message", body))
		require.NoError(t, err, "a redelivery would not help")
	}
	require.Len(t, r.runs, 1)
}

func TestDeadLetterSteps_WakesTheOperationOrRejectsTheMessage(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	handle := handlers.DeadLetterSteps(r, r)
	_, err := handle(t.Context(), invocation(t, "message", `{"operation":"op","seq":4}`))
	require.NoError(t, err)
	require.Len(t, r.wakes, 1)
	require.Empty(t, r.rejections)
	_, err = handle(t.Context(), invocation(t, "message", `{"flow":"backup-now"}`))
	require.NoError(t, err)
	require.Len(t, r.wakes, 1)
	require.Len(t, r.rejections, 1)
	require.Equal(t, rejected.StepsDeadLetters, r.rejections[0].Source)
	require.Equal(t, "m1", r.rejections[0].MessageID)
	require.Equal(t, []byte(`{"flow":"backup-now"}`), r.rejections[0].Body)
	require.ErrorContains(t, r.rejections[0].Err, "not a wake-up")
}

func TestProtectNewResource_RejectsAnInvalidEventWithoutItsContent(t *testing.T) {
	t.Parallel()
	r := &recorder{eventErr: &step.Invalid{Fields: []step.FieldError{{Field: "event.data", Problem: "is missing"}}}}
	_, err := handlers.ProtectNewResource(r, r)(t.Context(), invocation(t, "event", `{"secret":"who"}`))
	require.NoError(t, err)
	require.Len(t, r.rejections, 1)
	require.Equal(t, rejected.Events, r.rejections[0].Source)
	require.Equal(t, "inv-1", r.rejections[0].MessageID, "an event without an id")
	require.Empty(t, r.rejections[0].Body)

	r.eventErr = errUnavailable
	_, err = handlers.ProtectNewResource(r, r)(t.Context(), invocation(t, "event", `{}`))
	require.ErrorIs(t, err, errUnavailable, "Event Grid delivers the event again")
	require.Len(t, r.rejections, 1)
}
