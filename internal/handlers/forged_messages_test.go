package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/rejected"
)

// A message whose id, time or reply queue is replaced by its body, through the
// host's merge of metadata, is rejected under an id of bounded length.
func TestStartOperation_IgnoresMetadataFromTheBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200_000)
	encoded := func(body object) string {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		return string(raw)
	}
	request := encoded(object{
		"flow": "nope", "parameters": object{}, "MessageId": long, "enqueuedtimeutc": "9999-01-01T00:00:00", "replyTo": long,
		"applicationProperties": object{"azbackupflow-message-id": "forged"},
	})
	for name, body := range map[string]string{
		"a plain request": request,
		"a CloudEvent": encoded(object{
			"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "messageid": long, "ENQUEUEDTIMEUTC": "1601-01-01T00:00:00",
			"applicationProperties": object{"azbackupflow-bulk-offset": "3"}, "data": backupRequest("k", "testshare"),
		}),
		"a byte order mark": "\ufeff" + request,
		// The host reads these as JSON, Go does not.
		"a comment":       "/* x */ " + request,
		"a comma":         request[:len(request)-1] + ",}",
		"single quotes":   strings.ReplaceAll(request, `"`, `'`),
		"escaped names":   `{'flow':'nope','\u004dessageId':'x','\u0045nqueuedTimeUtc':'x','replyT\u006f':'x','application\u0050roperties':{}}`,
		"a mark, a comma": "\ufeff " + request[:len(request)-1] + ",}",
	} {
		r := newRig(t)
		r.receive(r.message(long, []byte(body), object{
			"EnqueuedTimeUtc": "9999-01-01T00:00:00", "ReplyTo": "answers", "ApplicationProperties": object{"azbackupflow-message-id": "forged"},
		}))
		all := r.rejectedRequests()
		require.Len(t, all, 1, name)
		require.LessOrEqual(t, len(all[0].MessageID), 128, name)
		require.Equal(t, r.clock(), all[0].At, "%s: the time is not the sender's", name)
		require.NotEqual(t, "forged", all[0].MessageID, name)
		if name != "a CloudEvent" { // it names no reply queue
			require.Empty(t, all[0].ReplyTo, name)
		}
		require.NotEmpty(t, all[0].Fields, name)
		require.Len(t, r.take("rejected"), 1, name)
		require.Empty(t, r.listed(10), name)
	}
}

// A body that is not JSON cannot replace metadata that it does not name.
func TestStartOperation_KeepsMetadataOfAnUnreadableBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"flow":"nope",}`, `// {`, "<xml/>", `["MessageId","EnqueuedTimeUtc","ReplyTo"`} {
		r := newRig(t)
		r.receive(r.message("m1", []byte(body), object{"EnqueuedTimeUtc": "2026-03-01T07:59:00", "ReplyTo": "answers"}))
		all := r.rejectedRequests()
		require.Len(t, all, 1, body)
		require.Equal(t, "m1", all[0].MessageID, body)
		require.Equal(t, morning().Add(-time.Minute), all[0].At, body)
		require.Equal(t, "answers", all[0].ReplyTo, body)
	}
}

// Without the app's seal, the properties of a copy change nothing: not the time
// of the record, not the targets of a bulk, not its source.
func TestStartOperation_IgnoresPropertiesOfCopiesWithoutASeal(t *testing.T) {
	t.Parallel()
	forged := object{
		"azbackupflow-enqueued": "2001-01-01T00:00:00Z", "azbackupflow-bulk-offset": "2", "azbackupflow-dead-lettered": "x",
		"azbackupflow-internal": "true", "azbackupflow-seal": strings.Repeat("0", 64),
	}
	r := newRig(t)
	r.receive(r.message("m1", []byte(`{"flow":"nope","parameters":{}}`), object{"EnqueuedTimeUtc": "2026-03-01T07:59:00", "ApplicationProperties": forged}))
	all := r.rejectedRequests()
	require.Len(t, all, 1)
	require.Equal(t, morning().Add(-time.Minute), all[0].At)
	require.Equal(t, rejected.Requests, all[0].Source)
	r.receive(r.message("m2", bulkOf(t, "nightly", shares(4)...), object{"ApplicationProperties": forged}))
	r.requireStarted(4)
	body, err := json.Marshal(backupRequest("schedule:daily:x", "testshare"))
	require.NoError(t, err)
	r.receive(r.message("m3", body, object{"ApplicationProperties": forged}))
	require.Len(t, r.rejectedRequests(), 2, "a reserved key")
}

// A copy keeps the time of the first message, and its seal holds for exactly its
// own properties.
func TestStartOperation_BelievesItsOwnSeals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	inv := r.message("m1", []byte(`{"flow":"nope","parameters":{}}`), object{"EnqueuedTimeUtc": "2026-03-01T07:00:00"})
	r.store.breaksRejected = true
	r.receive(inv)
	copies := r.take("requests")
	require.Len(t, copies, 1)
	properties := copies[0].properties
	require.NotEmpty(t, properties["azbackupflow-seal"])
	r.store.breaksRejected = false

	r.receive(r.message(copies[0].id, copies[0].body, object{"ApplicationProperties": properties}))
	all := r.rejectedRequests()
	require.Len(t, all, 1)
	require.Equal(t, morning().Add(-time.Hour), all[0].At)
	require.Equal(t, "m1", all[0].MessageID)

	properties["azbackupflow-enqueued"] = "2001-01-01T00:00:00Z"
	r.receive(r.message("m9", copies[0].body, object{"ApplicationProperties": properties}))
	for _, one := range r.rejectedRequests() {
		require.Equal(t, 2026, one.At.Year(), "a changed time is not believed")
	}
}

// While the secret of the seals is unavailable, a sealed copy waits with all of
// its properties.
func TestStartOperation_KeepsASealThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	r, other := newRig(t), newRig(t)
	bulk := bulkOf(t, "nightly", shares(300)...)
	r.receive(r.message("m1", bulk, nil))
	first := r.take("requests")
	require.Len(t, first, 1)
	require.Equal(t, "250", first[0].properties["azbackupflow-bulk-offset"])

	other.store.Store = r.store.Store // another instance of the same app
	other.store.set(true)
	other.receive(other.message(first[0].id, bulk, object{"ApplicationProperties": first[0].properties}))
	waiting := other.take("requests")
	require.Len(t, waiting, 1)
	for name, value := range first[0].properties {
		require.Equal(t, value, waiting[0].properties[name], name)
	}
	other.store.set(false)
	before := other.store.creations
	other.receive(other.message(waiting[0].id, bulk, object{"ApplicationProperties": waiting[0].properties}))
	require.Equal(t, 50, other.store.creations-before, "only the rest is started")
	require.Len(t, r.listed(500), 300)
}

// Any offset beyond the targets begins the bulk again, because skipping a target
// is worse than finding it started.
func TestBulk_OffsetBeyondTheTargetsBeginsAgain(t *testing.T) {
	t.Parallel()
	for _, offset := range []int{0, 3, 4, 1 << 40} {
		r := newRig(t)
		inv := r.sealed("m1", bulkOf(t, "nightly", shares(3)...), offset)
		r.receive(inv)
		r.requireStarted(3)
		require.Empty(t, r.take("requests"), "offset %d", offset)
	}
	r := newRig(t)
	r.receive(r.sealed("m1", bulkOf(t, "nightly", shares(3)...), 2))
	r.requireStarted(1)
}

// A reserved key is rejected on every way in from outside.
func TestReservedKeys_AreRejectedFromOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, key := range []string{"schedule:daily:2026-03-02T02:30:request", "protect:0123:rule:unknown", "drill:weekly"} {
		body := backupRequest(key, "testshare")
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		r.receive(r.message("m"+key, raw, nil))
		r.receive(r.message("b"+key, bulkOf(t, key, shares(2)...), nil))
		keyless := backupRequest("", "testshare")
		delete(keyless, "key")
		raw, err = json.Marshal(keyless)
		require.NoError(t, err)
		r.receive(r.message(key, raw, nil)) // the message id is the key
		require.Len(t, r.rejectedRequests(), 3*(i+1))
		for _, call := range []struct {
			path    string
			body    any
			headers []string
		}{
			{"/operations", body, nil}, {"/operations:validate", body, nil}, {"/operations", keyless, []string{"Idempotency-Key", key}},
			{"/operations:bulk", json.RawMessage(bulkOf(t, key, shares(2)...)), nil},
		} {
			var p wire.Problem
			require.Equal(t, 400, r.call(r.api, "POST", call.path, call.body, &p, call.headers...).StatusCode, call.path)
			require.Equal(t, "key", p.Fields[0].Field)
			require.Contains(t, p.Fields[0].Problem, "reserved")
		}
	}
	require.Empty(t, r.listed(10))
	require.Empty(t, r.steps.Waiting())
}

// A rejected run of a schedule can be replayed under its own key, and under no
// other reserved one.
func TestReplay_KeepsTheKeyOfAScheduledRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const key = "schedule:daily:2026-03-01T02:30:request"
	own, err := json.Marshal(backupRequest(key, "testshare"))
	require.NoError(t, err)
	other, err := json.Marshal(backupRequest("schedule:daily:2026-03-02T02:30:request", "testshare"))
	require.NoError(t, err)
	record := rejected.Request{
		ID: rejected.NewID(r.clock(), rejected.Schedules, key, own), At: r.clock(), Source: rejected.Schedules, MessageID: key, Key: key, Reason: "x", Body: string(own),
	}
	require.NoError(t, r.store.SaveRejected(t.Context(), record))
	require.Equal(t, 400, r.call(r.api, "POST", "/rejected/"+record.ID+"/replay", string(other), nil).StatusCode)
	require.Equal(t, 202, r.call(r.api, "POST", "/rejected/"+record.ID+"/replay", nil, nil).StatusCode)
	require.Equal(t, 1, r.drain())
	require.Len(t, r.rejectedRequests(), 1, "only the first record")
	require.Len(t, r.steps.Waiting(), 1)
}
