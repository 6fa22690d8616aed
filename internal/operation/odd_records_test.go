package operation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// A writer that loses a save continues with the row that it had before.
func TestTransitions_DoNotChangeTheirReceiver(t *testing.T) {
	t.Parallel()
	full := func() operation.Operation {
		op := claimed()
		op.Tracking = &operation.Tracking{StatusURL: "https://status", JobID: "j0"}
		op.Warnings = append(make([]string, 0, 8), "first")
		op.LastError = failure(operation.Conflict)
		op.PendingNotices = []operation.Notice{{Kind: operation.NoticeFailed}}
		return op
	}
	for _, tr := range transitions() {
		for _, status := range operation.Statuses() {
			op := full()
			op.Status = status
			before := written(t, op)
			next, _ := tr.do(op, after(time.Minute))
			require.JSONEq(t, before, written(t, op), "%s of a %s operation", tr.name, status)

			// The two share nothing that a later transition changes.
			if next.Tracking != nil {
				next.Tracking.JobID = "changed"
			}
			if next.Claim != nil {
				next.Claim.AttemptID = "changed"
			}
			next.Warnings = append(next.Warnings, "changed")
			if next.Learned != nil {
				next.Learned["item"] = "changed"
			}
			next.Labels["team"] = "changed"
			if next.Seq != op.Seq || next.WriteID != op.WriteID {
				require.JSONEq(t, before, written(t, op), "%s of a %s operation", tr.name, status)
				require.Equal(t, []string{"first"}, op.Warnings[:1])
				require.Empty(t, op.Warnings[:8][1], "%s wrote behind the warnings of the row before", tr.name)
			}
		}
	}
}

func TestOperation_SurvivesJSON(t *testing.T) {
	t.Parallel()
	for _, tr := range transitions() {
		op, _ := tr.do(claimed(), after(time.Minute))
		var read operation.Operation
		require.NoError(t, json.Unmarshal([]byte(written(t, op)), &read))
		require.Equal(t, op, read, tr.name)
	}
}

// An operator or another version may have written the row. With any missing or
// odd value, the operation is parked or continues, and the program does not
// crash.
func TestTransitions_AcceptOddRecords(t *testing.T) {
	t.Parallel()
	for _, record := range oddRecords() {
		workOn(t, []byte(record))
	}
}

func FuzzOperation_AcceptsAnyRow(f *testing.F) {
	for _, record := range oddRecords() {
		f.Add([]byte(record))
	}
	f.Fuzz(func(t *testing.T, record []byte) { workOn(t, record) })
}

func oddRecords() []string {
	return []string{
		`{}`,
		`{"status":"Running"}`,
		`{"status":"Resting","seq":-1,"step":"nowhere"}`,
		`{"status":"Parked","cancelRequested":true,"dueAt":"0001-01-01T00:00:00Z"}`,
		`{"status":"Running","claim":{}}`,
		`{"status":"Running","claim":{"attemptId":"a","notAfter":"9999-12-31T23:59:59Z"},"deadline":"9999-12-31T23:59:59Z"}`,
		`{"status":"Running","seq":9223372036854775807,"attempts":2147483647,"setbacks":-3,"rescues":99}`,
		`{"status":"Failed","deadline":"0001-01-01T00:00:00Z","createdAt":"9999-12-31T23:59:59Z"}`,
		`{"status":"Running","lastError":{},"warnings":[""],"learned":{"":""},"tracking":{}}`,
		`{"status":"TimedOut","paused":true,"cancelRequested":true,"claim":{"attemptId":""}}`,
	}
}

func workOn(t *testing.T, record []byte) {
	t.Helper()
	var op operation.Operation
	if json.Unmarshal(record, &op) != nil {
		return
	}
	in := after(time.Minute)
	for _, seq := range []int64{op.Seq - 1, op.Seq, op.Seq + 1} {
		require.NotEmpty(t, op.Fence(operation.Delivery{Wakeup: operation.Wakeup{Seq: seq}, Count: 2}, in.Now))
	}
	op.Overdue(in.Now, in.Waits)
	for _, tr := range transitions() {
		next, ev := tr.do(op, in)
		if ev.WriteID == "" {
			continue // rejected
		}
		require.Equal(t, in.WriteID, next.WriteID, tr.name)
		require.Equal(t, next.Status, ev.Status, tr.name)
		if next.Status == operation.Parked && op.Status != operation.Parked {
			require.NotNil(t, next.LastError, "%s: the reason is missing", tr.name)
		}
	}
}

func written(t *testing.T, op operation.Operation) string {
	t.Helper()
	raw, err := json.Marshal(op)
	require.NoError(t, err)
	return string(raw)
}
