// Package statetest tests the contract of a store: every guarantee in the
// comments of engine.Store and of the methods of state.Store. Each store runs it.
package statetest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/schedule/run"
	"azbackupflow/internal/state"
)

// Store is the complete interface of a store.
type Store interface {
	engine.Store
	engine.Locks
	state.SharedStore

	History(ctx context.Context, id string) iter.Seq2[operation.Event, error]
	List(ctx context.Context, q operation.Query) (operation.Page, error)
	CountEnded(ctx context.Context, since time.Time, limit int) (counts operation.Counts, complete bool, err error)
	ListBulk(ctx context.Context, key string) ([]operation.Member, error)
	ListShared(ctx context.Context, kind string) iter.Seq2[state.SharedRow, error]
	Expire(ctx context.Context, before time.Time, limit int) (state.Expired, error)

	SaveRejected(ctx context.Context, r rejected.Request) error
	LoadRejected(ctx context.Context, id string) (rejected.Request, error)
	ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error)
	DeleteRejected(ctx context.Context, id string) error
	PurgeRejected(ctx context.Context, before time.Time, limit int) (deleted int, more bool, err error)
	SaveRemoval(ctx context.Context, r rejected.Removal) error
	ListRemovals(ctx context.Context, q rejected.Query) (rejected.RemovalPage, error)

	SaveDecision(ctx context.Context, d decision.Record) error
	LoadDecision(ctx context.Context, resourceID string) (decision.Record, error)
	ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error)

	SaveExclusion(ctx context.Context, x decision.Exclusion) error
	LoadExclusion(ctx context.Context, resourceID string) (x decision.Exclusion, found bool, err error)
	ListExclusions(ctx context.Context) ([]decision.Exclusion, error)
	DeleteExclusion(ctx context.Context, resourceID string) error

	LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error)
	SaveScheduleRun(ctx context.Context, r run.Record) (etag string, err error)
}

// Run runs the suite. open returns a new empty store for each test.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Rows", rowTests()},
		{"Sizes", sizeTests()},
		{"Live", liveTests()},
		{"History", historyTests()},
		{"List", listTests()},
		{"Pages", pageTests()},
		{"Counts", countTests()},
		{"Rejected", rejectedTests()},
		{"Removals", removalTests()},
		{"Exclusions", exclusionTests()},
		{"ScheduleRuns", scheduleRunTests()},
		{"Decisions", decisionTests()},
		{"Locks", lockTests()},
		{"Expire", expireTests()},
		{"Shared", sharedTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, open(t))
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s Store)
}

// start is the creation time of the first operation.
func start() time.Time { return time.Date(2025, 3, 1, 8, 0, 0, 123456789, time.UTC) }

// newOperation returns the i-th operation. Each is one minute younger than the
// previous one.
func newOperation(i int) operation.Operation {
	at := start().Add(time.Duration(i) * time.Minute)
	id := fmt.Sprintf("op%04d", i)
	return operation.Operation{
		Identity: operation.Identity{
			ID: id, Key: "key " + id, Flow: "backup-now", Version: 1,
			Parameters: json.RawMessage(`{"vaultId":"/subscriptions/x"}`), RequestHash: "hash",
			CreatedAt: at,
		},
		Progress: operation.Progress{
			Status: operation.Pending, Step: "read item",
			WriteID: "w0", DueAt: at, Deadline: at.Add(time.Hour),
			UpdatedAt: at, StepStartedAt: at,
		},
	}
}

// eventOf returns the event of a save of the operation.
func eventOf(op operation.Operation, what string) operation.Event {
	return operation.Event{
		Seq: op.Seq, At: op.UpdatedAt, Step: op.Step, Status: op.Status, What: what,
		DueAt: op.DueAt, Err: op.LastError, WriteID: op.WriteID,
	}
}

// create stores a new operation.
func create(t *testing.T, s Store, op operation.Operation) engine.Row {
	t.Helper()
	row, created, err := s.Create(t.Context(), op, eventOf(op, "created"))
	require.NoError(t, err)
	require.True(t, created)
	return row
}

// save stores a change of the row and returns the new row.
func save(t *testing.T, s Store, row engine.Row, change func(*operation.Operation)) engine.Row {
	t.Helper()
	row.Operation.Seq++
	row.Operation.UpdatedAt = row.Operation.UpdatedAt.Add(time.Second)
	row.Operation.WriteID = fmt.Sprintf("w%d", row.Operation.Seq)
	change(&row.Operation)
	etag, err := s.Save(t.Context(), row, eventOf(row.Operation, "saved"))
	require.NoError(t, err)
	row.ETag = etag
	return row
}

// end stores the operation with a final status and finalizes it.
func end(t *testing.T, s Store, row engine.Row, status operation.Status) engine.Row {
	t.Helper()
	row = save(t, s, row, ended(status))
	require.NoError(t, s.Finalize(t.Context(), row))
	return load(t, s, row.Operation.ID)
}

func ended(status operation.Status) func(*operation.Operation) {
	return func(op *operation.Operation) {
		op.Status, op.EndedAt, op.DueAt = status, op.UpdatedAt, time.Time{}
	}
}

func load(t *testing.T, s Store, id string) engine.Row {
	t.Helper()
	row, err := s.Load(t.Context(), id)
	require.NoError(t, err)
	return row
}

// collect returns all items of a sequence.
func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for item, err := range seq {
		require.NoError(t, err)
		all = append(all, item)
	}
	return all
}

// odd returns texts that keys of Table Storage cannot contain unencoded, or that
// are unusual in other ways.
func odd() []string {
	return []string{
		"a/b", `a\b`, "a#b", "a?b", "a%b", "a%2Fb", "a'b", "a''b", `a"b`, "a b", " a ", "a|b", "a_b", "a~b", "a=b", "a:b", "a+b", "a&b",
		"a\x00b", "a\tb", "a\nb", "a\x7fb", "a\u0085b", "ä", "a\u0308", "日本語", "😀", "\u2028", "<b>", "A", "a", "..", ".", "-",
	}
}
