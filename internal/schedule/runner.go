package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// Rows keep how far schedules have been handled.
type Rows interface {
	Schedules(ctx context.Context) (map[string]state.Schedule, error)
	SaveSchedule(ctx context.Context, row state.Schedule) (etag string, err error)
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
	Rows      Rows
	Engine    Starter
	Vaults    Lister
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
	rows, err := r.Rows.Schedules(ctx)
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
		if !declared[name] && !row.Off {
			row.Off = true
			_, err := r.Rows.SaveSchedule(ctx, row)
			failures = append(failures, unlessChanged(err))
		}
	}
	return errors.Join(failures...)
}

// unlessChanged forgets that someone else saved first: another host is at work
// on the schedule, and does what is to be done.
func unlessChanged(err error) error {
	if errors.Is(err, state.ErrScheduleChanged) {
		return nil
	}
	return err
}

func (r Runner) look(ctx context.Context, s Schedule, row state.Schedule) error {
	now := r.Now()
	row, changed := s.watch(row, now)
	if changed || !s.Enabled {
		if changed {
			_, err := r.Rows.SaveSchedule(ctx, row)
			return unlessChanged(err)
		}
		return nil
	}
	log := r.Log.With("schedule", s.Name)
	run := run{Runner: r, schedule: s, row: row, log: log}
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
		run.row.Handled, run.row.Slot, run.row.Done = now, "", ""
		return unlessChanged(run.save(ctx))
	}
	for _, slot := range slots {
		if err := run.start(ctx, slot); err != nil {
			return unlessChanged(fmt.Errorf("schedule %s, run %s: %w", s.Name, slot.Name, err))
		}
	}
	return nil
}

// run is one schedule being worked on.
type run struct {
	Runner
	schedule Schedule
	row      state.Schedule
	log      *slog.Logger
}

func (r *run) save(ctx context.Context) error {
	etag, err := r.Rows.SaveSchedule(ctx, r.row)
	if err == nil {
		r.row.ETag = etag
	}
	return err
}

// start starts one slot for all its items. Cut off anywhere, it goes on at the
// chunk where it was; what is started twice is one operation.
func (r *run) start(ctx context.Context, slot Slot) error {
	items, err := r.items(ctx)
	if err != nil {
		return r.failed(ctx, slot, err)
	}
	if r.row.Slot != slot.Name {
		r.row.Slot, r.row.Done = slot.Name, ""
	}
	rest := items
	for len(rest) > 0 && rest[0].key() <= r.row.Done {
		rest = rest[1:]
	}
	for len(rest) > 0 {
		n := min(chunk, len(rest))
		if err := r.startChunk(ctx, slot.Name, rest[:n]); err != nil {
			return r.failed(ctx, slot, err)
		}
		r.row.Done = rest[n-1].key()
		if rest = rest[n:]; len(rest) > 0 {
			if err := r.save(ctx); err != nil {
				return err
			}
		}
	}
	r.finished(slot, items)
	if err := r.save(ctx); err != nil {
		return err
	}
	r.log.InfoContext(ctx, "scheduled run handled", "slot", slot.Name, "items", len(items))
	return nil
}

func (r *run) items(ctx context.Context) ([]Item, error) {
	if r.schedule.Select == nil {
		return []Item{{}}, nil
	}
	items, err := r.Vaults.Items(ctx, *r.schedule.Select)
	return inOrder(items), err
}

// finished moves the row on to after a slot that was started. What is kept about
// items that are selected no more is dropped, unless something waits.
func (r *run) finished(slot Slot, items []Item) {
	known := map[string]bool{}
	for _, item := range items {
		known[item.key()] = true
	}
	for key, b := range r.row.Behind {
		if !known[key] && b.Waiting == "" {
			delete(r.row.Behind, key)
		}
	}
	r.row.LastSlot = slot.Name
	r.passed(slot)
}

// passed moves the row on to after a slot.
func (r *run) passed(slot Slot) {
	r.row.Handled = slot.At
	r.row.Slot, r.row.Done = "", ""
	r.row.FailingSince, r.row.NotBefore = time.Time{}, time.Time{}
}

// failed keeps when the slot began to fail, and gives it up after a while or
// where trying again is no use: the refusal is what people see.
func (r *run) failed(ctx context.Context, slot Slot, err error) error {
	now := r.Now()
	if ctx.Err() != nil {
		return err // out of time: the next tick goes on
	}
	var azure *operation.Error
	final := errors.As(err, &azure) && azure.Class == operation.Fatal
	if r.row.FailingSince.IsZero() {
		r.row.FailingSince = now
	}
	if !final && now.Sub(r.row.FailingSince) < patience {
		if azure != nil && azure.RetryAfter > 0 {
			r.row.NotBefore = now.Add(azure.RetryAfter)
		}
		return errors.Join(err, unlessChanged(r.save(ctx)))
	}
	if err := r.refuse(ctx, r.schedule.key(slot.Name, Item{}), r.schedule.Request, err); err != nil {
		return err
	}
	r.passed(slot)
	return errors.Join(err, unlessChanged(r.save(ctx)))
}

func (r *run) refuse(ctx context.Context, key string, req request.Request, why error) error {
	req.Key = key
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	return r.Refuse(ctx, key, body, why)
}

// startChunk starts a slot for some items.
func (r *run) startChunk(ctx context.Context, slot string, items []Item) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	outcomes := make([]state.Behind, len(items))
	for i, item := range items {
		before := r.row.Behind[item.key()]
		group.Go(func() (err error) {
			outcomes[i], err = r.startItem(ctx, slot, item, before)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if r.row.Behind == nil {
		r.row.Behind = map[string]state.Behind{}
	}
	waiting := 0
	for _, b := range r.row.Behind {
		if b.Waiting != "" {
			waiting++
		}
	}
	for i, item := range items {
		b, was := outcomes[i], r.row.Behind[item.key()]
		if b.Waiting != "" && was.Waiting == "" {
			if waiting++; waiting > mostWaiting {
				r.log.WarnContext(ctx, "too many runs wait for their predecessors; this one is left out", "slot", slot, "item", item.Name)
				b.Waiting, b.Item = "", nil
			}
		}
		if b.Running == "" {
			delete(r.row.Behind, item.key())
		} else {
			r.row.Behind[item.key()] = b
		}
	}
	return nil
}

// startItem starts a slot for one item, or says behind which run it is.
func (r *run) startItem(ctx context.Context, slot string, item Item, before state.Behind) (state.Behind, error) {
	last := r.row.LastSlot
	if before.Running != "" {
		last = before.Running
	}
	if r.schedule.Overlap != OverlapAllow && last != "" && last != slot {
		running, err := r.running(ctx, last, item)
		if err != nil {
			return before, err
		}
		if running {
			return r.behind(ctx, slot, last, item)
		}
	}
	return state.Behind{}, r.startOperation(ctx, slot, item)
}

func (r *run) behind(ctx context.Context, slot, last string, item Item) (state.Behind, error) {
	b := state.Behind{Running: last}
	if r.schedule.Overlap == OverlapSkip {
		r.log.WarnContext(ctx, "the run before still runs; this one is left out", "slot", slot, "running", last, "item", item.Name)
		return b, nil
	}
	r.log.InfoContext(ctx, "the run before still runs; this one waits for it", "slot", slot, "running", last, "item", item.Name)
	var err error
	b.Waiting = slot
	b.Item, err = json.Marshal(item)
	return b, err
}

// running reports whether a slot's operation for the item is under way. One
// that is parked waits for a person and keeps nothing busy; a schedule that
// waited for it would stop unseen.
func (r *run) running(ctx context.Context, slot string, item Item) (bool, error) {
	id := operation.ID(r.Tenant, r.schedule.Request.Flow, r.schedule.key(slot, item))
	row, err := r.Rows.Load(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	status := row.Operation.Status
	return !status.Terminal() && status != operation.Parked, nil
}

// startWaiting starts the runs whose predecessors have ended.
func (r *run) startWaiting(ctx context.Context) error {
	changed := false
	for key, b := range r.row.Behind {
		if b.Waiting == "" {
			continue
		}
		var item Item
		if err := json.Unmarshal(b.Item, &item); err != nil {
			return fmt.Errorf("read a waiting item: %w", err)
		}
		running, err := r.running(ctx, b.Running, item)
		if err != nil {
			return err
		}
		if running && r.schedule.Overlap == OverlapQueue {
			continue
		}
		if r.schedule.Overlap != OverlapSkip {
			if err := r.startOperation(ctx, b.Waiting, item); err != nil {
				return err
			}
			b.Running = b.Waiting
		}
		b.Waiting, b.Item = "", nil
		r.row.Behind[key] = b
		changed = true
	}
	if !changed {
		return nil
	}
	return r.save(ctx)
}

// startOperation starts a slot's operation for the item. A run that can never
// start is refused, and done with.
func (r *run) startOperation(ctx context.Context, slot string, item Item) error {
	req, err := r.schedule.requestFor(slot, item)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	from := engine.Origin{}
	if delay := r.schedule.delay(slot, item); delay > 0 {
		from.NotBefore = r.Now().Add(time.Duration(float64(delay) / r.Speed))
	}
	op, _, err := r.Engine.Start(ctx, req, from)
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var large *state.TooLarge
	switch {
	case errors.As(err, &conflict):
		// Started before the file was changed, or the item is spelt otherwise.
		r.log.InfoContext(ctx, "the run was started already, with other parameters", "op", conflict.ID, "slot", slot, "item", item.Name)
		return nil
	case errors.As(err, &invalid), errors.As(err, &large):
		return r.refuse(ctx, req.Key, req, err)
	case err != nil:
		return err
	}
	r.log.InfoContext(ctx, "scheduled run started", "op", op.ID, "slot", slot, "item", item.Name)
	return nil
}
