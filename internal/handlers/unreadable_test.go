package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
)

func TestAPI_HistoryNamesUnreadableEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.setUnreadable(true)
	var history wire.History
	answer := r.call(r.api, http.MethodGet, "/operations/x/history", nil, &history)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Empty(t, history.Events)
	require.Equal(t, []string{"x"}, history.Unreadable)
}

func TestAPI_DeletesARejectedRequestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := r.rejected("m", object{"flow": "nothing"})
	r.store.setUnreadable(true)
	require.Equal(t, http.StatusInternalServerError, r.call(r.api, http.MethodGet, path, nil, nil).StatusCode)
	var purged wire.Purged
	require.Equal(t, http.StatusOK, r.call(r.api, http.MethodDelete, path, nil, &purged).StatusCode)
	require.Equal(t, wire.Purged{Removed: 1}, purged)
	r.store.setUnreadable(false)
	_, err := r.store.LoadRejected(t.Context(), strings.TrimPrefix(path, "/rejected/"))
	require.ErrorIs(t, err, rejected.ErrNotFound)
}

// A request whose operation cannot be read is rejected: a retry cannot succeed, and
// the other targets of a bulk must not wait for it.
func TestStartOperation_RejectsARequestWhoseOperationIsUnreadable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	targets := shares(20)
	r.receive(r.message("m1", bulkOf(t, "nightly", targets[:1]...), nil))
	r.requireStarted(1)
	r.store.setUnreadable(true)
	r.receive(r.message("m1", bulkOf(t, "nightly", targets...), nil))
	r.store.setUnreadable(false)
	r.requireStarted(20)
	require.Empty(t, r.take("requests"), "nothing is rescheduled")
	all := r.rejectedRequests()
	require.Len(t, all, 1)
	require.Equal(t, "m1#0", all[0].MessageID)
	require.Contains(t, all[0].Reason, "is unreadable")

	raw, err := json.Marshal(backupRequest("k", "testshare"))
	require.NoError(t, err)
	r.receive(r.message("m2", raw, nil))
	r.store.setUnreadable(true)
	r.receive(r.message("m2", raw, nil))
	done, ids := r.completions()
	collect, _ := r.collector([]queue.DeadLetter{deadLetter("m3", raw)}, nil, done)
	_, err = collect(t.Context(), customhandler.Invocation{})
	require.NoError(t, err)
	r.store.setUnreadable(false)
	require.Equal(t, []string{"m3"}, ids(), "the dead letter does not stay")
	require.Empty(t, r.take("requests"), "nothing is rescheduled")
	require.Len(t, r.rejectedRequests(), 3)
}

// A message whose time is not known is recorded once, although its rejection is
// repeated until the reply is sent.
func TestStartOperation_RecordsARepeatedRejectionOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.replies.err = errUnavailable
	r.receive(r.message("m1", []byte(`{"flow":"nope","enqueuedTimeUtc":"x"}`), object{"ReplyTo": "answers"}))
	require.Len(t, r.rejectedRequests(), 1)
	require.NotZero(t, r.drain(), "the reply is sent again")
	require.Len(t, r.rejectedRequests(), 1)
}
