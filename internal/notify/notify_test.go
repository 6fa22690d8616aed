package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

type sent struct {
	to      string
	message queue.Message
}

// recorder records the sent messages.
type recorder struct {
	all  []sent
	fail error
}

func (r *recorder) send(_ context.Context, to string, m queue.Message) error {
	r.all = append(r.all, sent{to, m})
	return r.fail
}

func newNotifier(t *testing.T, r *recorder, change ...func(*Config)) *Notifier {
	t.Helper()
	c := Config{Destination: "notices", ReplyQueues: []string{"Answers"}, Tenant: "con toso", Send: r.send, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	n, err := New(c)
	require.NoError(t, err)
	return n
}

func ended() operation.Operation {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	op := operation.Operation{
		Identity: operation.Identity{
			ID: "xxbn5kxx7w2qugt7pwfdw2h4fv", Tenant: "con toso", Key: "nightly", RequestID: "message-7", Flow: "backup-now", Version: 1,
			Parameters: json.RawMessage(`{"secret":"p"}`), Labels: map[string]string{"team": "files"},
			CreatedAt: at,
		},
		Progress: operation.Progress{
			Status: operation.Failed, Step: "await-job", Seq: 7,
			Warnings:  []string{"see https://management.azure.com/status?t=1&s=SIGNED now"},
			UpdatedAt: at.Add(time.Hour),
		},
		AzureState: operation.AzureState{
			Learned:  map[string]string{"jobId": "job-1"},
			Tracking: &operation.Tracking{StatusURL: "https://management.azure.com/x?t=1&s=SIGNED", JobID: "job-2"},
		},
		Retry: operation.Retry{
			Round: 1,
			LastError: &operation.Error{
				Code: "UserErrorX", Message: `GET "https://management.azure.com/a/b?t=2&c=SIGNED": no`, Class: operation.Fatal,
				RecommendedAction: []string{"ask http://x/y?sig=SIGNED"}, HTTPStatus: 400, CorrelationID: "c-1",
			},
		},
		Outbox: operation.Outbox{ReplyTo: "answers"},
	}
	return op.QueueNotice(operation.Running, true)
}

func TestNotify_SendsOneEventPerReceiverWithOneID(t *testing.T) {
	t.Parallel()
	var r recorder
	op := ended()
	require.Len(t, op.PendingNotices, 2)
	for _, n := range op.PendingNotices {
		require.NoError(t, newNotifier(t, &r).Notify(t.Context(), op, n))
	}
	require.Equal(t, "notices", r.all[0].to)
	require.Equal(t, "answers", r.all[1].to)
	require.Equal(t, r.all[0].message, r.all[1].message)
	m := r.all[0].message
	require.Equal(t, op.ID+":7:failed", m.ID)
	require.Equal(t, "message-7", m.CorrelationID)
	require.Equal(t, "azbackupflow.operation.failed", m.Subject)
	require.Equal(t, ContentType, m.ContentType)
	require.Equal(t, map[string]any{
		"flow": "backup-now", "status": "Failed", "kind": "failed", "type": m.Subject, "source": "/azbackupflow/con%20toso",
	}, m.Properties)
	require.JSONEq(t, `{
		"specversion": "1.0", "id": "xxbn5kxx7w2qugt7pwfdw2h4fv:7:failed", "source": "/azbackupflow/con%20toso",
		"type": "azbackupflow.operation.failed", "subject": "operations/xxbn5kxx7w2qugt7pwfdw2h4fv",
		"time": "2026-03-01T09:00:00Z", "datacontenttype": "application/json",
		"data": {
			"operationId": "xxbn5kxx7w2qugt7pwfdw2h4fv", "flow": "backup-now", "version": 1, "key": "nightly", "labels": {"team": "files"},
			"createdAt": "2026-03-01T08:00:00Z", "seq": 7, "round": 1, "status": "Failed", "step": "await-job", "jobId": "job-2",
			"warnings": ["see https://management.azure.com/status now"],
			"error": {
				"code": "UserErrorX", "message": "GET \"https://management.azure.com/a/b\": no", "class": "Fatal",
				"recommendedAction": ["ask http://x/y"], "httpStatus": 400, "correlationId": "c-1"
			}
		}
	}`, string(m.Body))
	require.NotContains(t, string(m.Body), "SIGNED")
	require.NotContains(t, string(m.Body), "secret")
}

func TestNotify_EventIsUnchangedAfterRetry(t *testing.T) {
	t.Parallel()
	var r recorder
	op := ended()
	retried, _, err := op.Retried(operation.Cause{}, operation.Input{Now: op.UpdatedAt.Add(time.Hour), Waits: operation.AzureWaits()})
	require.NoError(t, err)
	require.NoError(t, newNotifier(t, &r).Notify(t.Context(), op, op.PendingNotices[0]))
	require.NoError(t, newNotifier(t, &r).Notify(t.Context(), retried, retried.PendingNotices[0]))
	require.Equal(t, r.all[0], r.all[1])
}

func TestNotify_DropsEventsWithoutReceiver(t *testing.T) {
	t.Parallel()
	var r recorder
	n := newNotifier(t, &r, func(c *Config) { c.Destination, c.ReplyQueues = "", nil })
	require.False(t, n.Broadcasts())
	for _, notice := range ended().PendingNotices {
		require.NoError(t, n.Notify(t.Context(), ended(), notice))
	}
	require.NoError(t, n.NotifyRejected(t.Context(), "answers", rejected.Request{}))
	require.Empty(t, r.all)

	r.fail = errors.New("unavailable")
	require.ErrorIs(t, newNotifier(t, &r).Notify(t.Context(), ended(), ended().PendingNotices[0]), r.fail)
	require.ErrorIs(t, newNotifier(t, &r).NotifyRejected(t.Context(), "ANSWERS", rejected.Request{}), r.fail)
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	compiled, err := c.Compile(filepath.Join("..", "..", "docs", "schemas", "notice.v1.schema.json"))
	require.NoError(t, err)
	return compiled
}

func TestEvents_MatchSchema(t *testing.T) {
	t.Parallel()
	var r recorder
	n := newNotifier(t, &r)
	for _, status := range operation.Statuses() {
		op := ended()
		op.Status, op.PendingNotices = status, nil
		op = op.QueueNotice("", true).QueueStarted(false)
		for _, notice := range op.PendingNotices {
			require.NoError(t, n.Notify(t.Context(), op, notice))
		}
	}
	for _, paused := range []bool{true, false} {
		op := ended()
		op.Status, op.Paused, op.PendingNotices, op.WriteID = operation.Running, paused, nil, "00000000-0000-4000-8000-000000000001"
		op = op.QueuePaused(operation.Cause{Actor: operation.Actor{Kind: "user", ID: "someone"}, Reason: "maintenance"}, true)
		require.NoError(t, n.Notify(t.Context(), op, op.PendingNotices[0]))
		require.Contains(t, string(r.all[len(r.all)-1].message.Body), `"actor":{"kind":"user","id":"someone"},"reason":"maintenance"`)
	}
	require.NoError(t, n.Notify(t.Context(), operation.Operation{Identity: operation.Identity{ID: "x", Flow: "f", Version: 1}}, operation.Notice{Kind: operation.NoticeStarted, Seq: 1, Status: operation.Pending}))
	require.NoError(t, n.NotifyRejected(t.Context(), "answers", rejected.Request{
		ID: rejected.NewID(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), rejected.Requests, "m", nil), At: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), Source: rejected.Requests, MessageID: "m", Flow: "f", Key: "k", Reason: "no",
		Fields: []step.FieldError{{Field: "flow", Problem: "is missing", Want: "a flow"}}, Body: "secret",
	}))
	types := map[string]bool{}
	for _, s := range r.all {
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.message.Body))
		require.NoError(t, err)
		require.NoError(t, schema(t).Validate(instance), string(s.message.Body))
		require.NotContains(t, string(s.message.Body), "secret")
		types[s.message.Subject] = true
	}
	require.Len(t, types, len(operation.NoticeKinds())+1, "each type is tested")
	for _, broken := range []string{`{}`, `{"specversion":"1.0","id":"i","source":"/azbackupflow/x","type":"azbackupflow.operation.started","subject":"s","time":"2026-03-01T08:00:00Z","datacontenttype":"application/json","data":{}}`} {
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(broken))
		require.NoError(t, err)
		require.Error(t, schema(t).Validate(instance))
	}
}

// The schema has exactly the fields of the Go types.
func TestSchema_HasFieldsOfGoTypes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", "notice.v1.schema.json"))
	require.NoError(t, err)
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	var s struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(raw, &s))
	for name, c := range map[string]struct {
		described object
		of        reflect.Type
	}{
		"event":     {s.object, reflect.TypeFor[Event]()},
		"operation": {s.Defs["operation"], reflect.TypeFor[Operation]()},
		"error":     {s.Defs["error"], reflect.TypeFor[Error]()},
		"request":   {s.Defs["request"], reflect.TypeFor[Request]()},
	} {
		var fields, always []string
		for i := range c.of.NumField() {
			field, options, _ := strings.Cut(c.of.Field(i).Tag.Get("json"), ",")
			fields = append(fields, field)
			if options == "" {
				always = append(always, field)
			}
		}
		var described []string
		for field := range c.described.Properties {
			described = append(described, field)
		}
		slices.Sort(fields)
		slices.Sort(described)
		require.Equal(t, fields, described, name)
		require.ElementsMatch(t, always, c.described.Required, name)
	}
}

func TestDocs_DescribeEveryEventType(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	require.NoError(t, err)
	for _, kind := range operation.NoticeKinds() {
		require.Contains(t, string(raw), "`"+TypeOf(kind)+"`")
	}
	require.Contains(t, string(raw), "`"+TypeRejected+"`")
	_, example, found := strings.Cut(string(raw), "```json\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(example))
	require.NoError(t, err)
	require.NoError(t, schema(t).Validate(instance), "the example")
}

// A request over HTTP has no message ID. Its key is what its sender knows.
func TestNotify_KeyIsTheCorrelationWithoutAMessage(t *testing.T) {
	t.Parallel()
	var r recorder
	op := ended()
	op.RequestID = ""
	require.NoError(t, newNotifier(t, &r).Notify(t.Context(), op, op.PendingNotices[0]))
	require.Equal(t, op.Key, r.all[0].message.CorrelationID)
}
