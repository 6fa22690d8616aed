package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

// Store holds one record per schedule, and reads operations.
type Store interface {
	// LoadScheduleRuns returns the records by schedule name. Unreadable is set in
	// a record that cannot be read.
	LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error)
	SaveScheduleRun(ctx context.Context, row run.Record) (etag string, err error)
	// Load returns an operation, or engine.ErrNotFound.
	Load(ctx context.Context, id string) (engine.Row, error)
}

// Starter creates operations.
type Starter interface {
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
}

// ItemLister lists the items of a selection.
type ItemLister interface {
	Items(ctx context.Context, s Selection) ([]Item, error)
}

// RunnerConfig configures a Runner. Every field is required except Schedules,
// Incomplete, and Items if every schedule has a plan.
type RunnerConfig struct {
	// Kind is the kind of all Schedules. A runner ignores the records of other kinds.
	Kind      Kind
	Schedules []Schedule
	// Incomplete is set if the file has errors. A schedule that is missing from
	// Schedules may then be one with an error; it keeps its record, and its
	// missed runs start once the file is corrected.
	Incomplete bool
	Store      Store
	Engine     Starter
	Items      ItemLister
	// Reject records a run that can never start. at is the time of the run.
	Reject func(ctx context.Context, at time.Time, key string, body []byte, reason error) error
	// Tenant is the engine's tenant; operation IDs depend on it.
	Tenant string
	Now    func() time.Time
	// SpeedFactor divides the jitter; it is 1 in Azure.
	SpeedFactor float64
	Log         *slog.Logger
}

// Runner starts the runs that are due.
type Runner struct {
	c RunnerConfig
}

// NewRunner returns a Runner.
func NewRunner(c RunnerConfig) (*Runner, error) {
	if c.Store == nil || c.Engine == nil || c.Reject == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("schedule: RunnerConfig.Store, Engine, Reject, Now and Log are required")
	}
	if c.Kind != Backups && c.Kind != Drills {
		return nil, fmt.Errorf("schedule: RunnerConfig.Kind is %q; it must be %s or %s", c.Kind, Backups, Drills)
	}
	for _, s := range c.Schedules {
		if s.Kind != c.Kind || s.Plan == nil && c.Items == nil {
			return nil, fmt.Errorf("schedule: %s has the kind %q and no items; it must be %q, with a plan or RunnerConfig.Items", s.Name, s.Kind, c.Kind)
		}
	}
	if c.SpeedFactor <= 0 {
		return nil, fmt.Errorf("schedule: RunnerConfig.SpeedFactor is %v; it must be above 0", c.SpeedFactor)
	}
	c.Store = kindStore{c.Store, c.Kind}
	return &Runner{c: c}, nil
}

const (
	maxParallelSchedules = 4
	maxParallelStarts    = 8
	// chunkSize is the number of items that are started between two saves of the
	// record. After a crash, at most one chunk is repeated.
	chunkSize = 64
	// maxWaiting bounds how many items of a schedule wait for their previous
	// run; the record holds all of them.
	maxWaiting = 500
	// maxRunning bounds how many operations of a schedule with a plan run; the
	// record holds all of them.
	maxRunning = 4000
	// maxRetryTime is how long a run is retried that cannot start, for example
	// because its vault cannot be read.
	maxRetryTime = time.Hour
)

// Tick starts the runs that are due. If one schedule fails, the others continue,
// and the failed one is retried at the next tick.
func (r *Runner) Tick(ctx context.Context) error {
	records, err := r.c.Store.LoadScheduleRuns(ctx)
	if err != nil {
		return fmt.Errorf("load the schedule records: %w", err)
	}
	return r.tickAll(ctx, records)
}

// tickAll starts the runs that are due by the records of the schedules.
func (r *Runner) tickAll(ctx context.Context, records map[string]run.Record) error {
	group := parallel.New()
	group.SetLimit(maxParallelSchedules)
	failures := make([]error, len(r.c.Schedules))
	declared := map[string]bool{}
	for i, s := range r.c.Schedules {
		declared[s.Name] = true
		record := records[s.Name]
		record.Name = s.Name
		group.Go(func() error {
			failures[i] = r.tick(ctx, s, record)
			return nil
		})
	}
	failures = append(failures, group.Wait()) // the error of a panic; failures holds the others
	for name, record := range records {
		if !declared[name] && !r.c.Incomplete && !record.Off {
			record.Off = true
			_, err := r.c.Store.SaveScheduleRun(ctx, record)
			failures = append(failures, ignoreConflict(err))
		}
	}
	return errors.Join(failures...)
}

// ignoreConflict drops the error of a save that another host won. That host
// continues with the schedule.
func ignoreConflict(err error) error {
	if errors.Is(err, run.ErrConflict) {
		return nil
	}
	return err
}

// tick starts the runs of one schedule that are due.
func (r *Runner) tick(ctx context.Context, s Schedule, record run.Record) error {
	log := r.c.Log.With(string(s.Kind), s.Name)
	now := r.c.Now()
	if record.Unreadable != nil {
		return r.replaceUnreadable(ctx, s, record)
	}
	record, changed := s.sync(record, now)
	if changed {
		_, err := r.c.Store.SaveScheduleRun(ctx, record)
		return ignoreConflict(err)
	}
	t := &scheduleTick{c: r.c, schedule: s, record: record, log: log}
	var requested error
	if record.Manual != nil {
		if err := t.startManual(ctx); err != nil {
			requested = ignoreConflict(fmt.Errorf("%s %s, requested run %s: %w", s.Kind, s.Name, record.Manual.Slot, err))
			if errors.Is(err, run.ErrConflict) || ctx.Err() != nil {
				return requested
			}
		}
	}
	if !s.Enabled || record.Paused != nil {
		return requested
	}
	return errors.Join(requested, ignoreConflict(t.startDue(ctx, now)))
}

// startDue starts the waiting runs and the slots that are due.
func (t *scheduleTick) startDue(ctx context.Context, now time.Time) error {
	s := t.schedule
	if err := t.startWaiting(ctx); err != nil {
		return fmt.Errorf("%s %s: %w", s.Kind, s.Name, err)
	}
	if now.Before(t.record.NotBefore) {
		return nil
	}
	slots, skipped := s.due(t.record, now)
	if err := t.skip(ctx, skipped); err != nil {
		return fmt.Errorf("%s %s: %w", s.Kind, s.Name, err)
	}
	if len(slots) == 0 && len(skipped) > 0 {
		t.skipPast(skipped[len(skipped)-1])
		return t.save(ctx)
	}
	for _, slot := range slots {
		if err := t.startSlot(ctx, slot); err != nil {
			return fmt.Errorf("%s %s, run %s: %w", s.Kind, s.Name, slot.Name, err)
		}
	}
	return nil
}

// replaceUnreadable replaces a record that cannot be read, so that the schedule
// continues. A rejected request reports what may be lost: the runs
// that waited for their previous run, and without a readable time also the
// missed runs.
func (r *Runner) replaceUnreadable(ctx context.Context, s Schedule, record run.Record) error {
	now := r.c.Now()
	lost := "runs that waited for their previous run"
	if record.Handled.IsZero() {
		lost += " and missed runs"
	}
	reason := fmt.Errorf("the record of %s %s cannot be read and is replaced; %s do not start: %w", s.Kind, s.Name, lost, record.Unreadable)
	log := r.c.Log.With(string(s.Kind), s.Name)
	log.ErrorContext(ctx, "schedule record unreadable, replaced", "error", record.Unreadable)
	if s.Enabled {
		t := scheduleTick{c: r.c, schedule: s, record: record, log: log}
		slot := now.In(s.Timing.zone).Format(slotLayout)
		if err := t.reject(ctx, slot, s.key(slot, Item{}), s.Request, reason); err != nil {
			return fmt.Errorf("%s %s: %w", s.Kind, s.Name, err)
		}
	}
	record.Unreadable = nil
	record, _ = s.sync(record, now)
	_, err := r.c.Store.SaveScheduleRun(ctx, record)
	return ignoreConflict(err)
}
