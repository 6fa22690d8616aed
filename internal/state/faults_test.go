package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

func listedAs(t *testing.T, s *state.Store, q operation.Query) int {
	t.Helper()
	page, err := s.List(t.Context(), q)
	require.NoError(t, err)
	require.Empty(t, page.Continue)
	return len(page.Operations)
}

func lostSave(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	row := create(t, s, newOperation("a"))
	w.lose("BATCH operations")
	row = next(row, operation.Running)
	_, err := s.Save(t.Context(), row, eventOf(row.Operation))
	require.ErrorIs(t, err, engine.ErrConflict, "the client repeated the save, which conflicts with its own commit")
	again, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "by test", again.Operation.WriteID)
}

func lostCreate(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	w.lose("BATCH operations")
	op := newOperation("a")
	row, created, err := s.Create(t.Context(), op, eventOf(op))
	require.NoError(t, err)
	require.False(t, created, "the store cannot know that this call created it")
	require.Equal(t, op, row.Operation)
	require.NotEmpty(t, row.ETag)
	require.Equal(t, 1, listedAs(t, s, operation.Query{}))
}

func answerWithoutETag(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	w.disturb(nil, withoutETags)
	row := create(t, s, newOperation("a"))
	row = save(t, s, row, operation.Running)
	save(t, s, row, operation.Succeeded)
}

func serviceUnavailable(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	row := create(t, s, newOperation("a"))
	w.disturb(refuse(""), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	_, err := s.Load(ctx, "a")
	require.ErrorIs(t, err, errWire)
	require.NotErrorIs(t, err, engine.ErrNotFound)
	_, err = s.Save(ctx, row, eventOf(row.Operation))
	require.ErrorIs(t, err, errWire)
	require.NotErrorIs(t, err, engine.ErrConflict)
	require.NoError(t, ctx.Err())
}

func missingTable(t *testing.T, a *account) {
	s := a.storeAt(t, "gone", nil)
	row := create(t, s, newOperation("a"))
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, nil)
	require.NoError(t, err)
	_, err = service.DeleteTable(t.Context(), "goneoperations", nil)
	require.NoError(t, err)
	_, err = s.Load(t.Context(), "a")
	require.Error(t, err)
	require.NotErrorIs(t, err, engine.ErrNotFound)
	_, err = s.Save(t.Context(), row, eventOf(row.Operation))
	require.Error(t, err)
	require.NotErrorIs(t, err, engine.ErrNotFound)
	require.NotErrorIs(t, err, engine.ErrConflict)
	require.Error(t, s.FinalizeByID(t.Context(), "a"))
	require.Equal(t, []string{"a"}, live(t, s), "the marker stays")
}

// emptyIndex deletes all index entries. Live markers stay.
func emptyIndex(t *testing.T, a *account, prefix string) {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, nil)
	require.NoError(t, err)
	index := service.NewClient(prefix + "operationindex")
	for _, text := range everyEntity(t, a, prefix)["operationindex"] {
		var key struct{ PartitionKey, RowKey string }
		require.NoError(t, json.Unmarshal([]byte(text), &key))
		if strings.HasPrefix(key.RowKey, "live:") {
			continue
		}
		_, err := index.DeleteEntity(t.Context(), key.PartitionKey, key.RowKey, nil)
		require.NoError(t, err)
	}
}

func indexRepaired(t *testing.T, a *account) {
	s := a.storeAt(t, "repaired", nil)
	op := newOperation("a")
	op.Labels = map[string]string{"team": "x"}
	row := create(t, s, op)
	emptyIndex(t, a, "repaired")
	require.Equal(t, []string{"a"}, live(t, s))
	require.Equal(t, 1, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Pending}}), "live markers need no index")
	save(t, s, row, operation.Failed)
	require.NoError(t, s.FinalizeByID(t.Context(), "a"))
	for _, q := range []operation.Query{
		{}, {Flow: "backup-now"}, {Labels: []operation.Label{{Key: "team", Value: "x"}}}, {Status: []operation.Status{operation.Failed}},
	} {
		require.Equal(t, 1, listedAs(t, s, q))
	}
}

func listedOrNotCreated(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	op := newOperation("a")
	w.disturb(refuse("BATCH operationindex"), nil)
	_, _, err := s.Create(t.Context(), op, eventOf(op))
	require.ErrorIs(t, err, errWire)
	w.restore()
	_, err = s.Load(t.Context(), "a")
	require.ErrorIs(t, err, engine.ErrNotFound)
	op.CreatedAt = op.CreatedAt.Add(time.Minute)
	create(t, s, op)
	require.Equal(t, 1, listedAs(t, s, operation.Query{Flow: "backup-now"}))
	require.Equal(t, 1, listedAs(t, s, operation.Query{}))
}

func orphansDeleted(t *testing.T, a *account) {
	var w wire
	s := a.storeAt(t, "orphans", w.options)
	op := newOperation("a")
	op.Labels = map[string]string{"team": "x"}
	w.disturb(refuse("BATCH operations"), nil)
	_, _, err := s.Create(t.Context(), op, eventOf(op))
	require.ErrorIs(t, err, errWire)
	w.restore()
	for _, q := range []operation.Query{{}, {Flow: "backup-now"}, {Labels: []operation.Label{{Key: "team", Value: "x"}}}} {
		require.Zero(t, listedAs(t, s, q))
	}
	require.Len(t, everyEntity(t, a, "orphans")["operationindex"], 4)
	_, err = s.Expire(t.Context(), op.CreatedAt, 10)
	require.NoError(t, err)
	require.Len(t, everyEntity(t, a, "orphans")["operationindex"], 4, "a create may be in progress")
	_, err = s.Expire(t.Context(), op.CreatedAt.Add(time.Second), 10)
	require.NoError(t, err)
	require.Len(t, everyEntity(t, a, "orphans")["operationindex"], 1, "the sweep deletes the marker")
}

func orphansOfSecondCreate(t *testing.T, a *account) {
	var w wire
	s := a.storeAt(t, "second", w.options)
	op := newOperation("a")
	create(t, s, op)
	batches := 0
	w.disturb(func(kind string) error {
		if kind == "BATCH operationindex" {
			if batches++; batches > 1 {
				return errWire
			}
		}
		return nil
	}, nil)
	later := op
	later.CreatedAt = op.CreatedAt.Add(time.Hour)
	_, _, err := s.Create(t.Context(), later, eventOf(later))
	require.ErrorIs(t, err, errWire, "the caller repeats it")
	w.restore()
	require.Len(t, everyEntity(t, a, "second")["operationindex"], 5)
	for _, q := range []operation.Query{{}, {Flow: "backup-now"}, {Status: []operation.Status{operation.Pending}}, {Since: later.CreatedAt}} {
		want := 1
		if !q.Since.IsZero() {
			want = 0
		}
		require.Equal(t, want, listedAs(t, s, q))
	}
	_, created, err := s.Create(t.Context(), later, eventOf(later))
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, 1, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Pending}}))
	require.Len(t, everyEntity(t, a, "second")["operationindex"], 3)
}

func finalizeWithoutMarker(t *testing.T, a *account) {
	s := a.storeAt(t, "older", nil)
	row := create(t, s, newOperation("a"))
	row.Marker = ""
	row = save(t, s, row, operation.Failed)
	emptyIndex(t, a, "older")
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Empty(t, live(t, s))
	require.Equal(t, 1, listedAs(t, s, operation.Query{}))
}

func crashBeforeRow(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	op := newOperation("a")
	w.disturb(refuse("BATCH operations"), nil)
	_, _, err := s.Create(t.Context(), op, eventOf(op))
	require.ErrorIs(t, err, errWire)
	w.restore()
	require.Equal(t, []string{"a"}, live(t, s))
	require.Zero(t, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Pending}}))
	require.NoError(t, s.FinalizeByID(t.Context(), "a"))
	require.Empty(t, live(t, s))
}

func crashWithinFinalizeByID(t *testing.T, a *account) {
	for _, at := range []string{"GET operationindex", "GET operationlive", "GET operations", "BATCH operationindex", "PATCH operations", "DELETE operationindex"} {
		var w wire
		s := a.store(t, w.options)
		save(t, s, create(t, s, newOperation("a")), operation.Succeeded)
		w.disturb(refuse(at), nil)
		require.ErrorIs(t, s.FinalizeByID(t.Context(), "a"), errWire, at)
		w.restore()
		require.Equal(t, []string{"a"}, live(t, s), at)
		require.NoError(t, s.FinalizeByID(t.Context(), "a"), at)
		require.Empty(t, live(t, s), at)
	}
}

func crashWithinFinalize(t *testing.T, a *account) {
	for _, at := range []string{"BATCH operationindex"} {
		var w wire
		s := a.store(t, w.options)
		row := save(t, s, create(t, s, newOperation("a")), operation.Failed)
		w.disturb(refuse(at), nil)
		require.ErrorIs(t, s.Finalize(t.Context(), row), errWire, at)
		w.restore()
		require.Equal(t, []string{"a"}, live(t, s), at)
		require.NoError(t, s.FinalizeByID(t.Context(), "a"), at)
		require.Empty(t, live(t, s), at)
		require.Equal(t, 1, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Failed}}), at)
	}
}

// Someone retries an ended operation while the sweep finalizes it. The operation
// is live afterwards, at whichever request the retry happens and whether or not
// it had loaded the row before.
func reopenDuringFinalizeByID(t *testing.T, a *account) {
	reopenDuring(t, a, "race", []string{"GET operationindex", "GET operationlive", "GET operations", "BATCH operationindex", "PATCH operations", "DELETE operationindex"},
		func(s *state.Store, row engine.Row) error { return s.FinalizeByID(t.Context(), row.Operation.ID) })
}

func reopenDuringFinalize(t *testing.T, a *account) {
	reopenDuring(t, a, "finalize", []string{"BATCH operationindex"},
		func(s *state.Store, row engine.Row) error { return s.Finalize(t.Context(), row) })
}

func reopenDuring(t *testing.T, a *account, prefix string, points []string, end func(*state.Store, engine.Row) error) {
	t.Helper()
	for _, loadedBefore := range []bool{false, true} {
		for _, at := range points {
			var w wire
			finalizing, retrying := a.storeAt(t, prefix, w.options), a.storeAt(t, prefix, nil)
			id := fmt.Sprint("op ", at, loadedBefore)
			row := save(t, finalizing, create(t, finalizing, newOperation(id)), operation.Failed)
			var once sync.Once
			var saved error
			w.disturb(func(kind string) error {
				if kind == at {
					once.Do(func() {
						if !loadedBefore {
							row, saved = retrying.Load(t.Context(), id)
						}
						saved = errors.Join(saved, retry(t, retrying, row))
					})
				}
				return nil
			}, nil)
			require.NoError(t, end(finalizing, row), id)
			once.Do(func() { t.Errorf("finalizing did not %s", at) })
			if saved != nil {
				require.True(t, loadedBefore, id)
				require.ErrorIs(t, saved, engine.ErrConflict, id)
				fresh, err := retrying.Load(t.Context(), id)
				require.NoError(t, err, id)
				require.NoError(t, retry(t, retrying, fresh), id)
			}
			require.Contains(t, live(t, retrying), id)
		}
	}
}

func retry(t *testing.T, s *state.Store, row engine.Row) error {
	t.Helper()
	if err := s.Reopen(t.Context(), row.Operation.ID, row.Operation.CreatedAt); err != nil {
		return err
	}
	again := next(row, operation.Running)
	_, err := s.Save(t.Context(), again, eventOf(again.Operation))
	return err
}

func errorsAreOneLine(t *testing.T, a *account) {
	service, err := aztables.NewServiceClientFromConnectionString(a.connection+";", state.ClientOptions())
	require.NoError(t, err)
	_, err = service.CreateTable(t.Context(), "wrongoperations", nil)
	require.NoError(t, err)
	s := a.storeAt(t, "wrong", nil)
	require.NoError(t, s.EnsureTables(t.Context()))
	_, err = service.DeleteTable(t.Context(), "wrongoperations", nil)
	require.NoError(t, err)
	_, err = s.Load(t.Context(), "a")
	require.EqualError(t, err, "load operation a: table storage answered HTTP 404 TableNotFound")
	var answer interface{ Unwrap() error }
	require.ErrorAs(t, err, &answer)
}
