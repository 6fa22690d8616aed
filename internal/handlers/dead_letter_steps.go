package handlers

import (
	"context"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// Waker wakes the operation of a dead-lettered wake-up.
type Waker interface {
	WakeDeadLettered(context.Context, operation.Wakeup) error
}

// Rejecter rejects requests that can never work.
type Rejecter interface {
	Reject(context.Context, intake.Rejection) error
}

// DeadLetterSteps handles the dead-letter queue of the queue steps. It wakes the
// operation of a wake-up that was delivered too often, because the operation
// still waits. It rejects any other message, so that an operator sees it.
func DeadLetterSteps(engine Waker, rejecter Rejecter) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		w, err := decodeWakeup(inv)
		if err != nil {
			body, _ := inv.Payload(intake.Binding) // an unreadable body is recorded as empty
			return customhandler.Result{}, rejecter.Reject(ctx, intake.Rejection{
				Source: rejected.StepsDeadLetters, MessageID: inv.MessageID(), At: inv.EnqueuedTime(), Body: body,
				Err: fmt.Errorf("the message is not a wake-up: %w", err),
			})
		}
		reason, description := inv.DeadLetterReason()
		customhandler.Logger(ctx).WarnContext(ctx, "wake-up dead-lettered",
			"messageId", inv.MessageID(), "reason", reason, "description", description, "op", w.OperationID, "seq", w.Seq)
		return customhandler.Result{}, engine.WakeDeadLettered(ctx, w)
	}
}
