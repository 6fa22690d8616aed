package handlers

import (
	"context"

	"azbackupflow/internal/customhandler"
)

// Ticker looks at all schedules once.
type Ticker interface {
	Tick(context.Context) error
}

// ScheduleBackups handles the timer that fires each minute: it starts what is
// due. What fails is tried again at the next minute.
func ScheduleBackups(schedules Ticker) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		return customhandler.Result{}, schedules.Tick(ctx)
	}
}
