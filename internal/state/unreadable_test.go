package state_test

import (
	"encoding/json"
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
			_, err = client.UpsertEntity(r.t.Context(), changed, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
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
			require.Equal(t, 1, r.spoil("operationlive", "RowKey eq '"+ids[1]+"'", "operation", spoilt))
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

			filter := "PartitionKey eq 'all' and RowKey ge '" + string(state.PositionOf(began.Add(2*time.Minute), ids[2])) + "' and RowKey lt '" + string(state.PositionOf(began.Add(time.Minute), ids[1])) + "'"
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
	}
}
