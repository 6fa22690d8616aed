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
	if err != nil {
		return err
	}
	if exists {
		err := in.start(ctx, m) // sends the first step message again
		if !IsPermanent(err) {
			return err
		}
	}
	rejection.At, rejection.Reschedules = m.EnqueuedAt, m.reschedules
	rejection.Err = fmt.Errorf("the request was dead-lettered: %s", reason)
	return in.cfg.Rejecter.Reject(ctx, rejection)
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
