// Package handlers holds the functions of the app that receive an invocation
// envelope, one file for each function. A handler decodes its trigger, calls one
// package, and returns its error. Package customhandler documents what the
// host does with the result.
//
// Two packages below it do the work of the ways in: intake for requests from
// queues, httpapi for the function api. The package must not know how steps run,
// which flows exist, or how records are stored.
package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers/intake"
)

// Acceptor accepts requests from the queue requests.
type Acceptor interface {
	Accept(context.Context, intake.Envelope) error
}

// StartOperation handles the queue requests. A message is a request or a bulk of
// requests, bare or as the data of a CloudEvent.
func StartOperation(a Acceptor) customhandler.Handler {
	return func(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, a.Accept(ctx, intake.Decode(inv))
	}
}
