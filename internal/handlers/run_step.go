// Package handlers holds the functions of the app, one file each: it decodes
// what triggered the function, calls the engine, and answers. What a 2xx or
// another answer does to a message is said in package customhandler.
package handlers

import (
	"context"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/operation"
)

// binding is the name of the message in function.json.
const binding = "message"

// StepRunner works on one delivery of a wake-up.
type StepRunner interface {
	RunStep(context.Context, operation.Delivery) error
}

// RunStep handles the queue `steps`: it runs one step of one operation.
func RunStep(engine StepRunner) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		w, err := readWakeup(inv)
		if err != nil {
			// Nobody but the engine sends here: what cannot be read is no
			// operation's, and the sweep wakes the operation that it was for.
			customhandler.Logger(ctx).ErrorContext(ctx, "a message on the queue steps is no wake-up", "messageId", inv.MessageID(), "error", err)
			return customhandler.Result{}, nil
		}
		return customhandler.Result{}, engine.RunStep(ctx, operation.Delivery{Wakeup: w, Count: max(inv.DeliveryCount(), 1)})
	}
}

func readWakeup(inv customhandler.Invocation) (operation.Wakeup, error) {
	var w operation.Wakeup
	raw, err := inv.Payload(binding)
	if err != nil {
		return w, fmt.Errorf("read the message: %w", err)
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return w, fmt.Errorf("read the message: %w", err)
	}
	if w.OperationID == "" || w.Seq < 1 {
		return w, fmt.Errorf("the message names no operation")
	}
	if w.TraceParent == "" {
		w.TraceParent = inv.Trace
	}
	return w, nil
}

// CarriedTrace is the W3C trace context of the operation that a wake-up is for;
// empty for every other invocation.
func CarriedTrace(inv customhandler.Invocation) string {
	raw, err := inv.Payload(binding)
	if err != nil {
		return ""
	}
	var w operation.Wakeup
	if json.Unmarshal(raw, &w) != nil || w.OperationID == "" {
		return ""
	}
	return w.TraceParent
}
