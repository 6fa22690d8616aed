package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
)

// DeadLetterRequests handles the dead-letter queue of the queue requests. It
// rejects a request that was delivered too often, so that an operator sees it.
func DeadLetterRequests(a Acceptor) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, a.Accept(ctx, intake.DecodeDeadLetter(inv))
	}
}
