package handlers_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

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
	rejections []intake.Rejection
	eventErr   error
}

func (r *recorder) RunStep(_ context.Context, d operation.Delivery) error {
	r.runs = append(r.runs, d)
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

func TestRunStep_RunsAWakeUpWithItsDeliveryCount(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	inv := invocation(t, "message", `{"operation":"op","seq":4}`)
	_, err := handlers.RunStep(r, r)(t.Context(), inv)
	require.NoError(t, err)
	require.Len(t, r.runs, 1)
	require.Equal(t, "op", r.runs[0].Wakeup.OperationID)
	require.Equal(t, "trace", r.runs[0].Wakeup.TraceParent)
	for count, want := range map[string]int{`"1"`: 1, `"3"`: 3, `7`: 7, `"0"`: 1, `"x"`: 1, `"-4"`: 1} {
		inv.Metadata["DeliveryCount"] = json.RawMessage(count)
		_, err := handlers.RunStep(r, r)(t.Context(), inv)
		require.NoError(t, err)
		require.Equal(t, want, r.runs[len(r.runs)-1].Count, "delivery count %s", count)
	}
	require.Empty(t, r.rejections)
}

func TestRunStep_RejectsAMessageThatIsNoWakeUp(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	bodies := []string{
		"<", "{}", `{"operation":"op"}`, `{"seq":1}`, `{"flow":"backup-now","parameters":{}}`, `{"operation":"op","seq":-1}`,
		`{"operation":"` + strings.Repeat("x", 129) + `","seq":1}`, `{"operation":"op","seq":1,"rescue":"` + strings.Repeat("x", 300) + `"}`,
	}
	for i, body := range bodies {
		_, err := handlers.RunStep(r, r)(t.Context(), invocation(t, "message", body))
		require.NoError(t, err, "a redelivery would not help")
		require.Len(t, r.rejections, i+1)
		require.Equal(t, rejected.Steps, r.rejections[i].Source)
		require.Equal(t, "m1", r.rejections[i].MessageID)
		require.Equal(t, body, string(r.rejections[i].Body))
		require.ErrorContains(t, r.rejections[i].Err, "not a wake-up")
	}
	require.Empty(t, r.runs)
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

	require.True(t, r.rejections[0].At.IsZero())
	for _, body := range []string{
		`{"id":"e","eventTime":"2026-03-01T08:00:00.1Z","time":7}`, `{"id":"e","specversion":"1.0","time":"2026-03-01T08:00:00.1Z"}`,
	} {
		r.rejections = nil
		_, err = handlers.ProtectNewResource(r, r)(t.Context(), invocation(t, "event", body))
		require.NoError(t, err)
		require.Equal(t, "e", r.rejections[0].MessageID)
		require.Equal(t, morning().Add(100*time.Millisecond), r.rejections[0].At, "a redelivered event is recorded once")
	}

	r.eventErr = errUnavailable
	_, err = handlers.ProtectNewResource(r, r)(t.Context(), invocation(t, "event", `{}`))
	require.ErrorIs(t, err, errUnavailable, "Event Grid delivers the event again")
	require.Len(t, r.rejections, 1)
}
