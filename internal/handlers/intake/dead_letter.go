package intake

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/request"
)

// acceptDeadLetter handles a dead-lettered request. If the request's operation
// exists, only the acknowledgement of the message was lost: the operation
// continues, and the sender gets no rejection. Any other request is rejected, so
// that an operator sees it. After an error the message stays in its dead-letter
// queue.
func (in *Intake) acceptDeadLetter(ctx context.Context, m Envelope, reason string, rejection Rejection) error {
	m, err := m.verified(ctx, in.cfg.Sealer)
	if err != nil {
		return err
	}
	exists, err := in.exists(ctx, m)
	if exists {
		err = in.start(ctx, m) // sends the first step message again
		if err == nil {
			return nil
		}
	}
	if err != nil && !IsPermanent(err) {
		return err
	}
	rejection.At, rejection.Reschedules = m.EnqueuedAt, m.reschedules
	if in.cfg.Now().Sub(m.EnqueuedAt) > maxReplyAge {
		rejection.Reschedules = maxReplyAttempts // this attempt to reply is the last
	}
	rejection.Err = fmt.Errorf("the request was dead-lettered: %s", reason)
	if err != nil {
		rejection.Err = fmt.Errorf("the request was dead-lettered: %s; %w", reason, err)
	}
	return in.cfg.Rejecter.Reject(ctx, rejection)
}

// exists reports whether the operation of a request exists. It returns false
// for a bulk, whose targets are checked one by one at a replay. Its error is
// permanent for a request that is not valid.
func (in *Intake) exists(ctx context.Context, m Envelope) (bool, error) {
	if m.err != nil || request.IsBulk(m.content.Body) {
		return false, m.err
	}
	req, err := m.request()
	if err != nil {
		return false, err
	}
	op, err := in.cfg.Engine.Prepare(req)
	if IsPermanent(err) {
		// It may have been valid when it arrived. Start creates nothing for it, and
		// finds its operation.
		_, _, err = in.cfg.Engine.Start(ctx, req, m.origin(req.Reason))
		return err == nil, err
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
