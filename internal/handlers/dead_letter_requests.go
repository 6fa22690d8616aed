package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// DeadLettered handles the dead-letter queue of `requests`: a request that was
// delivered too often is refused like one that is wrong, so that it is seen.
// While it cannot be refused, because the table is away, it goes back to the
// queue with a mark, for later: the dead-letter queue would deliver it again at
// once.
func (r Requests) DeadLettered(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
	reason, description := inv.DeadLetterReason()
	why := strings.TrimSpace(reason + " " + description)
	raw, err := inv.Payload(binding)
	if err != nil {
		customhandler.Logger(ctx).WarnContext(ctx, "a dead-lettered request has no body", "messageId", inv.MessageID(), "error", err)
	}
	messageID := inv.MessageID()
	if id, ok := inv.ApplicationProperty(originalID); ok {
		messageID = id
	}
	if err := r.refuseDead(ctx, inv, messageID, raw, why); err != nil {
		customhandler.Logger(ctx).WarnContext(ctx, "a dead-lettered request cannot be refused now, trying later", "messageId", messageID, "error", err)
		return customhandler.Result{}, r.later(ctx, inv, messageID, raw, map[string]any{deadLettered: why})
	}
	return customhandler.Result{}, nil
}

// refuseDead refuses a request that was dead-lettered. One whose operation is
// there was taken, and only not acknowledged: it goes on, and its sender is not
// told otherwise.
func (r Requests) refuseDead(ctx context.Context, inv customhandler.Invocation, messageID string, raw []byte, why string) error {
	taken, err := r.taken(ctx, messageID, raw)
	if err != nil {
		return err
	}
	if taken {
		err := r.start(ctx, inv, messageID, raw) // sends the first message again
		if !permanent(err) {
			return err
		}
	}
	return r.Refuse.Refuse(ctx, Refused{
		Source: rejected.RequestsDeadLetters, MessageID: messageID, At: enqueued(inv), Body: raw, ReplyTo: replyTo(inv), PutOff: timesPutOff(inv),
		Err: fmt.Errorf("the request was dead-lettered: %s", why),
	})
}

// taken reports whether the operation that a request asks for is there. Of a
// bulk nobody can tell: its targets are looked at one by one where it is sent
// again.
func (r Requests) taken(ctx context.Context, messageID string, raw []byte) (bool, error) {
	content, err := request.Unwrap(raw)
	if err != nil || request.IsBulk(content.Body) {
		return false, nil //nolint:nilerr // it is refused for that
	}
	req, err := read(content.Body, keyOf(content, messageID))
	if err != nil {
		return false, nil //nolint:nilerr // it is refused for that
	}
	op, err := r.Engine.Prepare(req)
	if permanent(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = r.Load(ctx, op.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
