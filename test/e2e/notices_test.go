package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/notify"
	"azbackupflow/internal/operation"
)

func noticeQueues() []string { return []string{"notices", "answers"} }

// ask sends a request to the queue `requests`, as another system does, and
// returns the ID of its operation. The ID of the message is its key, and
// answers go to the queue answers.
func (l *local) ask(request map[string]any) (id string) {
	l.t.Helper()
	key, _ := request["key"].(string)
	delete(request, "key")
	m := message(key, request)
	answers := "answers"
	m.ReplyTo = &answers
	l.send("requests", m)
	flow, _ := request["flow"].(string)
	return operation.ID("local", flow, key)
}

// received returns the events on a queue, by their IDs. A duplicate event must
// equal the first one.
func (l *local) received(queue string) map[string]notify.Event {
	l.t.Helper()
	all := map[string]notify.Event{}
	for _, m := range l.Broker.Messages(queue) {
		var ev notify.Event
		require.NoError(l.t, json.Unmarshal(m.Body, &ev))
		require.Equal(l.t, m.MessageID, ev.ID)
		if earlier, twice := all[ev.ID]; twice {
			require.Equal(l.t, earlier, ev)
		}
		all[ev.ID] = ev
	}
	return all
}

// requireNotices waits until a queue holds the start and the end of each
// operation, and asserts that it holds nothing else.
func (l *local) requireNotices(queue string, ids []string) {
	l.t.Helper()
	want := map[string]string{}
	for _, id := range ids {
		v := l.await(id)
		kind := map[api.Status]operation.NoticeKind{
			api.Succeeded: operation.NoticeSucceeded, api.SucceededWithWarnings: operation.NoticeSucceeded,
			api.Failed: operation.NoticeFailed, api.TimedOut: operation.NoticeFailed, api.Canceled: operation.NoticeCanceled,
		}[v.Status]
		want[operation.Notice{Kind: operation.NoticeStarted, Seq: 1}.ID(id)] = notify.TypeOf(operation.NoticeStarted)
		want[operation.Notice{Kind: kind, Seq: v.Seq}.ID(id)] = notify.TypeOf(kind)
	}
	var found map[string]string
	require.Eventually(l.t, func() bool {
		found = map[string]string{}
		for id, ev := range l.received(queue) {
			found[id] = ev.Type
		}
		return len(found) >= len(want)
	}, maxWait, 50*time.Millisecond, "notices: %d of %d", len(found), len(want))
	require.Equal(l.t, want, found)
}

// TestNotices_ReportOperationsAndRejectedRequests has one system that listens
// to all operations on the topic that infra/ deploys, and another that requests one operation and gets its
// answers. A request that names a queue that is not for answers is rejected.
func TestNotices_ReportOperationsAndRejectedRequests(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	asked, other, failing := newSite(&world, "asked", protected), newSite(&world, "other", protected), newSite(&world, "failing", undiscovered)
	l := startInTurn(t, stack.Config{
		SpeedFactor: faultSpeed, World: &world, Queues: []string{"answers"}, Topics: []string{"notices"},
		Settings: map[string]string{"AZBACKUPFLOW_NOTICES": "notices", "AZBACKUPFLOW_REPLY_QUEUES": "answers"},
	})
	wrong, forbidden := message("wrong", map[string]any{"flow": "no-such-flow", "parameters": map[string]any{}}), message("forbidden", asked.backup())
	answers, steps := "answers", "steps"
	wrong.ReplyTo, forbidden.ReplyTo = &answers, &steps
	l.send("requests", wrong, forbidden)
	id := l.ask(asked.backup())
	ids := []string{id, l.begin(other.backup()), l.begin(failing.backup())}
	for _, id := range ids {
		l.await(id)
	}
	l.requireNotices("notices/Subscriptions/"+stack.Subscription, ids)

	require.Equal(t, "replyTo", l.rejectedRequestOf("forbidden").Fields[0].Field)
	rejected := l.rejectedRequestOf("wrong")
	require.Eventually(t, func() bool { return len(l.received("answers")) == 3 }, maxWait, 20*time.Millisecond)
	told := l.received("answers")

	require.Equal(t, notify.TypeRejected, told["rejected:"+rejected.ID].Type)
	var data notify.Operation
	v, _ := l.get(id)
	require.NoError(t, json.Unmarshal(told[operation.Notice{Kind: operation.NoticeSucceeded, Seq: v.Seq}.ID(id)].Data, &data))
	require.Equal(t, v.JobID, data.JobID)
	l.corrected(rejected, other)
	var swept api.SweepResult
	l.call(http.MethodPost, "/rescue", nil, &swept)
	require.Zero(t, swept.PendingNotices)
}

// corrected replays a rejected request with corrections, twice. One operation
// starts, and its sender is answered.
func (l *local) corrected(rejected api.RejectedRequest, s site) {
	l.t.Helper()
	right := s.backup()
	delete(right, "key")
	path := "/rejected/" + rejected.ID
	for range 2 {
		var replayed api.Replayed
		l.call(http.MethodPost, path+"/replay", right, &replayed)
		require.NotEqual(l.t, rejected.MessageID, replayed.MessageID)
	}
	id := operation.ID("local", "backup-now", rejected.MessageID)
	require.Eventually(l.t, func() bool { _, ok := l.get(id); return ok }, maxWait, 20*time.Millisecond)
	v := l.succeeds(id)
	require.Eventually(l.t, func() bool {
		_, told := l.received("answers")[operation.Notice{Kind: operation.NoticeSucceeded, Seq: v.Seq}.ID(id)]
		return told
	}, maxWait, 20*time.Millisecond)
	var shown api.RejectedRequest
	l.call(http.MethodGet, path, nil, &shown)
	require.NotEmpty(l.t, shown.ReplayedAs)
}

// TestItem_RunsOneOperationAtATime starts three operations on one item. They
// change it one after the other, and the waiting ones name the operation that
// they wait for.
func TestItem_RunsOneOperationAtATime(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	s := newSite(&world, "contested", protected)
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world})
	var ids []string
	for _, key := range []string{"one", "two", "three"} {
		asked := s.backup()
		asked["key"] = key
		ids = append(ids, l.begin(asked))
	}
	waited := 0
	for _, id := range ids {
		require.Equal(t, api.Succeeded, l.await(id).Status)
		for _, ev := range l.history(id) {
			if strings.HasPrefix(ev.What, "waiting: operation ") {
				waited++
			}
		}
	}
	require.GreaterOrEqual(t, waited, 2)
	require.Len(t, l.backupsOf(s), 3)
}
