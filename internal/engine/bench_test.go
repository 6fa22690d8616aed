package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// The benchmark measures the engine itself: one message over the store and queue
// in memory, with a step that has nothing new. Each load and save encodes and
// decodes a row of realistic size.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name   string
		effect step.Effect
	}{
		{"Read", step.Read}, {"Once", step.Once},
	} {
		b.Run(c.name, func(b *testing.B) {
			now := morning()
			queue := &queuememory.Queue{}
			ids := 0
			waits := func(context.Context, step.Call) (operation.Outcome, error) {
				return operation.Outcome{
					Kind: operation.Wait, Pace: operation.PaceNow, Note: "Backup job 5f2c1a6e of testshare (InProgress)",
					Tracking: &operation.Tracking{StatusURL: longURL(), ResultURL: longURL(), SubmittedAt: now},
				}, nil
			}
			awaiting := step.Flow{
				Name: "bench", Version: 1, Deadline: time.Hour, Check: checkDemo,
				Steps: []step.Step{{
					Name: "await", Effect: c.effect, Run: waits,
					Reconcile: func(context.Context, step.Call) (operation.Reconciliation, error) {
						return operation.Reconciliation{}, nil
					},
				}},
			}
			flows, err := flow.NewRegistry(awaiting)
			require.NoError(b, err)
			e, err := engine.New(engine.Config{
				Store: memory.New(), Queue: queue, Flows: flows, Waits: operation.AzureWaits(),
				Now: func() time.Time { return now }, Jitter: func() float64 { return 0 }, NewID: func() string { ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids) },
				Sleep: func(context.Context, time.Duration) error { return nil },
			})
			require.NoError(b, err)
			ctx := b.Context()
			asked := request.Request{Flow: "bench", Parameters: []byte(`{"share":"s1"}`)}
			_, _, err = e.Start(ctx, asked, engine.Origin{})
			require.NoError(b, err)

			b.ReportAllocs()
			for b.Loop() {
				for _, m := range queue.Due(now) {
					if err := e.RunStep(ctx, operation.Delivery{Wakeup: m.Wakeup, Count: 1}); err != nil {
						b.Fatal(err)
					}
				}
			}
			require.Len(b, queue.Waiting(), 1)
		})
	}
}

// longURL is a poll URL as long as recorded ones.
func longURL() string {
	return "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/operations/x?t=" + strings.Repeat("c0ffee", 500)
}
