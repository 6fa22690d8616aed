//go:build unix

package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

// Limits of a page over a store with many operations.
const (
	manyOperations = 100_000
	maxServerTime  = 300 * time.Millisecond
	maxTransferred = 200 << 10
)

// fill adds operations to the store that are copies of one that has ended: one in
// 500 is live, one in 50 has failed. They were created within a time.
func (s *site) fill(t testing.TB, n int, within time.Duration) {
	t.Helper()
	s.api.Backup()
	started, err := s.client.Start(t.Context(), clienttest.Protect("model", "orders"))
	require.NoError(t, err)
	_, err = s.client.Wait(t.Context(), started.ID, func(client.Update) {})
	require.NoError(t, err)
	row, err := s.api.Store.Load(t.Context(), started.ID)
	require.NoError(t, err)
	model, now := row.Operation, s.api.Clock.Now()
	event := operation.Event{Seq: 0, At: model.CreatedAt, Step: model.Step, What: "accepted", WriteID: model.WriteID}
	for i := n - 1; i >= 0; i-- { // oldest first
		op := model
		op.Key = fmt.Sprint("many-", i)
		op.Labels = map[string]string{"team": "files", "schedule": fmt.Sprint("schedule-", i%manyDeclared), "slot": op.CreatedAt.Format("2006-01-02T15:04")}
		op.ID = operation.ID(op.Tenant, op.Flow, op.Key)
		op.CreatedAt = now.Add(-within * time.Duration(i) / time.Duration(n))
		op.EndedAt, op.UpdatedAt = op.CreatedAt.Add(30*time.Minute), op.CreatedAt.Add(30*time.Minute)
		switch {
		case i%500 == 0:
			op.Status, op.EndedAt, op.DueAt = operation.Running, time.Time{}, now.Add(time.Minute)
		case i%50 == 1:
			op.Status, op.LastError = operation.Failed, &operation.Error{Code: "UserErrorVmNotFound", Message: "The machine does not exist.", Class: operation.UserAction}
		}
		created, _, err := s.api.Store.Create(t.Context(), op, event)
		require.NoError(t, err)
		if op.Status.Terminal() {
			require.NoError(t, s.api.Store.Finalize(t.Context(), created))
		}
	}
}

// processorTime returns the processor time of this process.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// manyPages are the pages whose cost could grow with the history.
func manyPages() []string {
	return []string{
		"operations", "operations?status=Failed", "operations?status=Pending,Running", "attention", "trends", "limits", "items",
		"items?vault=" + url.QueryEscape(clienttest.Vault), "schedules", "schedules?runs=schedule-3", "protection", "drills", "readiness?read=1", "start", "start/restore-vm",
	}
}

// BenchmarkPages_WithManyOperations measures each page over a store with 100,000
// operations: time, bytes transferred, and calls of the API. It fails if the median
// of a page exceeds a limit. The time is that of the processor: the store in memory
// never waits, and other programs of the machine do not count.
func BenchmarkPages_WithManyOperations(b *testing.B) {
	for _, spread := range []struct {
		name   string
		within time.Duration
	}{{"of a day", 24 * time.Hour}, {"of a quarter", 90 * 24 * time.Hour}} {
		s := newSite(b, manyRows)
		s.fill(b, manyOperations, spread.within)
		for _, path := range manyPages() {
			b.Run(spread.name+"/"+path, func(b *testing.B) {
				var times []time.Duration
				bytes, calls := 0, len(s.api.Requests())
				for b.Loop() {
					began := processorTime(b)
					status, body := s.get(path)
					times = append(times, processorTime(b)-began)
					require.Equal(b, http.StatusOK, status)
					bytes = len(body)
				}
				slices.Sort(times)
				median := times[len(times)/2]
				b.ReportMetric(float64(median)/float64(time.Millisecond), "cpu-ms/page")
				b.ReportMetric(float64(bytes)/1024, "KB/page")
				b.ReportMetric(float64(len(s.api.Requests())-calls)/float64(len(times)), "calls/page")
				require.LessOrEqual(b, median, maxServerTime)
				require.LessOrEqual(b, bytes, maxTransferred)
			})
		}
	}
}

// However many operations there are, a page stays small and makes few calls.
func TestPages_StaySmallWithManyOperations(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a store")
	}
	s := newSite(t, manyRows)
	s.fill(t, 3000, 12*time.Hour)
	for _, path := range manyPages() {
		before := len(s.api.Requests())
		body := s.page(path)
		require.LessOrEqual(t, len(body), maxTransferred, path)
		require.LessOrEqual(t, len(s.api.Requests())-before, 6, path)
		require.NotContains(t, body, "ZgotmplZ", path)
	}
	body := s.page("operations")
	require.Contains(t, body, "Older operations")
	require.Regexp(t, `data-count="Failed">.*<b>60</b>`, body)
	require.Regexp(t, `data-count="Running">.*<b>6</b>`, body)
	require.Contains(t, s.page("trends"), "Only the newest operations of this time are counted.")
}
