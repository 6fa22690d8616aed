package handlers

import (
	"context"
	"errors"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// EventEvaluator decides whether the resource of an event gets protected.
type EventEvaluator interface {
	HandleEvent(ctx context.Context, raw []byte, trace string) error
}

// eventBinding is the name of the event in function.json.
const eventBinding = "event"

// ProtectNewResource handles events of Event Grid. It rejects an event that is
// not valid, without its content, because the content names the user and their
// address. After any other failure Event Grid delivers the event again for
// a day, at growing intervals.
func ProtectNewResource(e EventEvaluator, rejecter Rejecter) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		raw, err := inv.Payload(eventBinding)
		if err != nil {
			err = &step.Invalid{Fields: []step.FieldError{{Field: "event", Problem: "is missing", Want: "one event"}}}
		} else {
			err = e.HandleEvent(ctx, raw, inv.Trace)
		}
		var invalid *step.Invalid
		if !errors.As(err, &invalid) {
			return customhandler.Result{}, err
		}
		event, _ := autoprotect.ParseEvent(raw) // for its id and time, if it has them
		id := event.ID
		if id == "" {
			id = inv.ID
		}
		return customhandler.Result{}, rejecter.Reject(ctx, intake.Rejection{Source: rejected.Events, MessageID: id, At: event.Time, Err: invalid})
	}
}
