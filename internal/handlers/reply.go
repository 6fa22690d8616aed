package handlers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// Replies answers requests on the queue that they name. Its zero value answers
// none.
type Replies interface {
	// MayReply reports whether a request may ask for answers on the queue.
	MayReply(queue string) bool
	// NotifyRejected sends a rejected request to the queue.
	NotifyRejected(ctx context.Context, queue string, r rejected.Request) error
}

// Properties that a request that was put off has instead of the message's own.
const (
	originalReplyTo = "azbackupflow-reply-to"
	originalTime    = "azbackupflow-enqueued"
)

// mostAnswers is how often a refused request is put off because its answer
// cannot be sent: about four hours. It is recorded before the first time.
const mostAnswers = 50

// replyTo is the queue that the sender wants answers on.
func replyTo(inv customhandler.Invocation) string {
	if name, ok := inv.ApplicationProperty(originalReplyTo); ok {
		return name
	}
	return inv.ReplyTo()
}

// enqueued is when the request came first: a copy that was put off came later.
func enqueued(inv customhandler.Invocation) time.Time {
	if text, ok := inv.ApplicationProperty(originalTime); ok {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at
		}
	}
	return inv.EnqueuedTime()
}

// timesPutOff is how often the request was put off.
func timesPutOff(inv customhandler.Invocation) int {
	n := 0
	if text, ok := inv.ApplicationProperty(putOff); ok {
		n, _ = strconv.Atoi(strings.Trim(text, `"`))
	}
	return max(n, 0) // whoever sends a request may set any property
}

// checkReplyTo refuses a request that wants answers where nobody allows them:
// a request must not make the app write anywhere.
func (r Requests) checkReplyTo(inv customhandler.Invocation) error {
	to := replyTo(inv)
	if to == "" || r.Refuse.Replies != nil && r.Refuse.Replies.MayReply(to) {
		return nil
	}
	return &step.Invalid{Fields: []step.FieldError{{
		Field: "replyTo", Problem: fmt.Sprintf("%q is not a queue for answers", shorten(to, longestName)),
		Want: "none, or a queue of the app's Service Bus namespace that its setting AZBACKUPFLOW_REPLY_QUEUES names",
	}}}
}

// answer tells the sender of a request that it was refused.
func (r Refuser) answer(ctx context.Context, refused Refused, refusal rejected.Request) error {
	if refused.ReplyTo == "" || r.Replies == nil {
		return nil
	}
	err := r.Replies.NotifyRejected(ctx, refused.ReplyTo, refusal)
	if err != nil && refused.PutOff >= mostAnswers {
		r.Log.WarnContext(ctx, "the answer to a refused request is given up", "messageId", refusal.MessageID, "queue", refused.ReplyTo, "error", err)
		return nil
	}
	return err
}
