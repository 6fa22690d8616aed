package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
)

// StepRunner runs the step that a wake-up is for.
type StepRunner interface {
	RunStep(context.Context, operation.Delivery) error
}

// RunStep handles the queue steps. It runs one step of one operation.
func RunStep(engine StepRunner) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		w, err := decodeWakeup(inv)
		if err != nil {
			// Only the engine sends to this queue, and the sweep wakes the operation
			// of a damaged message. A redelivery would not help.
			customhandler.Logger(ctx).ErrorContext(ctx, "message is not a wake-up", "queue", "steps", "messageId", inv.MessageID(), "error", err)
			return customhandler.Result{}, nil
		}
		return customhandler.Result{}, engine.RunStep(ctx, operation.Delivery{Wakeup: w, Count: max(inv.DeliveryCount(), 1)})
	}
}

func decodeWakeup(inv customhandler.Invocation) (operation.Wakeup, error) {
	var w operation.Wakeup
	body, err := inv.Payload(intake.Binding)
	if err != nil {
		return w, fmt.Errorf("read the message: %w", err)
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return w, fmt.Errorf("decode the message: %w", err)
	}
	if w.OperationID == "" || w.Seq < 1 {
		return w, errors.New("the message has no operation id or seq")
	}
	if w.TraceParent == "" {
		w.TraceParent = inv.Trace
	}
	return w, nil
}

// CarriedTrace returns the W3C trace context of the operation that a wake-up is
// for. It returns an empty string for every other invocation.
func CarriedTrace(inv customhandler.Invocation) string {
	body, err := inv.Payload(intake.Binding)
	if err != nil {
		return ""
	}
	var w operation.Wakeup
	if json.Unmarshal(body, &w) != nil || w.OperationID == "" {
		return ""
	}
	return w.TraceParent
}
