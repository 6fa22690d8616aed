package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// calls counts the host's calls about the messages of a queue.
type calls struct {
	function         string
	invoked, abandon atomic.Int32
}

func (c *calls) count(m fault.Moment, r fault.Request) {
	switch {
	case m != fault.Before:
	case r.Kind == "invoke "+c.function:
		c.invoked.Add(1)
	case r.Kind == "abandon "+c.function:
		c.abandon.Add(1)
	}
}

// rejected waits for the copy of a rejected request on the queue rejected.
func (l *local) rejected(r api.RejectedRequest) (rejected api.RejectedRequest) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		for _, m := range l.Broker.Messages("rejected") {
			if m.MessageID == "rejected:"+r.ID {
				return json.Unmarshal(m.Body, &rejected) == nil
			}
		}
		return false
	}, maxWait, 20*time.Millisecond, "no copy of "+r.MessageID)
	return rejected
}

// requireNothingLeft waits until a queue is empty and asserts that no message
// was dead-lettered.
func (l *local) requireNothingLeft(queue string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return len(l.Broker.Messages(queue)) == 0 }, maxWait, 20*time.Millisecond)
	require.Empty(l.t, l.Broker.Messages(queue+"/$DeadLetterQueue"))
}

// TestQueueRequest_InvalidIsRejectedOnceAndRecorded sends every invalid request
// over the queue. Each is acknowledged at its first delivery, recorded, and
// copied to the queue rejected. Valid requests are processed.
func TestQueueRequest_InvalidIsRejectedOnceAndRecorded(t *testing.T) {
	t.Parallel()
	start := calls{function: "start-operation"}
	world := armsim.DemoWorld()
	right := newSite(&world, "right", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Fault: start.count})
	cases := append(badInputs(), badInput{
		name: "a dry run, which has no reader for its answer", body: changed(map[string]any{"dryRun": true}), field: "dryRun", problem: "queue", want: "HTTP",
	})
	var messages []*azservicebus.Message
	for i, c := range cases {
		messages = append(messages, message(fmt.Sprintf("bad-%d", i), c.body))
	}
	request := right.backup()
	delete(request, "key")
	l.send("requests", append(messages, message("right", request))...)

	for i, c := range cases { //nolint:paralleltest // they share a stack
		t.Run(c.name, func(t *testing.T) {
			l := l.in(t)
			r := l.rejectedRequestOf(fmt.Sprintf("bad-%d", i))
			require.EqualValues(t, rejected.Requests, r.Source)
			requireNamed(t, c, r.Fields)
			require.NotEmpty(t, r.Reason)
			require.Less(t, len(r.Reason), 5000)
			sent := string([]rune(string(encoded(c.body)))) // the host replaces each invalid byte
			stored := r.Body
			if r.BodyEncoding == rejected.Base64 {
				raw, err := base64.StdEncoding.DecodeString(r.Body)
				require.NoError(t, err)
				stored = string(raw)
			}
			require.True(t, strings.HasPrefix(sent, stored), "the request as received")
			require.NotEqual(t, sent == "", r.Body != "")
			copied := l.rejected(r)
			require.Equal(t, r.Fields, copied.Fields)
			require.GreaterOrEqual(t, len(copied.Body), len(r.Body))
		})
	}
	// A request without a key uses the ID of its message.
	l.backedUpOnce(right, operation.ID("local", "backup-now", "right"))
	l.requireNothingLeft("requests")
	require.EqualValues(t, len(cases)+1, start.invoked.Load(), "deliveries")
	require.Zero(t, start.abandon.Load(), "messages that went back")
	require.Len(t, l.Broker.Messages("rejected"), len(cases))
	require.Len(t, l.rejectedRequests(), len(cases))
	var all api.OperationPage
	l.call("GET", "/operations", nil, &all)
	require.Len(t, all.Operations, 1)

	t.Run("the same key with other parameters", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		other := right.backup()
		other["key"] = "right"
		withParameters(other, map[string]any{"recoveryPointExpiryTimeInUTC": "2099-01-31T18:00:00Z"})
		l.send("requests", message("conflict", other))
		r := l.rejectedRequestOf("conflict")
		require.Equal(t, "key", r.Fields[0].Field)
		require.Contains(t, r.Reason, operation.ID("local", "backup-now", "right"))
		require.Equal(t, "right", r.Key)
		require.Equal(t, "backup-now", r.Flow)
		require.Len(t, l.backupsOf(right), 1)
	})
	t.Run("the same message sent again", func(t *testing.T) { //nolint:paralleltest // they share a stack
		l := l.in(t)
		again := message("right", request)
		other := "right-again" // an ID that duplicate detection does not know
		again.MessageID = &other
		named := right.backup()
		named["key"] = "right"
		again.Body = encoded(named)
		l.send("requests", again)
		l.requireNothingLeft("requests")
		require.Len(t, l.backupsOf(right), 1)
		require.Len(t, l.rejectedRequests(), len(cases)+1)
	})
}

// TestStepsQueue_RejectsMessagesThatAreNotWakeUps sends other messages to the
// queue steps. They are acknowledged and recorded as rejected, and the operations
// on the same queue continue.
func TestStepsQueue_RejectsMessagesThatAreNotWakeUps(t *testing.T) {
	t.Parallel()
	steps := calls{function: "run-step"}
	world := armsim.DemoWorld()
	s := newSite(&world, "beside", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Fault: steps.count})
	hold := l.holdBack(s, "GET operationsStatus")
	id := l.begin(s.backup())
	l.reaches(id, "await-backup")
	wrong := []string{
		"", "hello", "[]", "null", "{}", `{"operation":"` + id + `"}`, `{"operation":"` + id + `","seq":-1}`, `{"operation":7,"seq":1}`,
		`{"operation":"nobody","seq":1}`, `{"operation":"` + id + `","seq":1}`, `{"operation":"` + id + `","seq":1000000}`,
		strings.Repeat("x", queueLimit),
	}
	for i, body := range wrong {
		l.send("steps", message(fmt.Sprintf("wrong-%d", i), body))
	}
	require.Eventually(t, func() bool {
		return !strings.Contains(fmt.Sprint(l.Broker.Messages("steps")), "wrong-")
	}, maxWait, 20*time.Millisecond)
	hold()
	l.backedUpOnce(s, id)
	l.requireNothingLeft("steps")
	require.Zero(t, steps.abandon.Load())
	for i, body := range wrong {
		if strings.Contains(body, `"nobody"`) || strings.Contains(body, `"seq":1}`) && strings.Contains(body, id) || strings.Contains(body, "1000000") {
			continue // a wake-up for which there is nothing to do
		}
		r := l.rejectedRequestOf(fmt.Sprintf("wrong-%d", i))
		require.EqualValues(t, rejected.Steps, r.Source)
		require.Contains(t, r.Reason, "not a wake-up")
	}
	require.Len(t, l.rejectedRequests(), len(wrong)-3)
}

// TestQueueRequest_ReplacedMetadataEndsNoHandler sends events whose attributes
// replace the metadata of their message, through the host's merge. Each is
// rejected at its first delivery under a short id, and later requests are
// processed.
func TestQueueRequest_ReplacedMetadataEndsNoHandler(t *testing.T) {
	t.Parallel()
	start := calls{function: "start-operation"}
	world := armsim.DemoWorld()
	s := newSite(&world, "after", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Fault: start.count})
	long := strings.Repeat("x", 200_000)
	for name, value := range map[string]any{
		"messageid": long, "MessageId": long, "enqueuedtimeutc": "9999-12-31T00:00:00Z", "replyto": long, "deliverycount": 11,
		"applicationproperties": map[string]any{"azbackupflow-message-id": long},
	} {
		l.send("requests", message("event-"+name, map[string]any{
			"specversion": "1.0", "id": name, "source": "/x", "type": "t", name: value, "data": s.backup(),
		}))
	}
	l.send("requests", message("right", s.backup()))
	l.backedUpOnce(s, s.operation())
	l.requireNothingLeft("requests")
	require.EqualValues(t, 7, start.invoked.Load(), "deliveries")
	all := l.rejectedRequests()
	require.Len(t, all, 6)
	for _, r := range all {
		require.LessOrEqual(t, len(r.MessageID), 128)
		require.Less(t, r.At.Year(), 3000)
		require.Contains(t, r.Fields[0].Problem, "metadata")
		require.LessOrEqual(t, len(encoded(l.rejected(r))), 192<<10)
	}
}

// TestQueueRequest_DeadLetteredIsRecordedAsRejected lets a request expire on
// the queue. It reaches the dead-letter queue and is recorded like an invalid
// request, so that operators see it.
func TestQueueRequest_DeadLetteredIsRecordedAsRejected(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	s := newSite(&world, "expired", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world})
	l.Host().Close() // the app is down
	brief := 200 * time.Millisecond
	expiring, empty := message("expired", s.backup()), message("expired-empty", "")
	expiring.TimeToLive, empty.TimeToLive = &brief, &brief
	l.send("requests", expiring, empty)
	// The host cannot bind bodies of these types to a string.
	odd := map[string]azservicebus.AMQPAnnotatedMessageBody{
		"number": {Value: int64(7)}, "map": {Value: map[string]any{"flow": "backup-now"}}, "sequence": {Sequence: [][]any{{"a", int64(1)}}},
		"binary": {Data: [][]byte{{0xff, 0}}},
	}
	l.sendOdd("requests", brief, odd)
	l.sendOdd("steps", brief, odd)
	require.Eventually(t, func() bool {
		return len(l.Broker.Messages("requests/$DeadLetterQueue")) == 2+len(odd) && len(l.Broker.Messages("steps/$DeadLetterQueue")) == len(odd)
	}, maxWait, 20*time.Millisecond)

	require.NoError(t, l.StartHost(t.Context()))
	for id := range odd {
		require.EqualValues(t, rejected.RequestsDeadLetters, l.rejectedRequestOf("requests-"+id).Source)
		require.EqualValues(t, rejected.StepsDeadLetters, l.rejectedRequestOf("steps-"+id).Source)
	}
	require.Equal(t, "AMQP value (int64)", l.rejectedRequestOf("requests-number").BodyType)
	require.Equal(t, "7", l.rejectedRequestOf("requests-number").Body)
	require.Equal(t, "AMQP sequence", l.rejectedRequestOf("steps-sequence").BodyType)
	require.Equal(t, rejected.Base64, l.rejectedRequestOf("steps-binary").BodyEncoding)
	require.Equal(t, 2, l.rejectedRequestOf("steps-binary").BodySize)
	l.requireNothingLeft("steps/$DeadLetterQueue")
	for _, id := range []string{"expired", "expired-empty"} {
		r := l.rejectedRequestOf(id)
		require.EqualValues(t, rejected.RequestsDeadLetters, r.Source)
		require.Contains(t, r.Reason, "TTLExpired")
		require.Equal(t, r.Reason, l.rejected(r).Reason)
	}
	require.Equal(t, "backup-"+s.account.Name, l.rejectedRequestOf("expired").Key)
	l.requireNothingLeft("requests/$DeadLetterQueue")
	l.requireNothingLeft("requests")
	require.Empty(t, l.backupsOf(s))
}
