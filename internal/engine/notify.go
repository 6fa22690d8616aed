package engine

import (
	"context"

	"azbackupflow/internal/operation"
)

// everybody reports whether all operations owe notices, rather than those only
// whose request names a queue for answers.
func (e *Engine) broadcasts() bool { return e.cfg.Notifier != nil && e.cfg.Notifier.Broadcasts() }

// notify sends a notice. One that is owed although nobody can send it any more,
// because the app is set otherwise since, is dropped.
func (e *Engine) notify(ctx context.Context, op operation.Operation, n operation.Notice) error {
	if e.cfg.Notifier == nil {
		return nil
	}
	return e.cfg.Notifier.Notify(ctx, op, n)
}
