package handlers

import (
	"context"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// StepRunner runs the step that a wake-up is for.
type StepRunner interface {
	RunStep(context.Context, operation.Delivery) error
}

// Rejecter rejects requests that can never work.
type Rejecter interface {
	Reject(context.Context, intake.Rejection) error
}

// RunStep handles the queue steps. It runs one step of one operation. It rejects
// any other message, such as a request that was sent to the wrong queue, so that
// an operator sees it.
func RunStep(engine StepRunner, rejecter Rejecter) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		body, err := inv.Payload(intake.Binding)
		var w operation.Wakeup
		if err == nil {
			w, err = intake.DecodeWakeup(body)
		}
		if err != nil {
			m := intake.Decode(inv)
			return customhandler.Result{}, rejecter.Reject(ctx, intake.Rejection{
				Source: rejected.Steps, MessageID: m.MessageID, At: m.EnqueuedAt, Body: body,
				Err: fmt.Errorf("the message on the queue steps is not a wake-up: %w", err),
			})
		}
		if w.TraceParent == "" {
			w.TraceParent = inv.Trace
		}
		return customhandler.Result{}, engine.RunStep(ctx, operation.Delivery{Wakeup: w, Count: max(inv.DeliveryCount(), 1)})
	}
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
