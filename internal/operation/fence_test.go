package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestFence_DecidesWhatToDoWithADelivery(t *testing.T) {
	t.Parallel()
	canceled := func(op *operation.Operation) { op.CancelRequested = true }
	paused := func(op *operation.Operation) { op.Paused = true }
	parked := func(op *operation.Operation) { op.Status = operation.Parked }
	withClaim := func(op *operation.Operation) { op.Claim = claim() }
	pastDeadline := func(op *operation.Operation) { op.Deadline = start() }
	ended := func(s operation.Status) func(*operation.Operation) {
		return func(op *operation.Operation) { op.Status = s }
	}
	type changes []func(*operation.Operation)
	cases := []struct {
		name string
		// seq is the message's; the row is at 7.
		seq     int64
		count   int
		snoozes int
		row     changes
		want    operation.FenceResult
	}{
		{"the row's own message runs", 7, 1, 0, nil, operation.Run},
		{"a redelivery of the row's own message runs", 7, 4, 0, nil, operation.Run},
		{"a snoozed message runs", 7, 1, 3, nil, operation.Run},
		{"it runs after the deadline", 7, 1, 0, changes{pastDeadline}, operation.Run},
		{"it runs to honor a cancel", 7, 1, 0, changes{canceled}, operation.Run},

		{"a first delivery of the previous message is stale", 6, 1, 0, nil, operation.Stale},
		{"a second delivery of the previous message resends", 6, 2, 0, nil, operation.Resend},
		{"a snoozed delivery of the previous message resends", 6, 1, 1, nil, operation.Resend},
		{"older messages are stale at any count", 5, 9, 9, nil, operation.Stale},
		{"the previous message resends for a parked operation", 6, 2, 0, changes{parked}, operation.Resend},
		{"the previous message resends for a paused operation", 6, 2, 0, changes{paused}, operation.Resend},
		{"seq zero is stale", 0, 2, 0, nil, operation.Stale},

		{"a message that is ahead wakes the row", 8, 1, 0, nil, operation.Ahead},
		{"a message that is far ahead wakes the row", 1 << 40, 3, 0, changes{paused}, operation.Ahead},

		{"a parked operation idles", 7, 1, 0, changes{parked}, operation.Idle},
		{"a parked operation idles past its deadline", 7, 1, 0, changes{parked, pastDeadline}, operation.Idle},
		{"a parked operation runs to be canceled", 7, 1, 0, changes{parked, canceled}, operation.Run},
		{"a paused operation idles", 7, 1, 0, changes{paused}, operation.Idle},
		{"a paused operation runs to be canceled", 7, 1, 0, changes{paused, canceled}, operation.Run},
		{"a paused operation runs to reconcile a claim", 7, 1, 0, changes{paused, withClaim}, operation.Run},
		{"a paused operation runs to time out", 7, 1, 0, changes{paused, pastDeadline}, operation.Run},

		{"an ended operation is finalized", 7, 1, 0, changes{ended(operation.Succeeded)}, operation.Ended},
		{"an ended operation is finalized by an old message", 2, 1, 0, changes{ended(operation.Failed)}, operation.Ended},
		{"an ended operation is finalized by the previous message", 6, 2, 0, changes{ended(operation.SucceededWithWarnings)}, operation.Ended},
		{"an ended operation is finalized by a message ahead", 9, 1, 0, changes{ended(operation.TimedOut)}, operation.Ended},
		{"a canceled one is not canceled again", 7, 1, 0, changes{ended(operation.Canceled), canceled}, operation.Ended},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			op := running()
			for _, change := range c.row {
				change(&op)
			}
			d := operation.Delivery{Wakeup: operation.Wakeup{OperationID: op.ID, Seq: c.seq, Snoozes: c.snoozes}, Count: c.count}
			require.Equal(t, c.want, op.Fence(d, start().Add(time.Hour)))
		})
	}
}

// The first message may be redelivered after its operation has moved on, and
// there is no message with seq 0.
func TestFence_NewOperationRunsOnItsFirstMessageOnly(t *testing.T) {
	t.Parallel()
	op := running()
	op.Status, op.Seq = operation.Pending, 1
	for seq, want := range map[int64]operation.FenceResult{-1: operation.Stale, 0: operation.Stale, 1: operation.Run, 2: operation.Ahead} {
		d := operation.Delivery{Wakeup: operation.Wakeup{OperationID: op.ID, Seq: seq}, Count: 1}
		require.Equal(t, want, op.Fence(d, start()), "seq %d", seq)
	}
}

// A delivery merges the row of another writer into its own next version.
func TestMergeFlags_TakesOnlyNoticesForSentThatTheRowHad(t *testing.T) {
	t.Parallel()
	mine, row := running(), running()
	queued := func(kind operation.NoticeKind, seq int64, to string) operation.Notice {
		return operation.Notice{Kind: kind, Seq: seq, To: to}
	}
	kept := queued(operation.NoticeStarted, 7, "answers")
	fresh := queued(operation.NoticeSucceeded, 8, "")
	mine.Seq = 8
	mine.PendingNotices = []operation.Notice{queued(operation.NoticeStarted, 7, ""), kept, fresh}
	row.PendingNotices = []operation.Notice{kept}
	require.Equal(t, []operation.Notice{kept, fresh}, mine.MergeFlags(running(), row).PendingNotices,
		"the other writer sent the notice to the topic; the reply and the notice of the new seq were not sent")
	row.PendingNotices = nil
	require.Equal(t, []operation.Notice{fresh}, mine.MergeFlags(running(), row).PendingNotices, "the row never had the notice of the new seq")
}

func TestNotice_ReplyAndTopicAreSentEach(t *testing.T) {
	t.Parallel()
	op := running()
	op.ReplyTo = "answers"
	op.PendingNotices = nil
	op = op.QueueStarted(true)
	require.Len(t, op.PendingNotices, 2)
	topic, reply := op.PendingNotices[0], op.PendingNotices[1]
	require.Equal(t, []string{"", "answers"}, []string{topic.To, reply.To})

	next, ok := op.NextNotice([]operation.Notice{topic})
	require.True(t, ok)
	require.Equal(t, reply, next, "the notice to the topic does not stand for the reply")
	require.Equal(t, []operation.Notice{reply}, op.WithoutNotices([]operation.Notice{topic}).PendingNotices)
	require.Equal(t, []operation.Notice{topic}, op.WithoutNotices([]operation.Notice{reply}).PendingNotices)
}
