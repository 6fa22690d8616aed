package handlers_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
)

// deadLetters is a dead-letter queue in memory. A received message is locked
// until it is completed.
type deadLetters struct {
	waiting   []queue.DeadLetter
	batches   int
	completed func(string)
	// skipped is the error of a batch from which messages are missing.
	skipped error
	// closed are the errors of the contexts with which it was closed.
	closed []error
}

func (d *deadLetters) Receive(_ context.Context, limit int) ([]queue.DeadLetter, error) {
	batch := d.waiting[:min(limit, len(d.waiting))]
	d.waiting = d.waiting[len(batch):]
	if len(batch) > 0 {
		d.batches++
		return batch, d.skipped
	}
	return nil, nil
}

func (d *deadLetters) Complete(_ context.Context, m queue.DeadLetter) error {
	d.completed(m.MessageID)
	return nil
}

func (d *deadLetters) Close(ctx context.Context) error {
	d.closed = append(d.closed, ctx.Err())
	return nil
}

// collector returns a collector of the rig. done receives the ids of completed
// messages.
func (r *rig) collector(requests, steps []queue.DeadLetter, done func(string)) (collect customhandler.Handler, readers [2]*deadLetters) {
	r.t.Helper()
	readers = [2]*deadLetters{{waiting: requests, completed: done}, {waiting: steps, completed: done}}
	c, err := intake.NewCollector(intake.CollectorConfig{
		Requests: readers[0], Steps: readers[1], Intake: r.intake, Waker: r.engine, Rejecter: r.rejecter,
		Now: r.clock, Sleep: r.sleep, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	require.NoError(r.t, err)
	return handlers.CollectDeadLetters(c), readers
}

// completions collects ids of completed messages.
func (r *rig) completions() (done func(string), ids func() []string) {
	var all []string
	return func(id string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			all = append(all, id)
		}, func() []string {
			r.mu.Lock()
			defer r.mu.Unlock()
			return all
		}
}

func (r *rig) rejectedRequests() []rejected.Request {
	r.t.Helper()
	page, err := r.store.ListRejected(r.t.Context(), rejected.Query{PageSize: 500})
	require.NoError(r.t, err)
	return page.Requests
}

func deadLetter(id string, body []byte) queue.DeadLetter {
	return queue.DeadLetter{MessageID: id, EnqueuedAt: morning(), Reason: "MaxDeliveryCountExceeded", Body: body}
}

// The links are closed even when the invocation's time is up.
func TestCollectDeadLetters_ClosesItsLinksAfterItsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, _ := r.completions()
	collect, readers := r.collector([]queue.DeadLetter{deadLetter("m1", []byte("x"))}, nil, done)
	_, err := collect(ctx, customhandler.Invocation{})
	require.ErrorIs(t, err, context.Canceled)
	for _, reader := range readers {
		require.Equal(t, []error{nil}, reader.closed)
	}
}

// A rejected dead letter names why Service Bus dead-lettered it and what is wrong
// with it.
func TestCollectDeadLetters_NamesTheProblemsOfARequest(t *testing.T) {
	t.Parallel()
	for body, field := range map[string]string{
		`{"flow":"nope","parameters":{}}`: "flow", `{"flow":"backup-now"}`: "parameters", `{`: "request",
		`{"specversion":"1.0","source":"s","type":"t","data":{}}`: "id",
	} {
		r := newRig(t)
		done, _ := r.completions()
		collect, _ := r.collector([]queue.DeadLetter{deadLetter("m1", []byte(body))}, nil, done)
		_, err := collect(t.Context(), customhandler.Invocation{})
		require.NoError(t, err)
		all := r.rejectedRequests()
		require.Len(t, all, 1, body)
		require.Contains(t, all[0].Reason, "MaxDeliveryCountExceeded", body)
		require.NotEmpty(t, all[0].Fields, body)
		require.Equal(t, field, all[0].Fields[0].Field, body)
	}
}

func TestCollectDeadLetters_RestartsARequestWhoseOperationExists(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := backupRequest("", "testshare")
	delete(request, "key")
	request["labels"] = object{"bulk": "nightly"}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	r.receive(r.message("m1", body, nil))
	require.Len(t, r.listed(10), 1)

	done, ids := r.completions()
	collect, _ := r.collector([]queue.DeadLetter{deadLetter("m1", body)}, nil, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	require.Empty(t, r.take("rejected"))
	require.Len(t, r.listed(10), 1)
	require.Len(t, r.steps.Waiting(), 2, "the first step message is sent again, because it may have been lost")
	require.Equal(t, []string{"m1"}, ids())

	collect, _ = r.collector([]queue.DeadLetter{deadLetter("m2", body)}, nil, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	require.Len(t, r.take("rejected"), 1, "no operation exists for this request")
	require.Len(t, r.listed(10), 1)
	require.Equal(t, rejected.RequestsDeadLetters, r.rejectedRequests()[0].Source)
	require.Contains(t, r.rejectedRequests()[0].Reason, "MaxDeliveryCountExceeded")
}

func TestCollectDeadLetters_WakesOperationsOfStepMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := backupRequest("k", "testshare")
	request["labels"] = object{"bulk": "nightly"}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	r.receive(r.message("m1", body, nil))
	id := r.listed(1)[0].ID
	before := len(r.steps.Waiting())
	done, ids := r.completions()
	wakeup, err := json.Marshal(operation.Wakeup{OperationID: id, Seq: 1})
	require.NoError(t, err)
	collect, _ := r.collector(nil, []queue.DeadLetter{
		deadLetter("s1", wakeup), deadLetter("s2", []byte(`{"flow":"backup-now"}`)), deadLetter("s3", []byte(`{"operation":"gone","seq":2}`)),
	}, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	require.Len(t, r.steps.Waiting(), before+1)
	require.ElementsMatch(t, []string{"s1", "s2", "s3"}, ids())
	all := r.rejectedRequests()
	require.Len(t, all, 1)
	require.Equal(t, rejected.StepsDeadLetters, all[0].Source)
	require.Equal(t, "s2", all[0].MessageID)
	require.Contains(t, all[0].Reason, "not a wake-up")
}

// Whatever a dead letter holds, it is recorded with its type and size.
func TestCollectDeadLetters_RecordsAnyBody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	binary := bytes.Repeat([]byte{0xff, 0x00}, 100<<10)
	letters := []queue.DeadLetter{
		{MessageID: "map", BodyType: "AMQP value (map)", Body: []byte(`{"a":1}`)},
		{MessageID: "sequence", BodyType: "AMQP sequence", Body: []byte(`[[1,2]]`)},
		{MessageID: "binary", Body: binary},
		{MessageID: "empty"},
		{MessageID: strings.Repeat("i", 200_000), Body: []byte("long id"), ReplyTo: strings.Repeat("q", 100_000), Reason: strings.Repeat("r", 100_000)},
		{MessageID: "nested", Body: []byte(strings.Repeat("[", 100_000))},
		{MessageID: "properties", Body: []byte("x"), Properties: map[string]any{"azbackupflow-message-id": 7, "azbackupflow-enqueued": []byte("x"), "Diagnostic-Id": strings.Repeat("t", 100_000)}},
	}
	done, ids := r.completions()
	collect, _ := r.collector(letters, letters, done)
	_, err := collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	require.Len(t, ids(), 2*len(letters))
	all := r.rejectedRequests()
	require.Len(t, all, 2*len(letters), "every message is recorded")
	types := map[string]rejected.Request{}
	for _, one := range all {
		require.LessOrEqual(t, len(one.MessageID), 128)
		types[one.MessageID] = one
	}
	require.Equal(t, "AMQP value (map)", types["map"].BodyType)
	require.Equal(t, `{"a":1}`, types["map"].Body)
	require.Equal(t, "AMQP sequence", types["sequence"].BodyType)
	require.Equal(t, rejected.Base64, types["binary"].BodyEncoding)
	require.Equal(t, len(binary), types["binary"].BodySize)
	whole, err := r.store.LoadRejected(t.Context(), types["binary"].ID)
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(whole.Body)
	require.NoError(t, err)
	require.Equal(t, binary[:48<<10], raw)
	for _, copied := range r.take("rejected") {
		require.LessOrEqual(t, len(copied.body), 192<<10)
	}
}

func TestCollectDeadLetters_StopsEarlyWhileStorageIsUnavailable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body, err := json.Marshal(backupRequest("k", "testshare"))
	require.NoError(t, err)
	var letters []queue.DeadLetter
	for i := range 500 {
		letters = append(letters, deadLetter(fmt.Sprint("m", i), body))
	}
	r.store.set(true)
	done, ids := r.completions()
	collect, readers := r.collector(letters, nil, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.ErrorIs(t, err, errUnavailable)
	require.Empty(t, ids(), "no message is completed before it is stored")
	require.Equal(t, 1, readers[0].batches)
}

// A message that always fails does not hold up the others, even one that makes
// the handler panic.
func TestCollectDeadLetters_ContinuesAfterOneFailure(t *testing.T) {
	t.Parallel()
	var letters []queue.DeadLetter
	for i := range 120 {
		letters = append(letters, deadLetter(fmt.Sprint("m", i), []byte(`{}`)))
	}
	r := newRig(t)
	done, ids := r.completions()
	collect, _ := r.collector(letters, nil, func(id string) {
		switch id {
		case "m3":
			panic(errors.New("lock lost"))
		default:
			done(id)
		}
	})
	_, err := collect(t.Context(), customhandler.Invocation{})
	require.ErrorContains(t, err, "1 of 50 failed")
	require.ErrorContains(t, err, "panic: lock lost")
	var panicked *parallel.PanicError
	require.ErrorAs(t, err, &panicked)
	require.Contains(t, string(panicked.Stack()), "collect_dead_letters_test.go", "the log shows the stack")
	require.Len(t, ids(), 119)
}

func TestCollectDeadLetters_HandlesTheOthersIfOneCannotBeDecoded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	done, ids := r.completions()
	collect, readers := r.collector([]queue.DeadLetter{deadLetter("r1", []byte("no JSON")), deadLetter("r2", []byte("no JSON"))}, nil, done)
	readers[0].skipped = errors.New("not decodable")
	_, err := collect(t.Context(), customhandler.Invocation{})
	require.ErrorContains(t, err, "not decodable", "the run fails, so that its log shows the message")
	require.ElementsMatch(t, []string{"r1", "r2"}, ids())
}

// A backlog of 10,000 takes minutes, and never more than 100 messages a second.
func TestCollectDeadLetters_WorksOffABacklogWithoutABurst(t *testing.T) {
	t.Parallel()
	var letters []queue.DeadLetter
	for i := range 10_000 {
		letters = append(letters, deadLetter(fmt.Sprint("m", i), []byte(`{}`)))
	}
	r := newRig(t)
	done, ids := r.completions()
	collect, _ := r.collector(letters, nil, done)
	began, last, runs := r.time.Now(), 0, 0
	for ; len(ids()) < len(letters) && runs < 10; runs++ {
		at := r.time.Now()
		_, err := collect(t.Context(), customhandler.Invocation{})
		require.NoError(t, err)
		took := r.time.Now().Sub(at)
		require.LessOrEqual(t, took, intake.MaxCollectTime)
		require.LessOrEqual(t, float64(len(ids())-last), 100*(took+time.Second).Seconds())
		last = len(ids())
		r.time.Advance(5*time.Minute - took)
	}
	require.Len(t, ids(), 10_000)
	require.LessOrEqual(t, r.time.Now().Sub(began), 15*time.Minute)
}

// A sweep and the retention after it fit into one invocation, and so does a run
// of the collector with its last batch.
func TestSweep_LeavesTimeForRetention(t *testing.T) {
	t.Parallel()
	require.Less(t, engine.MaxSweepTime+handlers.MaxRetentionTime, customhandler.DefaultDeadline)
	require.Less(t, intake.MaxCollectTime+30*time.Second, customhandler.DefaultDeadline)
}

// A dead letter is never rescheduled, so its age limits the attempts to reply.
func TestCollectDeadLetters_GiveUpAReplyThatCannotBeSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.replies.err = errUnavailable
	done, ids := r.completions()
	m := deadLetter("m1", []byte(`{"flow":"nope","parameters":{}}`))
	m.ReplyTo = "answers"
	for range 60 {
		collect, _ := r.collector([]queue.DeadLetter{m}, nil, done)
		_, err := collect(t.Context(), customhandler.Invocation{})
		if err == nil {
			break
		}
		require.Len(t, r.rejectedRequests(), 1, "it is recorded before the reply")
		r.time.Advance(5 * time.Minute)
	}
	require.Equal(t, []string{"m1"}, ids())
	require.Len(t, r.rejectedRequests(), 1)
}

// A request that was valid when it arrived may not be valid any more.
func TestCollectDeadLetters_FindTheOperationOfARequestThatIsNoLongerValid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := backupRequest("", "testshare")
	delete(request, "key")
	request["labels"] = object{"bulk": "nightly"}
	request["parameters"] = object{
		"fileShare":                    object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"},
		"recoveryPointExpiryTimeInUTC": r.time.Now().Add(48 * time.Hour),
	}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	r.receive(r.message("m1", body, nil))
	require.Len(t, r.listed(10), 1)
	r.time.Advance(72 * time.Hour) // the expiry of the request has passed
	done, ids := r.completions()
	collect, _ := r.collector([]queue.DeadLetter{deadLetter("m1", body)}, nil, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	require.Empty(t, r.rejectedRequests(), "its operation runs")
	require.Equal(t, []string{"m1"}, ids())
}
