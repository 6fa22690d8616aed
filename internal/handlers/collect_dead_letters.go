package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
)

// Collector empties the dead-letter queues.
type Collector interface {
	Collect(context.Context) error
}

// CollectDeadLetters handles the timer that empties the dead-letter queues. The
// next run retries what failed.
func CollectDeadLetters(c Collector) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, c.Collect(ctx)
	}
}
