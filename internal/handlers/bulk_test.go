package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// bulkOf returns a bulk of file share backups.
func bulkOf(t *testing.T, key string, targets ...any) []byte {
	t.Helper()
	raw, err := json.Marshal(object{
		"key": key,
		"template": object{
			"flow":       "backup-now",
			"parameters": object{"fileShare": object{"vaultId": demoVault, "storageAccountId": demoAccount}},
			"labels":     object{"bulk": "nightly"},
		},
		"targets": targets,
	})
	require.NoError(t, err)
	return raw
}

// shares returns n targets, each a different file share.
func shares(n int) (targets []any) {
	for i := range n {
		targets = append(targets, object{"fileShare": object{"name": fmt.Sprintf("share-%04d", i)}})
	}
	return targets
}

// listed returns the operations of the bulk, page by page.
func (r *rig) listed(pageSize int) (all []operation.Operation) {
	r.t.Helper()
	q := operation.Query{Labels: []operation.Label{{Key: "bulk", Value: "nightly"}}, PageSize: pageSize}
	seen := map[string]bool{}
	for {
		page, err := r.store.List(r.t.Context(), q)
		require.NoError(r.t, err)
		for _, op := range page.Operations {
			require.False(r.t, seen[op.ID], "listed twice")
			seen[op.ID] = true
		}
		all = append(all, page.Operations...)
		if q.Continue = page.Continue; q.Continue == "" {
			return all
		}
	}
}

// requireStarted asserts that n operations exist, each with one first step
// message.
func (r *rig) requireStarted(n int) {
	r.t.Helper()
	require.Len(r.t, r.listed(500), n)
	waiting := r.steps.Waiting()
	first := map[string]bool{}
	for _, m := range waiting {
		first[m.ID] = true
	}
	require.Len(r.t, first, n, "first messages")
}

func TestBulk_StartsAnOperationForEachTargetInPortions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	inv := r.message("m1", bulkOf(t, "nightly", shares(600)...), object{"ReplyTo": "answers"})
	inv.Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	r.receive(inv)
	require.Len(t, r.listed(500), 250, "the first portion")
	require.Equal(t, 2, r.drain(), "the others")
	r.requireStarted(600)
	require.Empty(t, r.take("rejected"))
	for _, op := range r.listed(500) {
		require.Regexp(t, "^nightly/", op.Key)
		require.Equal(t, "answers", op.ReplyTo)
		require.Equal(t, inv.Trace, op.TraceParent)
	}
	require.Equal(t, 600, r.store.creations)

	r.receive(inv)
	r.drain()
	r.requireStarted(600)
}

func TestBulk_ContinuesInANewMessageBeforeTheLockEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tick = time.Second // each creation reads the clock
	r.receive(r.message("m1", bulkOf(t, "nightly", shares(100)...), nil))
	started := len(r.listed(500))
	require.Less(t, started, 100)
	require.Positive(t, started)
	r.drain()
	r.requireStarted(100)
}

func TestBulk_ContinuesWhereStorageBecameUnavailable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.breaks = func(op operation.Operation) bool { return strings.Contains(string(op.Parameters), "share-01") }
	r.receive(r.message("m1", bulkOf(t, "nightly", shares(300)...), nil))
	require.Len(t, r.listed(500), 100, "those before share-0100")
	waiting := r.sent
	require.Len(t, waiting, 1)
	require.False(t, waiting[0].due.IsZero(), "the copy has a delay")
	require.Equal(t, "100", waiting[0].properties["azbackupflow-bulk-offset"])
	before := r.store.creations
	require.Less(t, before, 120, "the other targets are not tried while storage is unavailable")
	r.store.breaks = nil
	r.drain()
	r.requireStarted(300)
	require.Equal(t, 200, r.store.creations-before, "finished targets are not started again")
}

// Targets behind the first failure may have started already. The copy begins at the
// failure still, because skipping a target is worse than finding it started.
func TestBulk_ContinuesAtTheFirstOfSeveralFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	later := make(chan struct{})
	r.store.breaks = func(op operation.Operation) bool {
		switch parameters := string(op.Parameters); {
		case strings.Contains(parameters, "share-0003"):
			<-later // some of the next targets have started
			return true
		case strings.Contains(parameters, "share-0012"):
			close(later)
			return true
		}
		return false
	}
	r.receive(r.message("m1", bulkOf(t, "nightly", shares(40)...), nil))
	require.Greater(t, len(r.listed(500)), 3)
	waiting := r.sent
	require.Len(t, waiting, 1)
	require.Equal(t, "3", waiting[0].properties["azbackupflow-bulk-offset"])
	r.store.breaks = nil
	r.drain()
	r.requireStarted(40)
	require.Empty(t, r.rejectedRequests())
}

func TestBulk_LosesNothingWhenTheProcessDies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	inv := r.message("m1", bulkOf(t, "nightly", shares(300)...), nil)
	r.busDown = true // the message is redelivered, as after a crash
	_, err := handlers.StartOperation(r.intake)(t.Context(), inv)
	require.ErrorIs(t, err, errUnavailable)
	require.Len(t, r.listed(500), 250)
	r.busDown = false
	r.receive(inv)
	r.receive(inv) // the crash came after the send
	sent := r.sent
	require.Len(t, sent, 2)
	require.Equal(t, sent[0].id, sent[1].id, "duplicate detection keeps one chain")
	require.LessOrEqual(t, len(sent[0].id), 128)
	r.drain()
	r.requireStarted(300)
}

func TestBulk_ReplayIsNotDroppedAsADuplicate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bulk := bulkOf(t, "", shares(600)...)
	r.receive(r.message("m1", bulk, nil))
	first := r.take("requests")
	again := map[string]any{"azbackupflow-message-id": "m1", "azbackupflow-replay-id": "m2"}
	r.receive(r.message("m2", bulk, object{"ApplicationProperties": again}))
	second := r.take("requests")
	require.Len(t, first, 1)
	require.Len(t, second, 1)
	require.NotEqual(t, first[0].id, second[0].id, "duplicate detection would drop the rest")
	require.Equal(t, "m2", second[0].properties["azbackupflow-replay-id"], "later portions carry the replay id")
	r.requireStarted(250)
}

func TestBulk_RejectsAnInvalidTargetAndStartsTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	targets := append(shares(3), object{"fileShare": object{"name": "My_Share"}}, "share-4", object{"fileShare": object{"title": "x"}})
	inv := r.message("m1", bulkOf(t, "nightly", targets...), nil)
	r.receive(inv)
	r.receive(inv)
	r.requireStarted(3)
	page, err := r.store.ListRejected(t.Context(), rejected.Query{PageSize: 100})
	require.NoError(t, err)
	require.Len(t, page.Requests, 3, "one for each target, although the message arrived twice")
	fields := map[string]string{}
	for _, record := range page.Requests {
		fields[record.MessageID] = record.Fields[0].Field
	}
	require.Equal(t, map[string]string{
		"m1#3": "parameters.fileShare.name", "m1#4": "targets[4]", "m1#5": "parameters.fileShare.title",
	}, fields)
	for _, record := range page.Requests {
		if record.MessageID != "m1#3" {
			continue
		}
		require.Equal(t, "backup-now", record.Flow)
		corrected, err := request.Read([]byte(record.Body))
		require.NoError(t, err, "an operator can correct and replay it")
		require.Equal(t, record.Key, corrected.Key)
	}
	require.Len(t, r.take("rejected"), 6)
}

// A reply queue that cannot be used delays no target: the rejection is recorded.
func TestBulk_ContinuesWhenAReplyFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.replies.err = errUnavailable
	targets := append([]any{object{"fileShare": object{"name": "My_Share"}}}, shares(20)...)
	r.receive(r.message("m1", bulkOf(t, "nightly", targets...), object{"ReplyTo": "answers"}))
	r.requireStarted(20)
	require.Empty(t, r.take("requests"), "nothing is rescheduled")
	require.Len(t, r.rejectedRequests(), 1)
	require.Contains(t, r.log.String(), "reply abandoned")
}

func TestBulk_RejectsATargetThatPanics(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.breaks = func(op operation.Operation) bool {
		if strings.Contains(string(op.Parameters), "share-0003") {
			panic("boom")
		}
		return false
	}
	r.receive(r.message("m1", bulkOf(t, "nightly", shares(20)...), nil))
	require.Len(t, r.listed(500), 19)
	require.Empty(t, r.take("requests"), "nothing is rescheduled")
	all := r.rejectedRequests()
	require.Len(t, all, 1)
	require.Equal(t, "m1#3", all[0].MessageID)
	require.Equal(t, "the target cannot be started: panic: boom", all[0].Reason)
	require.Contains(t, r.log.String(), "bulk_test.go", "the log has the stack")
}

// A portion whose time ends before its first target is repeated. A copy at once
// would have the id of the message itself, and duplicate detection would drop it.
func TestBulk_IsRescheduledWhenNoTargetWasStarted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := handlers.StartOperation(r.intake)(ctx, r.sealed("m1", bulkOf(t, "nightly", shares(4)...), 2))
	require.NoError(t, err)
	waiting := r.take("requests")
	require.Len(t, waiting, 1)
	require.False(t, waiting[0].due.IsZero())
	require.NotContains(t, waiting[0].id, "bulk:")
	require.Equal(t, "2", waiting[0].properties["azbackupflow-bulk-offset"])
}

func TestBulk_KeepsItsNumberOfReschedulesBetweenPortions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.receive(r.message("m1", bulkOf(t, "nightly", shares(300)...), object{"ApplicationProperties": object{"azbackupflow-reschedules": "3"}}))
	waiting := r.take("requests")
	require.Len(t, waiting, 1)
	require.Equal(t, "3", waiting[0].properties["azbackupflow-reschedules"])
}

func TestStartOperation_LogsNoSecretOfAMessageID(t *testing.T) {
	t.Parallel()
	const secret = "S3cr3tSignature"
	const id = "https://a.example/b?sig=" + secret
	r := newRig(t)
	r.receive(r.message(id, bulkOf(t, "nightly", shares(2)...), nil))
	wakeup, err := json.Marshal(operation.Wakeup{OperationID: "x", Seq: 1})
	require.NoError(t, err)
	done, _ := r.completions()
	collect, _ := r.collector(nil, []queue.DeadLetter{deadLetter(id, wakeup)}, done)
	_, _ = collect(t.Context(), customhandler.Invocation{})
	r.store.set(true)
	r.receive(r.message(id, bulkOf(t, "later", shares(2)...), nil))
	sealed := r.message(id, bulkOf(t, "last", shares(2)...), object{"ApplicationProperties": object{"azbackupflow-seal": "x"}})
	r.receive(sealed)
	for _, message := range []string{"bulk portion started", "wake-up dead-lettered", "request rescheduled"} {
		require.Contains(t, r.log.String(), message)
	}
	require.NotContains(t, r.log.String(), secret)
}

func TestBulk_WithoutAValidTargetIsRejectedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var targets []any
	for i := range 300 {
		targets = append(targets, object{"fileShare": object{"name": fmt.Sprintf("Share_%d", i)}})
	}
	r.receive(r.message("m1", bulkOf(t, "nightly", targets...), nil))
	page, err := r.store.ListRejected(t.Context(), rejected.Query{PageSize: 100})
	require.NoError(t, err)
	require.Len(t, page.Requests, 1)
	require.Equal(t, "m1", page.Requests[0].MessageID)
	require.Equal(t, "targets", page.Requests[0].Fields[0].Field)
	require.Equal(t, "parameters.fileShare.name", page.Requests[0].Fields[1].Field)
	require.Zero(t, r.store.creations)
	require.Empty(t, r.take("requests"))
}

func TestBulk_RepeatAfterItsExpiryIsAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var targets []any
	for i := range 3 {
		targets = append(targets, object{"recoveryPointExpiryTimeInUTC": morning().Add(time.Hour), "fileShare": object{"name": fmt.Sprintf("share-%d", i)}})
	}
	inv := r.message("m1", bulkOf(t, "nightly", targets...), nil)
	r.receive(inv)
	r.requireStarted(3)
	r.time.Advance(2 * time.Hour)
	r.receive(inv)
	r.requireStarted(3)
	require.Empty(t, r.take("rejected"))
}

func TestBulk_UnreadableIsRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.receive(r.message("m1", []byte(`{"template":{"flow":"backup-now"},"targets":[]}`), nil))
	page, err := r.store.ListRejected(t.Context(), rejected.Query{PageSize: 100})
	require.NoError(t, err)
	require.Len(t, page.Requests, 1)
	require.Len(t, page.Requests[0].Fields, 2)
	require.Len(t, r.take("rejected"), 1)
}

func TestEvent_SourceAndIDAreTheDefaultKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	parameters := object{"fileShare": object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}}
	event := func(id string, data any) []byte {
		raw, err := json.Marshal(object{"specversion": "1.0", "id": id, "source": "/orders", "type": "com.example.backup", "data": data})
		require.NoError(t, err)
		return raw
	}
	r.receive(r.message("m1", event("7", object{"flow": "backup-now", "parameters": parameters}), nil))
	r.receive(r.message("m2", event("7", object{"flow": "backup-now", "parameters": parameters}), nil))
	r.receive(r.message("m3", event("8", object{"flow": "backup-now", "key": "mine", "parameters": parameters}), nil))
	r.receive(r.message("m4", event("9", json.RawMessage(bulkOf(t, "", shares(1)...))), nil))
	r.receive(r.message("m5", event("", object{}), nil))
	keys := map[string]bool{}
	page, err := r.store.List(t.Context(), operation.Query{PageSize: 100})
	require.NoError(t, err)
	for _, op := range page.Operations {
		keys[op.Key] = true
	}
	require.Len(t, keys, 3)
	require.True(t, keys["/orders 7"])
	require.True(t, keys["mine"])
	require.Len(t, r.listed(500), 1)
	require.Regexp(t, "^/orders 9/[0-9a-f]{16}$", r.listed(500)[0].Key)
	require.Len(t, r.take("rejected"), 1)
}

func TestMessage_IDStaysTheKeyWhenRescheduled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.set(true)
	r.receive(r.message("m1", bulkOf(t, "", shares(2)...), object{"ReplyTo": "answers"}))
	for range 3 {
		waiting := r.take("requests")
		require.Len(t, waiting, 1)
		r.receive(r.message(waiting[0].id, waiting[0].body, object{"ApplicationProperties": waiting[0].properties}))
	}
	r.store.set(false)
	r.drain()
	for _, op := range r.listed(500) {
		require.Regexp(t, "^m1/", op.Key)
		require.Equal(t, "answers", op.ReplyTo)
	}
	r.requireStarted(2)
}

func TestBulk_TooLargeWithItsEventIsRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	raw, err := json.Marshal(object{
		"specversion": "1.0", "id": "7", "source": "/orders", "type": "t", "data": json.RawMessage(bulkOf(t, "", shares(1)...)),
		"subject": strings.Repeat("x", request.MaxBulk),
	})
	require.NoError(t, err)
	r.receive(r.message("m1", raw, nil))
	require.Empty(t, r.listed(100))
	page, err := r.store.ListRejected(t.Context(), rejected.Query{PageSize: 10})
	require.NoError(t, err)
	require.Len(t, page.Requests, 1)
	require.Equal(t, "request", page.Requests[0].Fields[0].Field)
	require.Contains(t, page.Requests[0].Fields[0].Want, "several bulks")
}
