package operation_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestQueueNotice_EachEndHasOne(t *testing.T) {
	t.Parallel()
	for status, want := range map[operation.Status]operation.NoticeKind{
		operation.Pending: "", operation.Running: "",
		operation.Succeeded: operation.NoticeSucceeded, operation.SucceededWithWarnings: operation.NoticeSucceeded,
		operation.Failed: operation.NoticeFailed, operation.TimedOut: operation.NoticeFailed,
		operation.Canceled: operation.NoticeCanceled, operation.Parked: operation.NoticeNeedsAttention,
	} {
		for _, replyTo := range []string{"", "answers"} {
			op := running()
			op.Status, op.ReplyTo = status, replyTo
			var kinds []operation.NoticeKind
			var receivers []string
			for _, n := range op.QueueNotice("another", true).PendingNotices {
				kinds, receivers = append(kinds, n.Kind), append(receivers, n.To)
			}
			switch {
			case want == "":
				require.Empty(t, kinds, status)
			case replyTo == "":
				require.Equal(t, []operation.NoticeKind{want}, kinds, status)
			default:
				require.Equal(t, []operation.NoticeKind{want, want}, kinds, status)
				require.Equal(t, []string{"", "answers"}, receivers)
			}
			require.Empty(t, op.QueueNotice(status, true).PendingNotices, "the status is the same")
		}
	}
}

func TestQueueNotice_HoldsAShortError(t *testing.T) {
	t.Parallel()
	op := running()
	op.Status = operation.Failed
	op.LastError = &operation.Error{
		Code: "X", Class: operation.Fatal, Detail: "a dump", Message: strings.Repeat("ü", 1500),
		RecommendedAction: []string{strings.Repeat("x", 5000)},
	}
	got := op.QueueNotice(operation.Running, true).PendingNotices[0].Error
	require.Equal(t, "X", got.Code)
	require.Empty(t, got.Detail)
	require.LessOrEqual(t, len(got.Message), 2003)
	require.True(t, utf8.ValidString(got.Message))
	odd := op
	odd.LastError = &operation.Error{Message: "x" + strings.Repeat("ü", 1500)}
	require.True(t, utf8.ValidString(odd.QueueNotice(operation.Running, true).PendingNotices[0].Error.Message))
	require.LessOrEqual(t, len(got.RecommendedAction[0]), 1003)
}

// An operation may fail twice. The second notice is not the first one.
func TestNotices_OfTwoRoundsDiffer(t *testing.T) {
	t.Parallel()
	op := running()
	op.Status = operation.Failed
	op = op.QueueNotice(operation.Running, true)
	first := op.PendingNotices[0]
	op.Seq++
	op = op.QueueNotice(operation.Running, true)
	require.Len(t, op.PendingNotices, 2)
	next, ok := op.NextNotice([]operation.Notice{first})
	require.True(t, ok)
	require.Equal(t, first.Seq+1, next.Seq)
	require.NotEqual(t, first.ID("op"), next.ID("op"))
	require.Len(t, op.WithoutNotices([]operation.Notice{first}).PendingNotices, 1)
}

func TestOverdueNotice_IsNotOneThatIsBeingSent(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	op := running()
	_, overdue := op.OverdueNotice(start().Add(time.Hour), w)
	require.False(t, overdue)
	op.PendingNotices = []operation.Notice{{Kind: operation.NoticeStarted, At: start()}}
	_, overdue = op.OverdueNotice(start().Add(w.Overdue-1), w)
	require.False(t, overdue)
	number, overdue := op.OverdueNotice(start().Add(3*w.Overdue), w)
	require.True(t, overdue)
	require.Equal(t, 3, number)
}

func TestMatches_UntilIsNotIncluded(t *testing.T) {
	t.Parallel()
	op := running()
	require.True(t, operation.Query{Since: start(), Until: start().Add(1)}.Matches(op))
	require.False(t, operation.Query{Until: start()}.Matches(op))
	require.False(t, operation.Query{Labels: []operation.Label{{Key: "area"}}}.Matches(op), "it has no such label")
}

func TestFollowing_IsWorkThatAzureDoes(t *testing.T) {
	t.Parallel()
	op := running()
	require.False(t, op.Following())
	op.Tracking = &operation.Tracking{JobID: "j"}
	require.True(t, op.Following())
}
