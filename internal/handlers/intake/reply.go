package intake

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/rejected"
)

// Replies sends replies to the queue that a request names.
type Replies interface {
	// MayReply reports whether requests may name the queue.
	MayReply(queue string) bool
	// NotifyRejected sends the notice of a rejected request to the queue.
	NotifyRejected(ctx context.Context, queue string, r rejected.Request) error
}

// maxReplyAttempts limits the attempts to send a reply, to about four hours. The
// rejected request is recorded before the first attempt.
const maxReplyAttempts = 50

// maxReplyAge limits the attempts for a dead-lettered request, which is never
// rescheduled, to about the same time.
const maxReplyAge = 4 * time.Hour

// checkReplyTo rejects a reply queue that the settings do not allow: a request
// must not make the app write to an arbitrary queue.
func (r *Rejecter) checkReplyTo(queue string) error {
	if queue == "" || r.cfg.Replies != nil && r.cfg.Replies.MayReply(queue) {
		return nil
	}
	return invalid("replyTo", fmt.Sprintf("queue %q is not allowed for replies", Shorten(queue, maxName)),
		"no queue, or one that the setting AZBACKUPFLOW_REPLY_QUEUES lists")
}

// reply sends the rejection to the sender. A failure for a target of a bulk is only
// logged, because the rejection is recorded already.
func (r *Rejecter) reply(ctx context.Context, rejection Rejection, record rejected.Request) error {
	if rejection.ReplyTo == "" || r.cfg.Replies == nil {
		return nil
	}
	err := r.cfg.Replies.NotifyRejected(ctx, rejection.ReplyTo, record)
	if err != nil && (rejection.BulkTarget || rejection.Reschedules >= maxReplyAttempts) {
		r.cfg.Log.WarnContext(ctx, "reply abandoned", "messageId", record.MessageID, "queue", record.ReplyTo, "error", err)
		return nil
	}
	return err
}
