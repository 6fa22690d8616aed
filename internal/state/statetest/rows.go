package statetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func rowTests() []test {
	return []test{
		{"a new operation is loaded unchanged", createdIsLoaded},
		{"every field survives", everyFieldSurvives},
		{"parameters keep their bytes", parametersKeepTheirBytes},
		{"loading an unknown operation is not found", loadUnknown},
		{"a second create returns the first row", secondCreate},
		{"one of many concurrent creates succeeds", manyCreates},
		{"a save replaces the row", saveReplaces},
		{"a save returns the ETag for the next save", saveChain},
		{"a save with an old ETag is a conflict", saveWithOldETag},
		{"saving an unknown operation is not found", saveUnknown},
		{"one of many concurrent saves succeeds", manySaves},
		{"a conflicting save adds no event", conflictAddsNoEvent},
		{"an ended context stops every call", endedContext},
		{"unusual IDs stay distinct", oddIDs},
	}
}

func createdIsLoaded(t *testing.T, s Store) {
	op := newOperation(1)
	row := create(t, s, op)
	require.Equal(t, op, row.Operation)
	require.NotEmpty(t, row.ETag)
	require.Equal(t, row, load(t, s, op.ID))
}

func everyFieldSurvives(t *testing.T, s Store) {
	op := newOperation(1)
	at := start().Add(time.Hour)
	op.Tenant, op.Learned = "t", map[string]string{"container": "StorageContainer;Storage;rg;name"}
	op.Tracking = &operation.Tracking{
		StatusURL: "https://management.azure.com/x?sig=" + strings.Repeat("a", 4000), ResultURL: "https://management.azure.com/y?z=%2F",
		SubmittedAt: at, JobID: "job",
	}
	op.Claim = &operation.Claim{AttemptID: "a", ClaimedAt: at, NotAfter: at.Add(time.Minute)}
	op.WaitingFor, op.Attempts, op.Setbacks, op.Rescues, op.LastRescue = "job", 2, 3, 1, "rescue-1"
	op.CancelRequested, op.Paused = true, true
	op.LastError = &operation.Error{Code: "X", Message: "m\n", Class: operation.Throttled, RetryAfter: time.Hour, Ambiguous: true}
	op.Warnings, op.Round, op.PendingNotices = []string{"w"}, 1, []operation.Notice{{Kind: operation.NoticeFailed, Seq: 3, At: at, To: "answers", Error: &operation.Error{Code: "c"}}}
	op.ReplyTo, op.Labels, op.TraceParent = "answers", map[string]string{"team": "a/b"}, "00-x"
	op.EndedAt, op.Status = at, operation.Failed
	create(t, s, op)
	require.Equal(t, op, load(t, s, op.ID).Operation)
}

func parametersKeepTheirBytes(t *testing.T, s Store) {
	op := newOperation(1)
	op.Parameters = json.RawMessage(`{"a":"<&>'\"","n":12345678901234567890,"f":1.50,"z":null,"e":"\u0000"}`)
	create(t, s, op)
	require.Equal(t, string(op.Parameters), string(load(t, s, op.ID).Operation.Parameters))
}

func loadUnknown(t *testing.T, s Store) {
	_, err := s.Load(t.Context(), "unknown")
	require.ErrorIs(t, err, engine.ErrNotFound)
}

func secondCreate(t *testing.T, s Store) {
	first := create(t, s, newOperation(1))
	again := newOperation(1)
	again.WriteID, again.Step, again.CreatedAt = "other", "other", again.CreatedAt.Add(time.Hour)
	row, created, err := s.Create(t.Context(), again, eventOf(again, "again"))
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, first, row)
	require.Equal(t, first, load(t, s, "op0001"))
	require.Len(t, collect(t, s.History(t.Context(), "op0001")), 1)
}

func manyCreates(t *testing.T, s Store) {
	const callers = 8
	var rows [callers]engine.Row
	var created [callers]bool
	concurrently(callers, func(i int) {
		op := newOperation(1)
		op.WriteID = fmt.Sprintf("by %d", i)
		var err error
		rows[i], created[i], err = s.Create(t.Context(), op, eventOf(op, "created"))
		assert.NoError(t, err)
	})
	stored := load(t, s, "op0001")
	creators := 0
	for i := range callers {
		require.Equal(t, stored, rows[i])
		if created[i] {
			creators++
			require.Equal(t, fmt.Sprintf("by %d", i), stored.Operation.WriteID)
		}
	}
	require.Equal(t, 1, creators)
	require.Len(t, collect(t, s.History(t.Context(), "op0001")), 1)
}

func saveReplaces(t *testing.T, s Store) {
	op := newOperation(1)
	op.Parameters = json.RawMessage(`"` + strings.Repeat("long ", 20_000) + `"`)
	op.Learned = map[string]string{"a": "1"}
	row := save(t, s, create(t, s, op), func(op *operation.Operation) {
		op.Parameters, op.Learned, op.Status = json.RawMessage(`{}`), nil, operation.Running
	})
	require.Equal(t, row, load(t, s, op.ID))
	require.Nil(t, row.Operation.Learned)
}

func saveChain(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	seen := map[string]bool{row.ETag: true}
	for range 5 {
		row = save(t, s, row, func(op *operation.Operation) { op.Status = operation.Running })
		require.False(t, seen[row.ETag], "each save returns a new ETag")
		seen[row.ETag] = true
		require.Equal(t, row, load(t, s, row.Operation.ID))
	}
}

func saveWithOldETag(t *testing.T, s Store) {
	old := create(t, s, newOperation(1))
	saved := save(t, s, old, func(op *operation.Operation) { op.Status = operation.Running })
	old.Operation.WriteID = "late"
	_, err := s.Save(t.Context(), old, eventOf(old.Operation, "late"))
	require.ErrorIs(t, err, engine.ErrConflict)
	require.Equal(t, saved, load(t, s, "op0001"))
}

func saveUnknown(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	row.Operation.ID = "unknown"
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "saved"))
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.Empty(t, collect(t, s.History(t.Context(), "unknown")))
}

func manySaves(t *testing.T, s Store) {
	const callers = 8
	row := create(t, s, newOperation(1))
	var won [callers]bool
	concurrently(callers, func(i int) {
		changed := row
		changed.Operation.Seq, changed.Operation.WriteID = 1, fmt.Sprintf("by %d", i)
		_, err := s.Save(t.Context(), changed, eventOf(changed.Operation, "saved"))
		won[i] = err == nil
		if err != nil {
			assert.ErrorIs(t, err, engine.ErrConflict)
		}
	})
	stored := load(t, s, "op0001")
	winners := 0
	for i := range callers {
		if won[i] {
			winners++
			require.Equal(t, fmt.Sprintf("by %d", i), stored.Operation.WriteID)
		}
	}
	require.Equal(t, 1, winners)
	require.Len(t, collect(t, s.History(t.Context(), "op0001")), 2)
}

func conflictAddsNoEvent(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	save(t, s, row, func(*operation.Operation) {})
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "conflict"))
	require.ErrorIs(t, err, engine.ErrConflict)
	for _, ev := range collect(t, s.History(t.Context(), "op0001")) {
		require.NotEqual(t, "conflict", ev.What)
	}
}

func endedContext(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := s.Create(ctx, newOperation(2), operation.Event{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Load(ctx, "op0001")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Save(ctx, row, operation.Event{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.FinalizeByID(ctx, "op0001"), context.Canceled)
	require.ErrorIs(t, s.Reopen(ctx, "op0001", start()), context.Canceled)
	_, err = s.List(ctx, operation.Query{})
	require.ErrorIs(t, err, context.Canceled)
	err = nil
	for _, err = range s.ListLive(ctx) {
		require.Error(t, err)
	}
	require.ErrorIs(t, err, context.Canceled)
	err = nil
	for _, err = range s.History(ctx, "op0001") {
		require.Error(t, err)
	}
	require.ErrorIs(t, err, context.Canceled)
}

func oddIDs(t *testing.T, s Store) {
	for i, id := range odd() {
		op := newOperation(i)
		op.ID, op.Key, op.Step, op.WriteID = id, id, id, id
		create(t, s, op)
	}
	for i, id := range odd() {
		row := load(t, s, id)
		require.Equal(t, id, row.Operation.ID)
		require.Equal(t, newOperation(i).CreatedAt, row.Operation.CreatedAt)
		save(t, s, row, ended(operation.Failed))
		require.Len(t, collect(t, s.History(t.Context(), id)), 2, "%q", id)
		require.NoError(t, s.FinalizeByID(t.Context(), id))
	}
	require.Empty(t, collect(t, s.ListLive(t.Context())))
	page, err := s.List(t.Context(), operation.Query{Status: []operation.Status{operation.Failed}})
	require.NoError(t, err)
	require.Len(t, page.Operations, len(odd()))
}

// concurrently runs work for 0 to n-1 at the same time and waits for all.
func concurrently(n int, work func(i int)) {
	var group sync.WaitGroup
	ready := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-ready
			work(i)
		})
	}
	close(ready)
	group.Wait()
}
