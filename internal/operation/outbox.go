package operation

import (
	"slices"
	"strings"
	"time"
)

// QueueNotice returns the operation with the notices for its change from the
// status before. broadcast says whether there is a receiver for the notices of
// all operations.
func (op Operation) QueueNotice(before Status, broadcast bool) Operation {
	if op.Status == before {
		return op
	}
	switch op.Status {
	case Succeeded, SucceededWithWarnings:
		return op.queue(NoticeSucceeded, broadcast)
	case Failed, TimedOut:
		return op.queue(NoticeFailed, broadcast)
	case Canceled:
		return op.queue(NoticeCanceled, broadcast)
	case Parked:
		return op.queue(NoticeNeedsAttention, broadcast)
	case Pending, Running:
	}
	return op
}

// QueueStarted returns a newly accepted or retried operation with the notices
// that report its start.
func (op Operation) QueueStarted(broadcast bool) Operation { return op.queue(NoticeStarted, broadcast) }

// QueuePaused returns an operation that an operator has just paused or resumed, with
// the notices that report this. The newest ones stay if there are too many: they
// tell whether the operation is paused.
func (op Operation) QueuePaused(by Cause, broadcast bool) Operation {
	n := op.notice(NoticeResumed)
	if op.Paused {
		n.Kind = NoticePaused
	}
	n.Change = op.WriteID
	if by.Actor.Kind != "" {
		n.Cause = &by
	}
	op = op.deliver(n, broadcast)
	extra := -maxPauseNotices
	for _, n := range op.PendingNotices {
		if n.Change != "" {
			extra++
		}
	}
	op.PendingNotices = slices.DeleteFunc(op.PendingNotices, func(n Notice) bool {
		drop := n.Change != "" && extra > 0
		if drop {
			extra--
		}
		return drop
	})
	return op
}

// notice returns a notice about the operation as it is.
func (op Operation) notice(kind NoticeKind) Notice {
	n := Notice{
		Kind: kind, Seq: op.Seq, At: op.UpdatedAt, Status: op.Status, Step: op.Step, Round: op.Round,
		JobID: op.Learned["jobId"],
	}
	if op.Tracking != nil && op.Tracking.JobID != "" {
		n.JobID = op.Tracking.JobID
	}
	return n
}

func (op Operation) queue(kind NoticeKind, broadcast bool) Operation {
	n := op.notice(kind)
	n.Cause = op.noticeCause(kind)
	if kind != NoticeStarted {
		n.Error = op.LastError.forNotice()
		for _, w := range op.Warnings[:min(len(op.Warnings), maxNoticeWarnings)] {
			n.Warnings = append(n.Warnings, truncate(w, maxNoticeAction))
		}
	}
	return op.deliver(n, broadcast)
}

// deliver returns the operation with a notice pending for each of its receivers.
func (op Operation) deliver(n Notice, broadcast bool) Operation {
	pending := slices.Clone(op.PendingNotices)
	if broadcast {
		pending = append(pending, n)
	}
	if op.ReplyTo != "" {
		n.To = op.ReplyTo
		pending = append(pending, n)
	}
	op.PendingNotices = pending
	return op
}

// noticeCause returns the cause that a notice reports; nil if there is none.
func (op Operation) noticeCause(kind NoticeKind) *Cause {
	var c Cause
	switch kind {
	case NoticeStarted:
		c = op.Cause
		if op.Status != Pending { // an operator retried it
			c = op.RetryCause
		}
	case NoticeCanceled:
		c = op.CancelCause
	case NoticeSucceeded, NoticeFailed, NoticeNeedsAttention, NoticePaused, NoticeResumed:
	}
	if c.Actor.Kind == "" {
		return nil
	}
	return &c
}

// NextNotice returns the first pending notice that is not among the attempted
// ones.
func (op Operation) NextNotice(attempted []Notice) (n Notice, ok bool) {
	for _, n := range op.PendingNotices {
		if !slices.ContainsFunc(attempted, n.same) {
			return n, true
		}
	}
	return Notice{}, false
}

// WithoutNotices returns the operation without the given notices.
func (op Operation) WithoutNotices(notices []Notice) Operation {
	if len(notices) == 0 {
		return op
	}
	op.PendingNotices = slices.DeleteFunc(slices.Clone(op.PendingNotices), func(n Notice) bool { return slices.ContainsFunc(notices, n.same) })
	if len(op.PendingNotices) == 0 {
		op.PendingNotices = nil
	}
	return op
}

// NoticesSent returns the operation after some notices were sent and others
// were dropped because they could not be sent in time. Seq stays the same. ok
// is false if nothing changes.
func (op Operation) NoticesSent(sent, dropped []Notice, in Input) (next Operation, ev Event, ok bool) {
	next = op.clone().WithoutNotices(sent).WithoutNotices(dropped)
	if len(next.PendingNotices) == len(op.PendingNotices) {
		return op, Event{}, false
	}
	next.WriteID, next.UpdatedAt = in.WriteID, in.Now
	var what []string
	if len(sent) > 0 {
		what = append(what, "notice sent: "+noticeNames(sent))
	}
	if len(dropped) > 0 {
		what = append(what, "notice dropped because it could not be sent: "+noticeNames(dropped))
	}
	ev = next.event(strings.Join(what, "; "), in)
	ev.Err = nil
	return next, ev, true
}

// ReadyToFinalize reports whether the operation has ended and has no pending
// notices, so that its live marker may be removed.
func (op Operation) ReadyToFinalize() bool {
	return op.Status.Terminal() && len(op.PendingNotices) == 0
}

// OverdueNotice returns the number of the wake-up that the sweep should send
// now for a pending notice, counted from 1: one every w.Overdue. ok is false
// while the delivery that queued the notice may still be sending it.
func (op Operation) OverdueNotice(now time.Time, w Waits) (number int, ok bool) {
	if len(op.PendingNotices) == 0 || w.Overdue <= 0 {
		return 0, false
	}
	number = int(now.Sub(op.PendingNotices[0].At) / w.Overdue)
	return number, number > 0
}

func noticeNames(notices []Notice) string {
	var all []string
	for _, n := range notices {
		name := string(n.Kind)
		if n.To != "" {
			name += " to " + n.To
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}
