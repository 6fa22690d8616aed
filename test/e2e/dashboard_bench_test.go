package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/state"
)

// storedOperations is the number of operations in Azurite. It takes minutes to store
// them; the pages read ranges of an index, whose length does not depend on it.
const storedOperations = 2000

// maxTransferred limits the bytes of a page.
const maxTransferred = 200 << 10

// BenchmarkDashboard_OverTableStorage measures pages of the packaged program over
// Azurite: the time until the last byte, with that of Azurite, and the size.
func BenchmarkDashboard_OverTableStorage(b *testing.B) {
	s, err := stack.New(b.Context(), stack.Config{Dist: dist, SpeedFactor: faultSpeed, Settings: dashboardSettings("True")})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	fillTables(b, s.Tables.ConnectionString())
	reader := principal(b, "Operations.Read")
	for _, path := range []string{"operations", "operations?status=Failed", "operations?label=team%3Dt7", "attention", "trends?since=day"} {
		b.Run(path, func(b *testing.B) {
			var took []time.Duration
			size := 0
			for b.Loop() {
				began := time.Now()
				size = readDashboard(b, s.URL()+"/api/dashboard/"+path, reader)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/page")
			b.ReportMetric(float64(size)/1024, "KB/page")
			require.LessOrEqual(b, size, maxTransferred)
		})
	}
}

// fillTables stores ended operations of the last day. One in 50 has failed.
func fillTables(b *testing.B, connection string) {
	b.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(connection, state.ClientOptions())
	require.NoError(b, err)
	store, err := state.New(state.Config{Service: service})
	require.NoError(b, err)
	require.NoError(b, store.EnsureTables(b.Context()))
	group, ctx := parallel.WithContext(b.Context())
	group.SetLimit(4) // Azurite is slow
	now := time.Now().UTC()
	for n := range storedOperations {
		group.Go(func() error {
			op := storedOperation(n, now)
			row, _, err := store.Create(ctx, op, operation.Event{Seq: op.Seq, At: op.UpdatedAt, Step: op.Step, Status: op.Status, What: "ended", WriteID: op.WriteID})
			if err != nil {
				return err
			}
			return store.Finalize(ctx, row)
		})
	}
	require.NoError(b, group.Wait())
}

func storedOperation(n int, now time.Time) operation.Operation {
	const flow = "backup-now"
	key := fmt.Sprint("stored-", n)
	at := now.Add(-24 * time.Hour * time.Duration(n) / storedOperations)
	op := operation.Operation{
		Identity: operation.Identity{
			ID: operation.ID("local", flow, key), Tenant: "local", Key: key, Flow: flow, Version: 1, CreatedAt: at,
			Parameters: []byte(`{"itemId":"` + demoVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/VM;` + key + `"}`),
			Labels:     map[string]string{"team": fmt.Sprint("t", n%40)},
		},
		Progress: operation.Progress{
			Status: operation.Succeeded, Step: "await-backup-job", Seq: 8, WriteID: "w", UpdatedAt: at.Add(time.Minute), EndedAt: at.Add(time.Minute), Deadline: at.Add(time.Hour),
		},
	}
	if n%50 == 0 {
		op.Status, op.LastError = operation.Failed, &operation.Error{Code: "UserErrorVmNotFound", Message: "The machine does not exist.", Class: operation.UserAction}
	}
	return op
}

// readDashboard returns the size of a page.
func readDashboard(b *testing.B, url, principal string) int {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	require.NoError(b, err)
	req.Header.Set("X-Ms-Client-Principal", principal)
	res, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer func() { require.NoError(b, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, res.StatusCode, "%.400s", body)
	require.Contains(b, string(body), "<h1>")
	return len(body)
}
