package schedule

import (
	"context"
	"encoding/json"
	"log/slog"
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
