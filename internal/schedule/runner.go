package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

// Rows keep how far schedules have been handled.
type Rows interface {
	LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error)
	SaveScheduleRun(ctx context.Context, row run.Record) (etag string, err error)
	// Load reads an operation; engine.ErrNotFound if there is none.
	Load(ctx context.Context, id string) (engine.Row, error)
}

// Starter creates operations.
type Starter interface {
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
}

// Lister lists the items that a selection takes.
type Lister interface {
	Items(ctx context.Context, s Selection) ([]Item, error)
}

// Runner starts what is due. All fields are needed.
type Runner struct {
	Schedules []Schedule
	// Incomplete says that something is wrong with the file: a schedule that is
	// not among these may have been left out, and goes on where it was once that
	// is mended.
	Incomplete bool
	Rows       Rows
	Engine     Starter
	Vaults     Lister
	// Refuse records a run that can never start as it is.
	Refuse func(ctx context.Context, key string, body []byte, why error) error
	// Tenant is the engine's: operations are found by it again.
	Tenant string
	Now    func() time.Time
	// Speed divides jitter; 1 in Azure.
	Speed float64
	Log   *slog.Logger
}

// How much is done at once.
const (
	schedulesAtOnce = 4
	startsAtOnce    = 8
	// chunk is how many items are started before the row is saved: what a
	// crash makes anyone repeat.
	chunk = 64
	// mostWaiting bounds how many items of a schedule wait for their
	// predecessors: the row holds them.
	mostWaiting = 500
	// patience is how long a run is tried that cannot be started, as when its
	// vault cannot be read.
	patience = time.Hour
)

// Tick looks at all schedules once. Where one fails the others go on; it is
// tried again at the next tick.
func (r Runner) Tick(ctx context.Context) error {
	rows, err := r.Rows.LoadScheduleRuns(ctx)
	if err != nil {
		return fmt.Errorf("look at the schedules: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(schedulesAtOnce)
	failures := make([]error, len(r.Schedules))
	declared := map[string]bool{}
	for i, s := range r.Schedules {
		declared[s.Name] = true
		row := rows[s.Name]
		row.Name = s.Name
		group.Go(func() error {
			failures[i] = r.look(ctx, s, row)
			return nil
		})
	}
	_ = group.Wait() // failures has them
	for name, row := range rows {
		if !declared[name] && !r.Incomplete && !row.Off {
			row.Off = true
			_, err := r.Rows.SaveScheduleRun(ctx, row)
			failures = append(failures, unlessChanged(err))
		}
	}
	return errors.Join(failures...)
}

// unlessChanged forgets that someone else saved first: another host is at work
// on the schedule, and does what is to be done.
func unlessChanged(err error) error {
	if errors.Is(err, run.ErrConflict) {
		return nil
	}
	return err
}

func (r Runner) look(ctx context.Context, s Schedule, row run.Record) error {
	now := r.Now()
	row, changed := s.watch(row, now)
	if changed || !s.Enabled {
		if changed {
			_, err := r.Rows.SaveScheduleRun(ctx, row)
			return unlessChanged(err)
		}
		return nil
	}
	log := r.Log.With("schedule", s.Name)
	run := slotRun{Runner: r, schedule: s, row: row, log: log}
	if err := run.startWaiting(ctx); err != nil {
		return unlessChanged(fmt.Errorf("schedule %s: %w", s.Name, err))
	}
	if now.Before(row.NotBefore) {
		return nil
	}
	slots, left := s.due(run.row, now)
	if left > 0 {
		log.WarnContext(ctx, "missed runs are left out", "missed", left, "policy", string(s.Missed))
	}
	if len(slots) == 0 && left > 0 {
		run.row.Handled, run.row.Slot, run.row.Done, run.row.FailingSince = now, "", "", time.Time{}
		return unlessChanged(run.save(ctx))
	}
	for _, slot := range slots {
		if err := run.start(ctx, slot); err != nil {
			return unlessChanged(fmt.Errorf("schedule %s, run %s: %w", s.Name, slot.Name, err))
		}
	}
	return nil
}
