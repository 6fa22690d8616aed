package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/operation"
)

// Reviver wakes the operation of a wake-up that was dead-lettered.
type Reviver interface {
	Revive(context.Context, operation.Wakeup) error
}

// DeadLetterSteps handles the dead-letter queue of `steps`: a wake-up that was
// delivered too often still means an operation that waits.
func DeadLetterSteps(engine Reviver) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		reason, description := inv.DeadLetterReason()
		log := customhandler.Logger(ctx).With("messageId", inv.MessageID(), "reason", reason, "description", description)
		w, err := readWakeup(inv)
		if err != nil {
			log.ErrorContext(ctx, "a dead-lettered message is no wake-up", "error", err)
			return customhandler.Result{}, nil
		}
		log.WarnContext(ctx, "a wake-up was dead-lettered", "op", w.OperationID, "seq", w.Seq)
		return customhandler.Result{}, engine.Revive(ctx, w)
	}
}
