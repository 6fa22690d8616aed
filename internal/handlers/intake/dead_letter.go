package intake

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// rejectDeadLetter rejects a dead-lettered request, so that an operator sees it.
// If the request's operation exists, only the acknowledgement of the message was
// lost: the operation continues, and the sender gets no rejection.
//
// If the rejection cannot be recorded, Accept moves the request back to the
// queue requests with a mark and a delay. The dead-letter queue would redeliver
// it at once.
func (in *Intake) rejectDeadLetter(ctx context.Context, m Envelope) error {
	if m.Body == nil {
		in.cfg.Log.WarnContext(ctx, "dead-lettered request has no body", "messageId", m.MessageID, "error", m.err)
	}
	exists, err := in.exists(ctx, m)
	if err != nil {
		return err
	}
	if exists {
		err := in.start(ctx, m) // sends the first step message again
		if !IsPermanent(err) {
			return err
		}
	}
	err = fmt.Errorf("the request was dead-lettered: %s", m.deadLetterReason)
	return in.cfg.Rejecter.Reject(ctx, m.rejection(rejected.RequestsDeadLetters, m.Body, err))
}

// exists reports whether the operation of a request exists. It returns false
// for a bulk, whose targets are checked one by one at a replay, and for a
// request that is not valid.
func (in *Intake) exists(ctx context.Context, m Envelope) (bool, error) {
	if m.err != nil || request.IsBulk(m.content.Body) {
		return false, nil
	}
	req, err := m.request()
	if err != nil {
		return false, nil //nolint:nilerr // the caller rejects the request anyway
	}
	op, err := in.cfg.Engine.Prepare(req)
	if IsPermanent(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = in.cfg.Load(ctx, op.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
