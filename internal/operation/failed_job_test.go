package operation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnswered_FailEndsWhateverTheClass(t *testing.T) {
	t.Parallel()
	for _, class := range Classes() {
		op := Operation{Progress: Progress{Status: Running, Step: "await", Deadline: time.Unix(1e9, 0)}, AzureState: AzureState{Tracking: &Tracking{JobID: "j"}}}
		next, ev := op.Answered(Plan{"start", "await"}, Outcome{Kind: Fail, Next: "start", Err: &Error{Code: "c", Class: class}}, Input{Now: time.Unix(1, 0), Waits: NewWaits(1)})
		require.Equal(t, Failed, next.Status, class)
		require.Equal(t, class, next.LastError.Class)
		require.Equal(t, "start", next.RetryStep, "an operator's retry starts a new job")
		require.Equal(t, "j", next.Tracking.JobID)
		require.Zero(t, next.Setbacks)
		require.Equal(t, next.LastError, ev.Err)

	}
}
