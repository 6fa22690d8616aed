package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/schedule/run"
)

// ErrNotFound means that the file declares no schedule with the name; the error is a
// *NotFoundError.
var ErrNotFound = errors.New("schedule not found")

// NotFoundError is the error of a schedule or drill that the file does not declare.
type NotFoundError struct {
	Kind Kind
	Name string
}

// Error names what was not found, and where the others are listed.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s %q not found; GET /api/%[1]ss lists the %[1]ss", e.Kind, e.Name)
}

// Is reports whether the target is ErrNotFound.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// Status is a schedule, how far it has run, and its next runs.
type Status struct {
	Schedule Schedule
	Record   run.Record
	Next     []Slot
}

// nextRuns is the number of runs in a Status.
const nextRuns = 10

// List returns the status of every schedule in the order of the file. incomplete
// reports that a schedule may be missing, because the file has errors.
func (r *Runner) List(ctx context.Context) (all []Status, incomplete bool, err error) {
	records, err := r.c.Store.LoadScheduleRuns(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("load the schedule records: %w", err)
	}
	for _, s := range r.c.Schedules {
		all = append(all, r.status(s, records[s.Name]))
	}
	return all, r.c.Incomplete, nil
}

func (r *Runner) status(s Schedule, record run.Record) Status {
	record.Name = s.Name
	one := Status{Schedule: s, Record: record}
	if s.Enabled {
		one.Next = s.Timing.Next(r.c.Now(), nextRuns)
	}
	return one
}

// Find returns the schedule with the name, or ErrNotFound.
func (r *Runner) Find(name string) (Schedule, error) {
	i := slices.IndexFunc(r.c.Schedules, func(s Schedule) bool { return s.Name == name })
	if i < 0 {
		return Schedule{}, &NotFoundError{Kind: r.c.Kind, Name: name}
	}
	return r.c.Schedules[i], nil
}

// Pause stops a schedule from starting runs until Resume.
func (r *Runner) Pause(ctx context.Context, name string, by operation.Cause) (Status, error) {
	return r.change(ctx, name, func(_ Schedule, record *run.Record) bool {
		if record.Paused != nil {
			return false
		}
		record.Paused = &run.Pause{At: r.c.Now(), By: by}
		return true
	})
}

// Resume continues a paused schedule with its next run. The runs since the pause
// are skipped.
func (r *Runner) Resume(ctx context.Context, name string) (Status, error) {
	return r.change(ctx, name, func(s Schedule, record *run.Record) bool {
		if record.Paused == nil {
			return false
		}
		now := r.c.Now()
		since := record.Handled
		if oldest := now.Add(-maxLookback); since.Before(oldest) {
			since = oldest
		}
		record.Skipped += len(s.Timing.Slots(since, now))
		record.Paused, record.Handled, record.Slot, record.Done, record.Chosen = nil, now, "", "", nil
		record.FailingSince, record.NotBefore = time.Time{}, time.Time{}
		return true
	})
}

// manualSlot precedes the name of a requested run, so that it is not the name of
// a slot.
const manualSlot = "run-"

// RunNow starts a run of a schedule, also of one that is disabled or paused. id
// makes the request idempotent: the same id is the same run, if it is one of the last
// maxManual. The run ignores the policy for overlapping runs. It is started by this
// call, or by the next ticks if that fails.
func (r *Runner) RunNow(ctx context.Context, name, id string, by operation.Cause) (slot string, err error) {
	slot = manualSlot + id
	saved := false
	status, err := r.change(ctx, name, func(_ Schedule, record *run.Record) bool {
		if isComplete(*record, slot) || record.Manual != nil && record.Manual.Slot == slot {
			return false
		}
		saved = record.Manual == nil
		if saved {
			record.Manual = &run.Manual{Slot: slot, At: r.c.Now(), By: by}
		}
		return saved
	})
	if err != nil {
		return "", err
	}
	if m := status.Record.Manual; m == nil || m.Slot != slot {
		if isComplete(status.Record, slot) {
			return slot, nil
		}
		return "", fmt.Errorf("%s %q: %w", r.c.Kind, name, ErrRunInProgress)
	}
	t := scheduleTick{c: r.c, schedule: status.Schedule, record: status.Record, log: r.c.Log.With(string(r.c.Kind), name)}
	if err := t.startManual(ctx); err != nil {
		t.log.WarnContext(ctx, "requested run not started yet", "slot", slot, "error", err)
	}
	return slot, nil
}

// ErrRunInProgress means that another requested run of the schedule is not
// completely started.
var ErrRunInProgress = errors.New("another requested run is being started; repeat the request in a minute")

// maxManual bounds how many requested runs a record holds.
const maxManual = 50

// isComplete reports whether the record holds a requested run as complete.
func isComplete(record run.Record, slot string) bool {
	return record.LastManual == slot || slices.Contains(record.EarlierManual, slot)
}

// maxChanges limits how often a change is repeated after other hosts saved first.
const maxChanges = 10

// change changes the record of a schedule. It repeats this if another host saved
// the record first.
func (r *Runner) change(ctx context.Context, name string, how func(Schedule, *run.Record) (changed bool)) (Status, error) {
	s, err := r.Find(name)
	if err != nil {
		return Status{}, err
	}
	for range maxChanges {
		records, err := r.c.Store.LoadScheduleRuns(ctx)
		if err != nil {
			return Status{}, fmt.Errorf("load the schedule records: %w", err)
		}
		record := records[name]
		if record.Unreadable != nil {
			return Status{}, fmt.Errorf("change %s %q: its record cannot be read and is replaced within a minute: %w", r.c.Kind, name, record.Unreadable)
		}
		record.Name = name
		record, _ = s.sync(record, r.c.Now())
		if !how(s, &record) {
			return r.status(s, record), nil
		}
		etag, err := r.c.Store.SaveScheduleRun(ctx, record)
		if err == nil {
			record.ETag = etag
			return r.status(s, record), nil
		}
		if !errors.Is(err, run.ErrConflict) {
			return Status{}, fmt.Errorf("change %s %q: %w", r.c.Kind, name, err)
		}
	}
	return Status{}, fmt.Errorf("change %s %q: %w", r.c.Kind, name, run.ErrConflict)
}

// startManual starts the requested run for all its items. After a crash, the next
// tick continues with the item in progress. A run that cannot start is rejected
// after maxRetryTime, or at once if a retry cannot succeed.
func (t *scheduleTick) startManual(ctx context.Context) error {
	m := *t.record.Manual
	t.manual, t.record.Manual = &m, &m
	defer func() { t.manual = nil }()
	items, err := t.items(ctx, m.Slot, &m.Chosen)
	if errors.Is(err, run.ErrConflict) {
		return err
	}
	started := len(items)
	for err == nil {
		rest := remaining(items, m.Done)
		if len(rest) == 0 {
			break
		}
		chunk := rest[:min(chunkSize, len(rest))]
		if err = t.startAll(ctx, m.Slot, chunk); err != nil {
			break
		}
		m.Done = chunk[len(chunk)-1].key()
		t.remember(m.Slot, chunk)
		if len(chunk) == len(rest) {
			break
		}
		if err := t.save(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		var azure *operation.Error
		fatal := errors.As(err, &azure) && azure.Class == operation.Fatal
		if ctx.Err() != nil || !fatal && t.c.Now().Sub(m.At) < maxRetryTime {
			return err
		}
		if err := t.reject(ctx, m.Slot, t.schedule.key(m.Slot, Item{}), t.schedule.Request, err); err != nil {
			return err
		}
		started = 0
	}
	if last := t.record.LastManual; last != "" {
		earlier := append([]string{last}, t.record.EarlierManual...)
		t.record.EarlierManual = earlier[:min(maxManual-1, len(earlier))]
	}
	t.record.Manual, t.record.LastManual = nil, m.Slot
	if err := t.save(ctx); err != nil {
		return err
	}
	t.log.InfoContext(ctx, "requested run handled", "slot", m.Slot, "items", started, "actor", m.By.Actor.String())
	return nil
}

// startAll starts a requested run for some items.
func (t *scheduleTick) startAll(ctx context.Context, slot string, items []Item) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxParallelStarts)
	for _, item := range items {
		group.Go(func() error { return t.startOperation(ctx, slot, item) })
	}
	return group.Wait()
}

// remember records that the items of a plan run, so that the next slots skip them.
func (t *scheduleTick) remember(slot string, items []Item) {
	if t.schedule.Plan == nil {
		return
	}
	if t.record.Behind == nil {
		t.record.Behind = map[string]run.Behind{}
	}
	for _, item := range items {
		t.record.Behind[item.key()] = run.Behind{Running: slot}
	}
}

// remaining returns the items after the one with a key. The items are in the
// order of their keys.
func remaining(items []Item, done string) []Item {
	for len(items) > 0 && done != "" && items[0].key() <= done {
		items = items[1:]
	}
	return items
}

// ManualID returns an id for a requested run without one: the local time.
func (r *Runner) ManualID(s Schedule) string {
	return r.c.Now().In(s.Timing.zone).Format(time.DateOnly + "T15:04:05")
}
