package operation

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// NoticeKind says what a notice tells.
type NoticeKind string

// The kinds of notices.
const (
	// NoticeStarted: the operation was accepted, or set going again by a
	// person.
	NoticeStarted NoticeKind = "started"
	// NoticeSucceeded: what was asked for is done, with warnings or without.
	NoticeSucceeded NoticeKind = "succeeded"
	// NoticeFailed: it failed for good, or its deadline passed.
	NoticeFailed NoticeKind = "failed"
	// NoticeCanceled: a person canceled it.
	NoticeCanceled NoticeKind = "canceled"
	// NoticeNeedsAttention: it is parked until a person has looked at it.
	NoticeNeedsAttention NoticeKind = "needs-attention"
)

// NoticeKinds lists every kind.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeStarted, NoticeSucceeded, NoticeFailed, NoticeCanceled, NoticeNeedsAttention}
}

// Notice is a message about an operation that is owed to one receiver. It is
// saved together with what it tells of, and stays on the row until it was sent:
// a process that dies between the two loses nothing. It holds what may be
// different when it is sent, because a person retried the operation meanwhile:
// the same notice says the same however often it is sent.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// To is the queue that the request wants answers on; empty for the queue
	// or topic that gets the notices of all operations.
	To string `json:"to,omitempty"`
	// Seq is the operation's seq that the notice tells of.
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Status Status    `json:"status"`
	Step   string    `json:"step"`
	Round  int       `json:"round,omitempty"`
	JobID  string    `json:"jobId,omitempty"`
	Error  *Error    `json:"error,omitempty"`
	// Warnings are the first of the operation's.
	Warnings []string `json:"warnings,omitempty"`
}

// ID is the same each time that the notice is sent, and no other notice has
// it, but for the copy that another receiver is owed.
func (n Notice) ID(operationID string) string {
	return fmt.Sprintf("%s:%d:%s", operationID, n.Seq, n.Kind)
}

// same reports whether two notices are one.
func (n Notice) same(other Notice) bool {
	return n.Kind == other.Kind && n.Seq == other.Seq && n.To == other.To
}

// How much a notice holds: it is on the operation's row until it is sent, and
// must fit a message.
const (
	maxNoticeWarnings = 10
	maxNoticeText     = 2000
	maxNoticeActions  = 10
	maxNoticeAction   = 1000
)

// Owing is the operation with the notices that its change from the status
// before makes it owe. everybody says whether there is a receiver for the
// notices of all operations.
func (op Operation) QueueNotice(before Status, everybody bool) Operation {
	if op.Status == before {
		return op
	}
	switch op.Status {
	case Succeeded, SucceededWithWarnings:
		return op.queue(NoticeSucceeded, everybody)
	case Failed, TimedOut:
		return op.queue(NoticeFailed, everybody)
	case Canceled:
		return op.queue(NoticeCanceled, everybody)
	case Parked:
		return op.queue(NoticeNeedsAttention, everybody)
	case Pending, Running:
	}
	return op
}

// OwingStarted is the operation, accepted or retried just now, with the notices
// that tell so.
func (op Operation) QueueStarted(everybody bool) Operation { return op.queue(NoticeStarted, everybody) }

func (op Operation) queue(kind NoticeKind, everybody bool) Operation {
	n := Notice{
		Kind: kind, Seq: op.Seq, At: op.UpdatedAt, Status: op.Status, Step: op.Step, Round: op.Round,
		JobID: op.Learned["jobId"],
	}
	if op.Tracking != nil && op.Tracking.JobID != "" {
		n.JobID = op.Tracking.JobID
	}
	if kind != NoticeStarted {
		n.Error = op.LastError.shortened()
		for _, w := range op.Warnings[:min(len(op.Warnings), maxNoticeWarnings)] {
			n.Warnings = append(n.Warnings, cut(w, maxNoticeAction))
		}
	}
	owed := slices.Clone(op.PendingNotices)
	if everybody {
		owed = append(owed, n)
	}
	if op.ReplyTo != "" {
		n.To = op.ReplyTo
		owed = append(owed, n)
	}
	op.PendingNotices = owed
	return op
}

// NextOwed is the first notice that the operation owes, passing over those
// that were tried.
func (op Operation) NextNotice(tried []Notice) (n Notice, ok bool) {
	for _, n := range op.PendingNotices {
		if !slices.ContainsFunc(tried, n.same) {
			return n, true
		}
	}
	return Notice{}, false
}

// Without is the operation without the notices given.
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

// Told is the operation after notices were sent, and after others were given
// up because they could not be sent for too long. It stays at its seq. ok is
// false when that changes nothing.
func (op Operation) NoticesSent(sent, givenUp []Notice, in Input) (next Operation, ev Event, ok bool) {
	next = op.clone().WithoutNotices(sent).WithoutNotices(givenUp)
	if len(next.PendingNotices) == len(op.PendingNotices) {
		return op, Event{}, false
	}
	next.WriteID, next.UpdatedAt = in.WriteID, in.Now
	var what []string
	if len(sent) > 0 {
		what = append(what, "notice sent: "+names(sent))
	}
	if len(givenUp) > 0 {
		what = append(what, "notice given up, it could not be sent: "+names(givenUp))
	}
	ev = next.event(strings.Join(what, "; "), in)
	ev.Err = nil
	return next, ev, true
}

// Settled reports whether the operation has ended and owes nothing: its live
// marker may go.
func (op Operation) ReadyToFinalize() bool {
	return op.Status.Terminal() && len(op.PendingNotices) == 0
}

// OverdueNotice gives the number of the wake-up that the sweep should send now
// for a notice that is still owed, from 1: one every w.Overdue. ok is false
// while whoever made the operation owe it may still be sending it.
func (op Operation) OverdueNotice(now time.Time, w Waits) (wake int, ok bool) {
	if len(op.PendingNotices) == 0 || w.Overdue <= 0 {
		return 0, false
	}
	wake = int(now.Sub(op.PendingNotices[0].At) / w.Overdue)
	return wake, wake > 0
}

func names(notices []Notice) string {
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

// shortened is the error as a notice holds it.
func (e *Error) shortened() *Error {
	if e == nil {
		return nil
	}
	short := *e
	short.Message = cut(e.Message, maxNoticeText)
	short.RecommendedAction = nil
	for _, a := range e.RecommendedAction[:min(len(e.RecommendedAction), maxNoticeActions)] {
		short.RecommendedAction = append(short.RecommendedAction, cut(a, maxNoticeAction))
	}
	return &short
}

// cut shortens a text to at most so many bytes, never within a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
