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
	mostNoticeWarnings  = 10
	longestNoticeText   = 2000
	mostNoticeActions   = 10
	longestNoticeAction = 1000
)

// Owing is the operation with the notices that its change from the status
// before makes it owe. everybody says whether there is a receiver for the
// notices of all operations.
func (op Operation) Owing(before Status, everybody bool) Operation {
	if op.Status == before {
		return op
	}
	switch op.Status {
	case Succeeded, SucceededWithWarnings:
		return op.owe(NoticeSucceeded, everybody)
	case Failed, TimedOut:
		return op.owe(NoticeFailed, everybody)
	case Canceled:
		return op.owe(NoticeCanceled, everybody)
	case Parked:
		return op.owe(NoticeNeedsAttention, everybody)
	case Pending, Running:
	}
	return op
}

// OwingStarted is the operation, accepted or retried just now, with the notices
// that tell so.
func (op Operation) OwingStarted(everybody bool) Operation { return op.owe(NoticeStarted, everybody) }

func (op Operation) owe(kind NoticeKind, everybody bool) Operation {
	n := Notice{
		Kind: kind, Seq: op.Seq, At: op.UpdatedAt, Status: op.Status, Step: op.Step, Round: op.Round,
		JobID: op.Learned["jobId"],
	}
	if op.Tracking != nil && op.Tracking.JobID != "" {
		n.JobID = op.Tracking.JobID
	}
	if kind != NoticeStarted {
		n.Error = op.LastError.shortened()
		for _, w := range op.Warnings[:min(len(op.Warnings), mostNoticeWarnings)] {
			n.Warnings = append(n.Warnings, cut(w, longestNoticeAction))
		}
	}
	owed := slices.Clone(op.Owed)
	if everybody {
		owed = append(owed, n)
	}
	if op.ReplyTo != "" {
		n.To = op.ReplyTo
		owed = append(owed, n)
	}
	op.Owed = owed
	return op
}

// NextOwed is the first notice that the operation owes, passing over those
// that were tried.
func (op Operation) NextOwed(tried []Notice) (n Notice, ok bool) {
	for _, n := range op.Owed {
		if !slices.ContainsFunc(tried, n.same) {
			return n, true
		}
	}
	return Notice{}, false
}

// Without is the operation without the notices given.
func (op Operation) Without(notices []Notice) Operation {
	if len(notices) == 0 {
		return op
	}
	op.Owed = slices.DeleteFunc(slices.Clone(op.Owed), func(n Notice) bool { return slices.ContainsFunc(notices, n.same) })
	if len(op.Owed) == 0 {
		op.Owed = nil
	}
	return op
}

// Told is the operation after notices were sent, and after others were given
// up because they could not be sent for too long. It stays at its seq. ok is
// false when that changes nothing.
func (op Operation) Told(sent, givenUp []Notice, at At) (next Operation, ev Event, ok bool) {
	next = op.clone().Without(sent).Without(givenUp)
	if len(next.Owed) == len(op.Owed) {
		return op, Event{}, false
	}
	next.WriteID, next.UpdatedAt = at.WriteID, at.Now
	var what []string
	if len(sent) > 0 {
		what = append(what, "notice sent: "+names(sent))
	}
	if len(givenUp) > 0 {
		what = append(what, "notice given up, it could not be sent: "+names(givenUp))
	}
	ev = next.event(strings.Join(what, "; "), at)
	ev.Err = nil
	return next, ev, true
}

// Settled reports whether the operation has ended and owes nothing: its live
// marker may go.
func (op Operation) Settled() bool { return op.Status.Terminal() && len(op.Owed) == 0 }

// OverdueNotice gives the number of the wake-up that the sweep should send now
// for a notice that is still owed, from 1: one every w.Overdue. ok is false
// while whoever made the operation owe it may still be sending it.
func (op Operation) OverdueNotice(now time.Time, w Waits) (wake int, ok bool) {
	if len(op.Owed) == 0 || w.Overdue <= 0 {
		return 0, false
	}
	wake = int(now.Sub(op.Owed[0].At) / w.Overdue)
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
	short.Message = cut(e.Message, longestNoticeText)
	short.RecommendedAction = nil
	for _, a := range e.RecommendedAction[:min(len(e.RecommendedAction), mostNoticeActions)] {
		short.RecommendedAction = append(short.RecommendedAction, cut(a, longestNoticeAction))
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
