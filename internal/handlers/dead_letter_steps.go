package handlers

import (
	"context"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// Waker wakes the operation of a wake-up that was dead-lettered.
type Waker interface {
	WakeDeadLettered(context.Context, operation.Wakeup) error
}

// DeadLetterSteps handles the dead-letter queue of `steps`: a wake-up that was
// delivered too often still means an operation that waits. What is no wake-up is
// refused, so that a person sees it.
func DeadLetterSteps(engine Waker, refuse Refuser) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		reason, description := inv.DeadLetterReason()
		log := customhandler.Logger(ctx).With("messageId", inv.MessageID(), "reason", reason, "description", description)
		w, err := readWakeup(inv)
		if err != nil {
			raw, _ := inv.Payload(binding) // what cannot be read is recorded empty
			return customhandler.Result{}, refuse.Refuse(ctx, Refused{
				Source: rejected.StepsDeadLetters, MessageID: inv.MessageID(), At: inv.EnqueuedTime(), Body: raw,
				Err: fmt.Errorf("the message is no wake-up: %w", err),
			})
		}
		log.WarnContext(ctx, "a wake-up was dead-lettered", "op", w.OperationID, "seq", w.Seq)
		return customhandler.Result{}, engine.WakeDeadLettered(ctx, w)
	}
}
