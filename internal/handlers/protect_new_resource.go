package handlers

import (
	"context"
	"errors"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// ProtectionEvaluator protects resources by rules.
type ProtectionEvaluator interface {
	HandleEvent(ctx context.Context, raw []byte, trace string) error
	Sweep(ctx context.Context) error
}

// eventBinding is the name of the binding in function.json.
const eventBinding = "event"

// ProtectNewResource handles events of Event Grid. An event that cannot be
// read is refused, without its content, which tells who did what from where.
// After any other failure the event comes again: Event Grid delivers it for a
// day, in growing intervals.
func ProtectNewResource(e ProtectionEvaluator, refuse Refuser) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		raw, err := inv.Payload(eventBinding)
		if err != nil {
			err = &step.Invalid{Fields: []step.FieldError{{Field: "event", Problem: "is missing", Want: "one event"}}}
		} else {
			err = e.HandleEvent(ctx, raw, inv.Trace)
		}
		var invalid *step.Invalid
		if errors.As(err, &invalid) {
			event, _ := autoprotect.ParseEvent(raw) // its id, where it has one
			id := event.ID
			if id == "" {
				id = inv.ID
			}
			err = refuse.Refuse(ctx, Refused{Source: rejected.Events, MessageID: id, Err: invalid})
		}
		return customhandler.Result{}, err
	}
}

// SweepResources handles the hourly timer that looks for what no event
// announced. What fails is tried again an hour later.
func SweepResources(e ProtectionEvaluator) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, e.Sweep(ctx)
	}
}
