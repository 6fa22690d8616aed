package operation

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// NoticeKind is the kind of a notice.
type NoticeKind string

// The kinds of notices.
const (
	// NoticeStarted: the operation was accepted, or an operator retried it.
	NoticeStarted NoticeKind = "started"
	// NoticeSucceeded: the operation succeeded, with or without warnings.
	NoticeSucceeded NoticeKind = "succeeded"
	// NoticeFailed: the operation failed, or its deadline passed.
	NoticeFailed NoticeKind = "failed"
	// NoticeCanceled: an operator canceled the operation.
	NoticeCanceled NoticeKind = "canceled"
	// NoticeNeedsAttention: the operation is parked until an operator acts.
	NoticeNeedsAttention NoticeKind = "needs-attention"
	// NoticePaused and NoticeResumed: an operator paused or resumed the operation.
	NoticePaused  NoticeKind = "paused"
	NoticeResumed NoticeKind = "resumed"
)

// NoticeKinds lists every kind.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeStarted, NoticeSucceeded, NoticeFailed, NoticeCanceled, NoticeNeedsAttention, NoticePaused, NoticeResumed}
}

// Notice is a message about an operation for one receiver. It is saved together
// with the change that it reports and stays on the row until it was sent, so
// that a process that dies between the two loses nothing. It holds everything
// that a later retry of the operation could change: the same notice has the
// same content however often it is sent.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// To is the queue on which the request wants answers. It is empty for the
	// queue or topic that receives the notices of all operations.
	To string `json:"to,omitempty"`
	// Seq is the operation's seq that the notice reports.
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Status Status    `json:"status"`
	Step   string    `json:"step"`
	Round  int       `json:"round,omitempty"`
	JobID  string    `json:"jobId,omitempty"`
	Error  *Error    `json:"error,omitempty"`
	// Change distinguishes the notices of several pauses at one seq. It is empty for
	// other kinds, of which a seq has one.
	Change string `json:"change,omitempty"`
	// Cause holds who started, retried, canceled, paused or resumed the operation,
	// and why.
	Cause *Cause `json:"cause,omitempty"`
	// Warnings are the first of the operation's.
	Warnings []string `json:"warnings,omitempty"`
}

// ID returns the notice's ID. It is the same each time that the notice is sent.
// Only the copy for another receiver has the same ID.
func (n Notice) ID(operationID string) string {
	id := fmt.Sprintf("%s:%d:%s", operationID, n.Seq, n.Kind)
	if n.Change != "" {
		id += ":" + n.Change
	}
	return id
}

// same reports whether two notices are the same one.
func (n Notice) same(other Notice) bool {
	return n.Kind == other.Kind && n.Seq == other.Seq && n.To == other.To && n.Change == other.Change
}

// The maximum size of a notice's parts, in entries and bytes. A notice is on the
// operation's row until it is sent, and must fit a message.
const (
	maxNoticeWarnings = 10
	maxNoticeText     = 2000
	maxNoticeActions  = 10
	maxNoticeAction   = 1000
	// maxPauseNotices bounds the pending notices about pauses of one operation: an
	// operator may pause and resume it any number of times while the receiver is
	// unavailable.
	maxPauseNotices = 20
)

// forNotice returns a copy of the error that fits a notice.
func (e *Error) forNotice() *Error {
	if e == nil {
		return nil
	}
	short := *e
	short.Message = truncate(e.Message, maxNoticeText)
	short.RecommendedAction, short.Detail = nil, ""
	for _, a := range e.RecommendedAction[:min(len(e.RecommendedAction), maxNoticeActions)] {
		short.RecommendedAction = append(short.RecommendedAction, truncate(a, maxNoticeAction))
	}
	return &short
}

// truncate shortens a text to at most limit bytes, never within a character.
func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
