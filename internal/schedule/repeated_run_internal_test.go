package schedule

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

// runningStore holds one running operation under each ID.
type runningStore struct{ Store }

func (runningStore) Load(context.Context, string) (engine.Row, error) {
	var row engine.Row
	row.Operation.Status = operation.Running
	return row, nil
}

func (runningStore) SaveScheduleRun(context.Context, run.Record) (string, error) { return "saved", nil }

type countingStarter struct{ starts int }

func (c *countingStarter) Start(context.Context, request.Request, engine.Origin) (operation.Operation, bool, error) {
	c.starts++
	return operation.Operation{}, false, nil
}

// A slot that is repeated after a crash finds its own operation, which runs. It is
// not its own previous run.
func TestStartItem_DoesNotWaitForItself(t *testing.T) {
	t.Parallel()
	const slot = "2026-11-21T02:30"
	for _, overlap := range []Overlap{OverlapQueue, OverlapSkip} {
		started := &countingStarter{}
		tick := &scheduleTick{
			c: RunnerConfig{Store: runningStore{}, Engine: started, Now: time.Now, SpeedFactor: 1}, log: slog.New(slog.DiscardHandler),
			schedule: Schedule{Name: "daily", Overlap: overlap, Request: request.Request{Flow: flowBackupNow, Parameters: json.RawMessage(`{}`)}},
		}
		for _, record := range []run.Record{{LastSlot: slot}, {LastSlot: "2026-11-20T02:30"}} {
			tick.record = record
			behind, err := tick.startItem(t.Context(), slot, Item{ID: "i"}, run.Behind{Running: slot})
			require.NoError(t, err)
			require.Equal(t, run.Behind{}, behind)
		}
		require.Equal(t, 2, started.starts, overlap)
	}
}

// onePlan chooses one item.
type onePlan struct{ Plan }

func (onePlan) Items(context.Context, string, func(Item) bool) ([]Item, int, error) {
	return []Item{{ID: "new"}}, 0, nil
}

// The record holds every operation of a plan that runs. If it holds the maximum, a run
// starts no more.
func TestItems_BoundsTheRunningOperationsOfAPlan(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{maxRunning - 1: 1, maxRunning: 0} {
		tick := &scheduleTick{
			c: RunnerConfig{Store: runningStore{}}, log: slog.New(slog.DiscardHandler), schedule: Schedule{Kind: Drills, Name: "nightly", Plan: onePlan{}},
			record: run.Record{Behind: map[string]run.Behind{}},
		}
		for i := range count {
			tick.record.Behind[Item{ID: strconv.Itoa(i)}.key()] = run.Behind{Running: "2026-11-20T02:30"}
		}
		items, err := tick.items(t.Context(), "2026-11-21T02:30", &tick.record.Chosen)
		require.NoError(t, err)
		require.Len(t, items, want)
		require.Equal(t, 1-want, tick.record.Skipped)
		require.Len(t, tick.record.Behind, count)
		stored, err := json.Marshal(tick.record)
		require.NoError(t, err)
		require.Less(t, len(stored), 300<<10)
	}
}
