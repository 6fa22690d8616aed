package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

func TestDeadLettersAreListedShownReplayedAndPurged(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "No dead letters.\n", s.succeeds("dead-letters", "list"))
	asked := clienttest.Protect("one", "testshare")
	raw, err := json.Marshal(asked)
	require.NoError(t, err)
	handles := make([]string, 3)
	for i := range handles {
		r := rejected.Request{
			ID: rejected.NewID(clienttest.Began().Add(time.Duration(i)*time.Hour), "", fmt.Sprint(i), nil), At: clienttest.Began().Add(time.Duration(i) * time.Hour), Source: "requests/$DeadLetterQueue", MessageID: "m1",
			Flow: asked.Flow, Reason: "the request was dead-lettered: MaxDeliveryCountExceeded", Body: string(raw), ReplyTo: "answers",
		}
		handles[i] = r.ID
		require.NoError(t, s.api.Store.SaveRejected(t.Context(), r))
	}
	listed := s.succeeds("dead-letters", "list", "--limit", "2")
	require.Contains(t, listed, handles[2])
	require.Contains(t, listed, "There are more")
	require.NotContains(t, listed, handles[0])
	shown := s.succeeds("dead-letters", "show", handles[0])
	require.Contains(t, shown, "requests/$DeadLetterQueue")
	require.Contains(t, shown, `"fileShare": "testshare"`)

	require.Regexp(t, "^Sent again as message [^ ]+\\.\n$", s.succeeds("dead-letters", "replay", handles[0]))
	require.Equal(t, "requests", s.api.Published[0].Queue)
	require.JSONEq(t, string(raw), s.api.Published[0].Body)
	require.Contains(t, s.succeeds("dead-letters", "show", handles[0]), s.api.Published[0].ID)

	edited := strings.Replace(string(raw), "testshare", "othershare", 1)
	file := filepath.Join(t.TempDir(), "mended.json")
	require.NoError(t, os.WriteFile(file, []byte(edited), 0o600))
	s.succeeds("dead-letters", "replay", handles[1], "-f", file)
	require.JSONEq(t, edited, s.api.Published[1].Body)
	s.stdin = "{"
	require.Contains(t, s.run("dead-letters", "replay", handles[1], "-f", "-").stderr, "is not JSON")

	require.Equal(t, "Removed: 1.\n", s.succeeds("dead-letters", "purge", handles[0]))
	gone := s.run("dead-letters", "show", handles[0])
	require.NotZero(t, gone.code)
	require.Contains(t, gone.stderr, "rejected request not found")
	require.Contains(t, s.run("dead-letters", "purge").stderr, "a handle, or --before")
	require.Equal(t, "Removed: 2.\n", s.succeeds("dead-letters", "purge", "--before", "2027-01-01"))
	var list api.RejectedPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("dead-letters", "list", "-o", "json")), &list))
	require.Empty(t, list.Rejected)
}

func TestRescueSaysWhatItFound(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.begins(clienttest.Protect("one", "testshare"))
	require.Contains(t, s.succeeds("rescue"), "Looked at 1 live operations: 0 woken")
}

func TestParkedOperationsAreListedWithTheirReason(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{
		Kind: operation.Unclear, Err: &operation.Error{Code: "BackupUnclear", Class: operation.Fatal, Message: "two jobs could be the one that was started;\nlook at both"},
	}})
	s.begins(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Second)
	shown := s.succeeds("list", "--status", "Parked")
	require.Contains(t, shown, "Reason")
	require.Contains(t, shown, "BackupUnclear: two jobs could be the one that was")
	require.Contains(t, s.succeeds("rescue"), "1 wait for a person")
}
