package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
)

// Ticker checks all schedules once.
type Ticker interface {
	Tick(context.Context) error
}

// ScheduleBackups handles the timer that fires each minute. It starts due
// operations; the next minute retries what failed.
func ScheduleBackups(schedules Ticker) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, schedules.Tick(ctx)
	}
}
