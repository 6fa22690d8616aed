package state_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/schedule/run"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// rows changes rows behind the store's back.
type rows struct {
	t       *testing.T
	service *aztables.ServiceClient
	prefix  string
}

// spoil replaces a column of each row that the filter selects, and counts them.
func (r rows) spoil(table, filter, column string, value any) (n int) {
	r.t.Helper()
	client := r.service.NewClient(r.prefix + table)
	pager := client.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter})
	for pager.More() {
		page, err := pager.NextPage(r.t.Context())
		require.NoError(r.t, err)
		for _, raw := range page.Entities {
			var e map[string]any
			require.NoError(r.t, json.Unmarshal(raw, &e))
			changed, err := json.Marshal(map[string]any{"PartitionKey": e["PartitionKey"], "RowKey": e["RowKey"], column: value})
			require.NoError(r.t, err)
			_, err = client.UpsertEntity(r.t.Context(), changed, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeMerge})
			require.NoError(r.t, err)
			n++
		}
	}
	return n
}

func unreadableRows(t *testing.T) (*state.Store, rows) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Azurite")
	}
	a := startAccount(t)
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, nil)
	require.NoError(t, err)
	return a.storeAt(t, "bad", nil), rows{t, service, "bad"}
}

// One row that cannot be read never hides the others: lists skip and name it, and
// report it as what it is.
func TestUnreadableRows_NeverStopTheOthers(t *testing.T) {
	t.Parallel()
	for name, spoilt := range map[string]any{"cut off": `{"id":"x","cre`, "of another type": 7, "empty": "{}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := unreadableRows(t)
			began := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
			var ids []string
			for i := range 3 {
				at := began.Add(time.Duration(i) * time.Minute)
				op := operation.Operation{
					Identity: operation.Identity{ID: fmt.Sprint("op", i), Key: "k", Flow: "demo", Version: 1, CreatedAt: at},
					Progress: operation.Progress{Status: operation.Running, Step: "read", Seq: 1, WriteID: fmt.Sprint("w", i)},
				}
				_, created, err := s.Create(t.Context(), op, operation.Event{At: op.CreatedAt, WriteID: fmt.Sprint("w", i)})
				require.NoError(t, err)
				require.True(t, created)
				ids = append(ids, op.ID)
			}
			require.Equal(t, 1, r.spoil("operationindex", "RowKey eq 'live:"+ids[1]+"'", "operation", spoilt))
			live, bad := 0, 0
			for _, err := range s.ListLive(t.Context()) {
				if operation.IsUnreadable(err) {
					bad++
					require.ErrorContains(t, err, ids[1])
					continue
				}
				require.NoError(t, err)
				live++
			}
			require.Equal(t, 2, live)
			require.Equal(t, 1, bad)

			filter := "PartitionKey eq 'lists' and RowKey ge 'all:" + string(state.PositionOf(began.Add(2*time.Minute), ids[2])) + "' and RowKey lt 'all:" + string(state.PositionOf(began.Add(time.Minute), ids[1])) + "'"
			require.Equal(t, 1, r.spoil("operationindex", filter, "operation", spoilt))
			for _, size := range []int{1, 2, 50} {
				var listed, unreadable []string
				q := operation.Query{PageSize: size}
				for {
					page, err := s.List(t.Context(), q)
					require.NoError(t, err)
					for _, op := range page.Operations {
						listed = append(listed, op.ID)
					}
					unreadable = append(unreadable, page.Unreadable...)
					if q.Continue = page.Continue; q.Continue == "" {
						break
					}
				}
				require.Equal(t, []string{ids[1], ids[0]}, listed, "pages of %d", size)
				require.Len(t, unreadable, 1)
			}
			page, err := s.List(t.Context(), operation.Query{Status: []operation.Status{operation.Running, operation.Pending}})
			require.NoError(t, err, "the live markers")
			require.Len(t, page.Unreadable, 1)

			if spoilt == "{}" {
				return // a row without fields is an operation without fields
			}
			require.Equal(t, 1, r.spoil("operations", "PartitionKey eq '"+ids[0]+"' and RowKey eq 'operation'", "operation", spoilt))
			page, err = s.List(t.Context(), operation.Query{})
			require.NoError(t, err)
			require.Len(t, page.Operations, 1)
			require.Contains(t, page.Unreadable, ids[0])
			_, err = s.Load(t.Context(), ids[0])
			require.True(t, operation.IsUnreadable(err), "%v", err)
			require.NotErrorIs(t, err, engine.ErrNotFound)
			_, err = s.Expire(t.Context(), began.Add(time.Hour), 100)
			require.NoError(t, err, "retention continues")
		})
	}
}

func TestUnreadableRows_AreNamedInListsOfRecords(t *testing.T) {
	t.Parallel()
	s, r := unreadableRows(t)
	began := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 5 {
		at := began.Add(time.Duration(i) * time.Minute)
		record := rejected.Request{ID: rejected.NewID(at, rejected.Requests, fmt.Sprint("m", i), nil), At: at, Source: rejected.Requests, Reason: "x"}
		require.NoError(t, s.SaveRejected(t.Context(), record))
		ids = append(ids, record.ID)
		require.NoError(t, s.SaveDecision(t.Context(), decision.Record{ResourceID: fmt.Sprint("/r", i), At: at, Outcome: "none", Reason: "x", Source: "sweep"}))
	}
	require.Equal(t, 1, r.spoil("rejected", "RowKey eq '"+ids[2]+"'", "request", `{"id":"cut of`))
	require.Equal(t, 1, r.spoil("decisions", "PartitionKey eq '"+state.ResourceKey("/r2")+"'", "decision", `{"id":"cut of`))
	for _, size := range []int{1, 2, 50} {
		var found, unreadable int
		for q := (rejected.Query{PageSize: size}); ; {
			page, err := s.ListRejected(t.Context(), q)
			require.NoError(t, err)
			found += len(page.Requests)
			for _, id := range page.Unreadable {
				unreadable++
				require.Equal(t, ids[2], id)
			}
			if q.Continue = page.Continue; q.Continue == "" {
				break
			}
		}
		require.Equal(t, 4, found)
		require.Equal(t, 1, unreadable)
		found, unreadable = 0, 0
		for q := (decision.Query{PageSize: size}); ; {
			page, err := s.ListDecisions(t.Context(), q)
			require.NoError(t, err)
			found += len(page.Decisions)
			unreadable += len(page.Unreadable)
			if q.Continue = page.Continue; q.Continue == "" {
				break
			}
		}
		require.Equal(t, 4, found)
		require.Equal(t, 1, unreadable)
	}
	_, err := s.LoadRejected(t.Context(), ids[2])
	require.True(t, operation.IsUnreadable(err))
	require.NoError(t, s.DeleteRejected(t.Context(), ids[2]), "it can be deleted")
}

// A rejected request whose record is longer than the columns of a list is stored
// so that the list can read it.
func TestRejected_IsListedHoweverLongItsFieldsAre(t *testing.T) {
	t.Parallel()
	s, _ := unreadableRows(t)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	long := strings.Repeat("\x01", 7000) // six times as long in JSON
	for i, record := range []rejected.Request{
		{Body: long, Reason: long},
		{Body: long, Fields: []step.FieldError{{Field: long, Problem: long}, {Field: long, Problem: long}}},
	} {
		record.At, record.Source = at, rejected.Requests
		record.ID = rejected.NewID(at, rejected.Requests, fmt.Sprint(i), nil)
		require.NoError(t, s.SaveRejected(t.Context(), record))
		page, err := s.ListRejected(t.Context(), rejected.Query{})
		require.NoError(t, err)
		require.Empty(t, page.Unreadable)
		require.Len(t, page.Requests, i+1)
		loaded, err := s.LoadRejected(t.Context(), record.ID)
		require.NoError(t, err)
		require.Equal(t, record.Body, loaded.Body, "the list form cuts it, the record is whole")
	}
}

func TestUnreadableRows_AreReportedAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	s, r := unreadableRows(t)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	const cutOff = `{"id":"cut of`

	for _, name := range []string{"a_ä", "b"} {
		_, err := s.SaveScheduleRun(t.Context(), run.Record{Name: name, Timing: "0 2 * * * UTC", Handled: at, LastSlot: "2026-03-01T02:00"})
		require.NoError(t, err)
	}
	require.Equal(t, 1, r.spoil("scheduleruns", "RowKey ne 'b'", "run", cutOff))
	runs, err := s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.Len(t, runs, 2)
	require.NoError(t, runs["b"].Unreadable)
	require.Equal(t, at, runs["b"].Handled)
	bad := runs["a_ä"]
	require.True(t, operation.IsUnreadable(bad.Unreadable), "%v", bad.Unreadable)
	require.Equal(t, "a_ä", bad.Name)
	bad.Unreadable, bad.Timing = nil, "replaced"
	_, err = s.SaveScheduleRun(t.Context(), bad)
	require.NoError(t, err, "the ETag is known, so the row can be replaced")
	runs, err = s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	require.NoError(t, runs["a_ä"].Unreadable)

	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/r", OperationID: "op", At: at}))
	require.NoError(t, s.SaveDecision(t.Context(), decision.Record{ResourceID: "/r", At: at, Outcome: "none"}))
	require.NoError(t, s.SaveItemLock(t.Context(), operation.ItemLock{Item: "/r", Holder: "op", Since: at}, ""))
	require.Equal(t, 1, r.spoil("exclusions", "", "exclusion", cutOff))
	require.Equal(t, 1, r.spoil("decisions", "", "decision", 7))
	require.Equal(t, 1, r.spoil("itemlocks", "", "lock", cutOff))
	_, _, exclusion := s.LoadExclusion(t.Context(), "/r")
	listed, err := s.ListExclusions(t.Context())
	require.NoError(t, err)
	require.Equal(t, []decision.Exclusion{{ResourceID: "/r"}}, listed, "the resource stays excluded")
	_, decided := s.LoadDecision(t.Context(), "/r")
	_, _, locked := s.LoadItemLock(t.Context(), "/r")
	for _, err := range []error{exclusion, decided, locked} {
		require.True(t, operation.IsUnreadable(err), "%v", err)
		require.ErrorContains(t, err, "/r")
	}

	etag, saved, err := s.SaveShared(t.Context(), "quota", "/r", []byte("7"), "")
	require.NoError(t, err)
	require.True(t, saved)
	require.Equal(t, 1, r.spoil("shared", "", "value", 7))
	value, changed, err := s.LoadShared(t.Context(), "quota", "/r")
	require.NoError(t, err, "a shared row that cannot be read counts as empty")
	require.Empty(t, value)
	require.NotEqual(t, etag, changed)
	_, saved, err = s.SaveShared(t.Context(), "quota", "/r", []byte("8"), changed)
	require.NoError(t, err)
	require.True(t, saved)
}

// The record of a schedule run that cannot be read keeps what the other columns of
// its row say.
func TestUnreadableRows_ScheduleRunKeepsItsOtherColumns(t *testing.T) {
	t.Parallel()
	s, r := unreadableRows(t)
	saved := run.Record{Name: "a", Timing: "0 2 * * * UTC", Handled: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), LastSlot: "2026-03-01T02:00"}
	_, err := s.SaveScheduleRun(t.Context(), saved)
	require.NoError(t, err)
	client := r.service.NewClient(r.prefix + "scheduleruns")
	_, err = client.UpsertEntity(t.Context(), []byte(`{"PartitionKey":"schedule","RowKey":"a","run":"{"}`), &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeMerge})
	require.NoError(t, err)
	runs, err := s.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	got := runs["a"]
	require.True(t, operation.IsUnreadable(got.Unreadable))
	saved.Unreadable, saved.ETag = got.Unreadable, got.ETag
	require.Equal(t, saved, got)
}

func TestUnreadableRows_HistoryNamesTheEventAndContinues(t *testing.T) {
	t.Parallel()
	s, r := unreadableRows(t)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	op := operation.Operation{
		Identity: operation.Identity{ID: "op", Key: "k", Flow: "demo", Version: 1, CreatedAt: at},
		Progress: operation.Progress{Status: operation.Running, Step: "read", Seq: 1, WriteID: "w1"},
	}
	row, _, err := s.Create(t.Context(), op, operation.Event{Seq: 1, At: at, WriteID: "w1"})
	require.NoError(t, err)
	for seq := int64(2); seq <= 3; seq++ {
		row.Operation.Seq, row.Operation.WriteID = seq, fmt.Sprint("w", seq)
		row.ETag, err = s.Save(t.Context(), row, operation.Event{Seq: seq, At: at, WriteID: row.Operation.WriteID})
		require.NoError(t, err)
	}
	require.Equal(t, 1, r.spoil("operations", "RowKey ge 'event-000000000002' and RowKey lt 'event-000000000003'", "event", "{"))
	var read []int64
	var bad []string
	for ev, err := range s.History(t.Context(), "op") {
		var unreadable *operation.Unreadable
		if errors.As(err, &unreadable) {
			bad = append(bad, unreadable.Record)
			continue
		}
		require.NoError(t, err)
		read = append(read, ev.Seq)
	}
	require.Equal(t, []int64{1, 3}, read)
	require.Len(t, bad, 1)
	require.Contains(t, bad[0], "event-000000000002")
}

func TestUnreadableRows_OtherLocksStillExpire(t *testing.T) {
	t.Parallel()
	s, r := unreadableRows(t)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for _, item := range []string{"/a", "/b", "/c"} {
		require.NoError(t, s.SaveItemLock(t.Context(), operation.ItemLock{Item: item, Holder: "gone", Since: at}, ""))
	}
	require.Equal(t, 1, r.spoil("itemlocks", "PartitionKey eq '"+state.ResourceKey("/a")+"'", "lock", `{"item":"cut o`))
	done, err := s.Expire(t.Context(), at.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 2, done.Locks)
	_, _, err = s.LoadItemLock(t.Context(), "/a")
	require.True(t, operation.IsUnreadable(err), "it is kept, because its holder is unknown: %v", err)
}
