package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

type object = map[string]any

// door is an intake with an engine that only records.
type door struct {
	*Intake
	t *testing.T

	mu sync.Mutex
	// keys are those of the operations that were started.
	keys []string
	from engine.Origin
	// fails returns the error for a start.
	fails   func(request.Request) error
	records []rejected.Request
	// answers are those of validators; answerErr is the error for them.
	answers   []string
	answerErr error
	sent      []copied
	// sealDown makes the secret of the seals unavailable.
	sealDown bool
	rows     *memory.Store
}

// copied is a copy of a message that was sent.
type copied struct {
	due        time.Time
	id         string
	body       []byte
	properties object
}

func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{t: t, rows: memory.New(), fails: func(request.Request) error { return nil }}
	rejecter, err := NewRejecter(RejecterConfig{
		Record: func(_ context.Context, r rejected.Request) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.records = append(d.records, r)
			return nil
		},
		Publish: func(context.Context, string, string, []byte, map[string]any) error { return nil },
		Now:     morning, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	sealer, err := NewSealer(sealRows{d}, func() string { return "secret" })
	require.NoError(t, err)
	bulks, err := NewBulks(sealRows{d}, morning)
	require.NoError(t, err)
	var ids atomic.Int64
	d.Intake, err = New(Config{
		Engine: d, Load: func(context.Context, string) (engine.Row, error) { return engine.Row{}, engine.ErrNotFound },
		Send: func(_ context.Context, due time.Time, _, id string, body []byte, properties map[string]any) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.sent = append(d.sent, copied{due, id, body, properties})
			return nil
		},
		Rejecter: rejecter, Sealer: sealer, Bulks: bulks, Waits: operation.AzureWaits(), Now: morning, Log: slog.New(slog.DiscardHandler),
		NewID: func() string { return fmt.Sprint("new-", ids.Add(1)) },
	})
	require.NoError(t, err)
	return d
}

func (d *door) Start(_ context.Context, r request.Request, from engine.Origin) (operation.Operation, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fails(r); err != nil {
		return operation.Operation{}, false, err
	}
	d.keys, d.from = append(d.keys, r.Key), from
	return operation.Operation{}, true, nil
}

func (d *door) Validate(_ context.Context, id string, a operation.ValidationAnswer, target string) (operation.Operation, error) {
	d.answers = append(d.answers, fmt.Sprintf("%s %s %s %s by %s", id, a.Result, a.Text, target, a.By))
	return operation.Operation{}, d.answerErr
}

func (d *door) Prepare(request.Request) (operation.Operation, error) {
	return operation.Operation{}, nil
}

// sealRows are the shared rows of the seals.
type sealRows struct{ *door }

func (s sealRows) Load(ctx context.Context, key string) ([]byte, string, error) {
	if s.sealDown {
		return nil, "", errAway
	}
	return s.rows.LoadShared(ctx, "seals", key)
}

func (s sealRows) Save(ctx context.Context, key string, value []byte, etag string) (string, bool, error) {
	return s.rows.SaveShared(ctx, "seals", key, value, etag)
}

// accept accepts a message with a body, metadata and application properties.
func (d *door) accept(body any, metadata, properties object) {
	d.t.Helper()
	text, isText := body.([]byte)
	if !isText {
		var err error
		text, err = json.Marshal(body)
		require.NoError(d.t, err)
	}
	quoted, err := json.Marshal(string(text))
	require.NoError(d.t, err)
	twice, err := json.Marshal(string(quoted))
	require.NoError(d.t, err)
	inv := customhandler.Invocation{Data: map[string]json.RawMessage{Binding: twice}, Metadata: map[string]json.RawMessage{}}
	all := object{"MessageId": "m1", "ApplicationProperties": properties}
	for name, value := range metadata {
		all[name] = value
	}
	for name, value := range all {
		raw, err := json.Marshal(value)
		require.NoError(d.t, err)
		inv.Metadata[name] = raw
	}
	require.NoError(d.t, d.Accept(d.t.Context(), Decode(inv)))
}

// again accepts the last copy that was sent.
func (d *door) again(changes object) {
	d.t.Helper()
	last := d.sent[len(d.sent)-1]
	properties := object{}
	for name, value := range last.properties {
		properties[name] = value
	}
	for name, value := range changes {
		properties[name] = value
	}
	d.accept(last.body, object{"MessageId": last.id}, properties)
}

func simple(more object) object {
	r := object{"flow": "backup-now", "key": "k", "parameters": object{}}
	for name, value := range more {
		r[name] = value
	}
	return r
}

// many returns a bulk with the given number of targets.
func many(targets int) object {
	list := make([]any, targets)
	for i := range list {
		list[i] = object{"n": i}
	}
	return object{"key": "bulk", "template": object{"flow": "backup-now", "parameters": object{}}, "targets": list}
}

var errAway = errors.New("storage unavailable")

func TestAccept_RejectsWhatCanNeverWork(t *testing.T) {
	t.Parallel()
	reserved := many(2)
	reserved["key"] = "schedule:nightly"
	for name, c := range map[string]struct {
		body     any
		metadata object
		field    string
	}{
		"another reply queue":     {simple(nil), object{"ReplyTo": "elsewhere"}, "replyTo"},
		"a reserved key":          {simple(object{"key": "schedule:nightly:x"}), nil, "key"},
		"a reserved key of bulks": {reserved, nil, "key"},
		"a dry run":               {simple(object{"dryRun": true}), nil, "dryRun"},
		"an unknown field":        {simple(object{"x": 1}), nil, "x"},
		"no object":               {[]byte("[]"), nil, "request"},
	} {
		d := newDoor(t)
		d.accept(c.body, c.metadata, nil)
		require.Empty(t, d.keys, name)
		require.Empty(t, d.sent, name)
		require.Len(t, d.records, 1, name)
		require.Equal(t, c.field, d.records[0].Fields[0].Field, name)
	}
}

func TestAccept_ReschedulesLaterEachTime(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.fails = func(request.Request) error { return errAway }
	d.accept(simple(nil), nil, nil)
	for range 70 {
		d.again(nil)
	}
	w := operation.AzureWaits()
	for n, copied := range d.sent {
		want := min(w.MinSnooze<<min(n, 20), w.MaxSnooze)
		require.Equal(t, morning().Add(want), copied.due, "copy %d", n)
	}
	require.Empty(t, d.records)
	d.sent = nil
	d.accept(simple(nil), nil, object{propertyReschedules: "-3"})
	require.Equal(t, morning().Add(w.MinSnooze), d.sent[0].due, "a sender's number is not below zero")
}

func TestAccept_CopyKeepsTheIDAsKey(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.fails = func(request.Request) error { return errAway }
	body := simple(object{"key": ""})
	d.accept(body, object{"EnqueuedTimeUtc": "2026-03-01T07:00:00"}, nil)
	d.fails = func(request.Request) error { return nil }
	d.again(nil)
	require.Equal(t, []string{"m1"}, d.keys)
	event := object{"specversion": "1.0", "source": "/s", "id": "e1", "type": "x", "data": body}
	d.accept(event, nil, nil)
	d.accept(event, object{"MessageId": "m2"}, nil)
	require.Equal(t, []string{"m1", "/s e1", "/s e1"}, d.keys, "an event that is sent twice has one key")
}

// The host merges the members of a body over the metadata.
func TestDecode_IgnoresMetadataThatTheBodyReplaced(t *testing.T) {
	t.Parallel()
	inv := func(body string, metadata object) Envelope {
		quoted, err := json.Marshal(body)
		require.NoError(t, err)
		i := customhandler.Invocation{Data: map[string]json.RawMessage{Binding: quoted}, Metadata: map[string]json.RawMessage{}}
		for name, value := range metadata {
			raw, err := json.Marshal(value)
			require.NoError(t, err)
			i.Metadata[name] = raw
		}
		return Decode(i)
	}
	metadata := object{"MessageId": "x", "EnqueuedTimeUtc": "2026-03-01T07:00:00", "ReplyTo": "answers", "ApplicationProperties": object{propertyReschedules: "3"}}
	plain := inv(`{"flow":"f"}`, metadata)
	require.Equal(t, "x", plain.MessageID)
	require.Equal(t, "answers", plain.ReplyTo)
	require.Equal(t, 3, plain.reschedules)
	require.False(t, plain.EnqueuedAt.IsZero())
	require.Empty(t, inv(`{"MESSAGEID":"x"}`, metadata).MessageID)
	require.True(t, inv(`{"enqueuedTimeUtc":"x"}`, metadata).EnqueuedAt.IsZero())
	require.Empty(t, inv(`{"replyTo":"x"}`, metadata).ReplyTo)
	require.Zero(t, inv(`{"applicationProperties":{}}`, metadata).reschedules)
	require.Zero(t, inv(`{"userProperties":{}}`, metadata).reschedules)

	long := strings.Repeat("x", 10_000)
	bounded := inv(`{}`, object{"MessageId": long, "ReplyTo": long, "ApplicationProperties": object{PropertyTrace: long, propertyReplayID: long}})
	require.LessOrEqual(t, len(bounded.MessageID), MaxMessageID)
	require.LessOrEqual(t, len(bounded.replayID), MaxMessageID)
	require.LessOrEqual(t, len(bounded.ReplyTo), maxQueueName+20)
	require.LessOrEqual(t, len(bounded.Trace), maxTrace)
}

func TestBulk_ContinuesAtTheFirstTargetThatFailed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	bulk := many(20)
	var failing string
	d.fails = func(r request.Request) error {
		if string(r.Parameters) == `{"n":7}` {
			failing = r.Key
			return errAway
		}
		return nil
	}
	d.accept(bulk, nil, nil)
	require.Len(t, d.sent, 1)
	require.Equal(t, morning().Add(operation.AzureWaits().MinSnooze), d.sent[0].due, "not at once")
	require.NotContains(t, d.keys, failing)
	d.fails = func(request.Request) error { return nil }
	first := len(d.keys)
	d.again(nil)
	require.Len(t, d.sent, 1, "it is done")
	require.Contains(t, d.keys, failing)
	require.Len(t, d.keys, first+13, "targets 7 to 19; a target that is started twice is one operation")
	slices.Sort(d.keys)
	require.Len(t, slices.Compact(d.keys), 20)
}

func TestBulk_WithoutProgressWaits(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.fails = func(request.Request) error { return errAway }
	d.accept(many(3), nil, nil)
	require.Equal(t, morning().Add(operation.AzureWaits().MinSnooze), d.sent[0].due)
}

func TestBulk_PortionsHaveTheirOwnIDs(t *testing.T) {
	t.Parallel()
	chain := func(properties object) (ids []string) {
		d := newDoor(t)
		d.accept(many(2*maxPortion+1), nil, properties)
		for len(d.sent) > len(ids) {
			ids = append(ids, d.sent[len(d.sent)-1].id)
			require.True(t, d.sent[len(d.sent)-1].due.IsZero(), "at once")
			d.again(nil)
		}
		slices.Sort(d.keys)
		require.Len(t, slices.Compact(d.keys), 2*maxPortion+1)
		return ids
	}
	first, repeated, replay := chain(nil), chain(nil), chain(object{propertyReplayID: "r1"})
	require.Len(t, first, 2)
	require.NotEqual(t, first[0], first[1])
	require.Equal(t, first, repeated, "duplicate detection drops the second chain")
	require.NotEqual(t, first[0], replay[0], "but not that of a replay")
}

func TestBulk_EachRejectedTargetHasItsRecord(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.fails = func(request.Request) error {
		return &step.Invalid{Fields: []step.FieldError{{Field: "parameters.n", Problem: "is wrong"}}}
	}
	d.accept(many(3), nil, nil)
	ids := map[string]bool{}
	for _, r := range d.records {
		ids[r.MessageID] = true
	}
	require.GreaterOrEqual(t, len(ids), len(d.records))
	require.NotEmpty(t, d.records)
}

// A sender must not choose how many targets of a bulk are done.
func TestSeal_CoversTheOffsetAndTheBody(t *testing.T) {
	t.Parallel()
	halfDone := func() *door {
		d := newDoor(t)
		d.fails = func(r request.Request) error {
			if string(r.Parameters) == `{"n":2}` {
				return errAway
			}
			return nil
		}
		d.accept(many(4), nil, nil)
		d.keys, d.fails = nil, func(request.Request) error { return nil }
		return d
	}
	d := halfDone()
	d.again(nil)
	require.Len(t, d.keys, 2, "the own seal is valid")

	d = halfDone()
	d.again(object{propertyBulkOffset: "3"})
	require.Len(t, d.keys, 4, "another offset is not")

	d = halfDone()
	d.sent[0].body = []byte(strings.Replace(string(d.sent[0].body), `"n":3`, `"n":9`, 1))
	d.again(nil)
	require.Len(t, d.keys, 4, "nor is another body")

	d = newDoor(t)
	d.accept(many(4), nil, object{propertyBulkOffset: "3"})
	require.Len(t, d.keys, 4, "nor is none")

	d = halfDone()
	d.sealDown = true
	d.Intake.cfg.Sealer = &Sealer{rows: sealRows{d}, newID: func() string { return "x" }}
	d.again(nil)
	require.Empty(t, d.keys, "it waits until the seal can be checked")
	d.sealDown = false
	d.again(nil)
	require.Len(t, d.keys, 2, "and has kept its place")
}

func TestBulk_SealedOffsetBeyondTheTargetsBeginsAgain(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	m := Envelope{MessageID: "m1"}.with([]byte(`{"key":"b","template":{"flow":"backup-now","parameters":{}},"targets":[{"n":1},{"n":2}]}`), func(string) (string, bool) { return "", false })
	m.bulkOffset = 2
	require.NoError(t, d.startBulk(t.Context(), m))
	require.Len(t, d.keys, 2)
}

func TestAccept_SavesTheAnswerOfAValidator(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.accept(object{"validation": object{"operation": "op1", "result": "Failed", "text": "no tables", "target": "place"}}, nil, nil)
	require.Equal(t, []string{"op1 Failed no tables place by queue requests"}, d.answers)
	require.Empty(t, d.records)
	require.Empty(t, d.keys)
}

func TestAccept_RejectsAnAnswerThatNoDrillTakes(t *testing.T) {
	t.Parallel()
	for _, refused := range []error{operation.ErrNoValidation, operation.ErrOtherTarget, operation.ErrWindowClosed, operation.ErrAnswered, engine.ErrNotFound} {
		d := newDoor(t)
		d.answerErr = fmt.Errorf("answer: %w", refused)
		d.accept(object{"validation": object{"operation": "op1", "result": "Failed"}}, nil, nil)
		require.Len(t, d.records, 1, "%v", refused)
		require.Empty(t, d.sent, "it is not retried: %v", refused)
	}
	d := newDoor(t)
	d.accept(object{"validation": object{"result": "Perhaps"}}, nil, nil)
	require.Len(t, d.records, 1)
	require.Empty(t, d.answers)
}

func TestAccept_ReschedulesAnAnswerThatCannotBeSaved(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.answerErr = errors.New("the table is unavailable")
	d.accept(object{"validation": object{"operation": "op1", "result": "Failed"}}, nil, nil)
	require.Len(t, d.sent, 1)
	require.Empty(t, d.records)
}
