package engine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// unreadableLocks are locks that cannot be read.
type unreadableLocks struct{ engine.Locks }

func (unreadableLocks) LoadItemLock(_ context.Context, item string) (operation.ItemLock, string, error) {
	return operation.ItemLock{}, "", &operation.Unreadable{Record: "lock of " + item, Err: errors.New("cut off")}
}

// logged returns an engine over the rig's rows with other stores, and its log.
func (r *rig) logged(store engine.Store, locks engine.Locks) (*engine.Engine, *bytes.Buffer) {
	r.t.Helper()
	var log bytes.Buffer
	e, err := engine.New(engine.Config{
		Store: store, Queue: r.bus, Flows: registry(r.t, r.azure, changing), Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep, Locks: locks,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(r.t, err)
	return e, &log
}

// A lock, or a holder of a lock, that cannot be read holds the lock. The operation
// that waits for it names it, and ends at its deadline.
func TestItemLock_UnreadableRowsHoldTheLock(t *testing.T) {
	t.Parallel()
	for name, waitsFor := range map[string]string{"holder": "operation spoilt", "lock": "a lock whose row cannot be read"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, changing)
			var locks engine.Locks = r.rows
			if name == "lock" {
				locks = unreadableLocks{r.rows}
			}
			require.NoError(t, r.rows.SaveItemLock(r.ctx(), operation.ItemLock{Item: "/shares/s1", Holder: "spoilt", Since: r.clock.Now()}, ""))
			e, log := r.logged(unreadableStore{r.store, "spoilt"}, locks)
			r.engine = e
			id := r.ask("second")
			for range 4 {
				r.deliver(engine.StepMessage(r.operation(id), ""))
			}
			require.Equal(t, waitsFor, r.operation(id).WaitingFor)
			require.Equal(t, operation.Running, r.operation(id).Status)
			require.Empty(t, r.azure.made("refresh"))
			require.Contains(t, log.String(), "unreadable")
			require.NotContains(t, log.String(), "dependency unavailable")
			r.operate(30 * time.Hour)
			require.Equal(t, operation.TimedOut, r.operation(id).Status)
			require.Contains(t, r.operation(id).LastError.Message, waitsFor)
			require.Empty(t, r.azure.made("refresh"))
		})
	}
}

// A row that cannot be read is logged as such, and its message is retried: a newer
// version of the app may be able to read it.
func TestRunStep_UnreadableRowIsNoOutage(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	id := r.ask("first")
	message := engine.StepMessage(r.operation(id), "")
	e, log := r.logged(unreadableStore{r.store, id}, r.rows)
	r.engine = e
	r.queue.Due(r.clock.Now().Add(time.Hour))
	r.deliver(message)
	require.Contains(t, log.String(), "stored record unreadable")
	require.Contains(t, log.String(), "level=ERROR")
	require.NotContains(t, log.String(), "dependency unavailable")
	require.Len(t, r.queue.Waiting(), 1)
}
