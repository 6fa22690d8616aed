package schedule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

func TestSelection_ExceptWinsOverNames(t *testing.T) {
	t.Parallel()
	s := Selection{Names: []string{"app-*"}, Except: []string{"*-test"}}
	for name, selected := range map[string]bool{"app-1": true, "APP-2": true, "app-test": false, "db-1": false} {
		require.Equal(t, selected, s.matches(name, ""), name)
	}
	require.False(t, Selection{Except: []string{"a*"}}.matches("abc", ""))
	require.True(t, Selection{}.matches("abc", ""))
}

func TestItem_HasOneKeyInAllSpellings(t *testing.T) {
	t.Parallel()
	key := Item{ID: "/subscriptions/s/vaults/V/items/I"}.key()
	require.Equal(t, key, Item{ID: "/SUBSCRIPTIONS/S/vaults/v/items/i/"}.key())
	require.NotEqual(t, key, Item{ID: "/subscriptions/s/vaults/V/items/I2"}.key())
}

func TestRequestFor_NamesTheItemByItsKind(t *testing.T) {
	t.Parallel()
	s := Schedule{Kind: Backups, Name: "nightly", Request: request.Request{Flow: flowBackupNow, Parameters: json.RawMessage(`{"x":1}`), Labels: map[string]string{"team": "a"}}}
	for field, item := range map[string]Item{"itemId": {ID: "id"}, "backupInstanceId": {ID: "id", Instance: true}} {
		r, err := s.requestFor("2026-03-01T02:00", item)
		require.NoError(t, err)
		require.JSONEq(t, `{"x":1,"`+field+`":"id"}`, string(r.Parameters))
		require.Equal(t, map[string]string{"team": "a", "schedule": "nightly", labelSlot: "2026-03-01T02:00"}, r.Labels)
	}
}

func TestDue_LooksBackForAMonth(t *testing.T) {
	t.Parallel()
	timing, err := NewTiming("0 2 * * *", "UTC")
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	s := Schedule{Timing: timing, Missed: MissedAll, MissedLimit: 1000}
	start, skipped := s.due(run.Record{Handled: now.AddDate(-2, 0, 0)}, now)
	require.Len(t, start, 31)
	require.Empty(t, skipped)
}
