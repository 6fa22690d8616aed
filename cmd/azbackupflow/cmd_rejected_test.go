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
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

func TestRejected_ListsShowsReplaysAndPurges(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "No rejected requests.\n", s.succeeds("rejected", "list"))
	request := clienttest.Protect("one", "testshare")
	raw, err := json.Marshal(request)
	require.NoError(t, err)
	ids := make([]string, 3)
	for i := range ids {
		r := rejected.Request{
			ID: rejected.NewID(clienttest.Began().Add(time.Duration(i)*time.Hour), "", fmt.Sprint(i), nil), At: clienttest.Began().Add(time.Duration(i) * time.Hour), Source: "requests/$DeadLetterQueue", MessageID: "m1",
			Flow: request.Flow, Reason: "the request was dead-lettered: MaxDeliveryCountExceeded", Body: string(raw), ReplyTo: "answers",
		}
		ids[i] = r.ID
		require.NoError(t, s.api.Store.SaveRejected(t.Context(), r))
	}
	listed := s.succeeds("rejected", "list", "--limit", "2")
	require.Contains(t, listed, ids[2])
	require.Contains(t, listed, "There are more")
	require.NotContains(t, listed, ids[0])
	shown := s.succeeds("rejected", "show", ids[0])
	require.Contains(t, shown, "requests/$DeadLetterQueue")
	require.Contains(t, shown, `"fileShare": "testshare"`)

	require.Regexp(t, "^Sent as message [^ ]+\\.\n$", s.succeeds("rejected", "replay", ids[0]))
	require.Equal(t, "requests", s.api.Published[0].Queue)
	require.JSONEq(t, string(raw), s.api.Published[0].Body)
	require.Contains(t, s.succeeds("rejected", "show", ids[0]), s.api.Published[0].ID)

	edited := strings.Replace(string(raw), "testshare", "othershare", 1)
	file := filepath.Join(t.TempDir(), "corrected.json")
	require.NoError(t, os.WriteFile(file, []byte(edited), 0o600))
	s.succeeds("rejected", "replay", ids[1], "-f", file)
	require.JSONEq(t, edited, s.api.Published[1].Body)
	s.stdin = "{"
	require.Contains(t, s.run("rejected", "replay", ids[1], "-f", "-").stderr, "is not JSON")

	require.Equal(t, "No rejected request was deleted.\n", s.succeeds("rejected", "removals"))
	require.Equal(t, "Deleted: 1.\n", s.succeeds("rejected", "purge", ids[0], "--reason", "sent twice"))
	deleted := s.run("rejected", "show", ids[0])
	require.NotZero(t, deleted.code)
	require.Contains(t, deleted.stderr, "rejected request not found")
	require.Contains(t, s.run("rejected", "purge").stderr, "either an ID or --before")
	require.Equal(t, "Deleted: 2.\n", s.succeeds("rejected", "purge", "--before", "2027-01-01"))
	var list api.RejectedPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("rejected", "list", "-o", "json")), &list))
	require.Empty(t, list.Rejected)
	var removals api.RemovalPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("rejected", "removals", "-o", "json")), &removals))
	require.Len(t, removals.Removals, 2)
	shown = s.succeeds("rejected", "removals")
	for _, want := range []string{ids[0], "sent twice", "2 before 2027-01-01"} {
		require.Contains(t, shown, want)
	}
	require.NotContains(t, shown, "not finished")
	require.NoError(t, s.api.Store.SaveRemoval(t.Context(), rejected.Removal{ID: rejected.NewID(clienttest.Began(), "", "x", nil), At: clienttest.Began(), Request: ids[1]}))
	require.Contains(t, s.succeeds("rejected", "removals"), ids[1]+" (not finished)")
	require.Equal(t, cli.ExitUsage, s.run("rejected", "removals", "--since", "soon").code)
}

func TestRescue_ShowsTheResult(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.start(clienttest.Protect("one", "testshare"))
	require.Contains(t, s.succeeds("rescue"), "Checked 1 live operations: 0 woken")
}

func TestList_ShowsReasonsOfParkedOperations(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{
		Kind: operation.Unclear, Err: &operation.Error{Code: "BackupUnclear", Class: operation.Fatal, Message: "two jobs could be the one that was started;\nlook at both"},
	}})
	s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Second)
	shown := s.succeeds("list", "--status", "Parked")
	require.Contains(t, shown, "Reason")
	require.Contains(t, shown, "BackupUnclear: two jobs could be the one that was")
	require.Contains(t, s.succeeds("rescue"), "1 parked, waiting for an operator")
}
