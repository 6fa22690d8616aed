package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
)

// ResourceSweeper checks all resources that rules may protect.
type ResourceSweeper interface {
	Sweep(ctx context.Context) error
}

// SweepResources handles the hourly timer that finds resources without an event.
// The next hour retries what failed.
func SweepResources(s ResourceSweeper) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, s.Sweep(ctx)
	}
}
