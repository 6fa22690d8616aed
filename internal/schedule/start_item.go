package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/schedule/run"
	"azbackupflow/internal/step"
)

// startChunk starts a slot for some items.
func (t *scheduleTick) startChunk(ctx context.Context, slot string, items []Item) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxParallelStarts)
	results := make([]run.Behind, len(items))
	for i, item := range items {
		previous := t.record.Behind[item.key()]
		group.Go(func() (err error) {
			results[i], err = t.startItem(ctx, slot, item, previous)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if t.record.Behind == nil {
		t.record.Behind = map[string]run.Behind{}
	}
	waiting := 0
	for _, b := range t.record.Behind {
		if b.Waiting != "" {
			waiting++
		}
	}
	for i, item := range items {
		b, previous := results[i], t.record.Behind[item.key()]
		if b.Waiting != "" && previous.Waiting == "" {
			if waiting++; waiting > maxWaiting {
				t.log.WarnContext(ctx, "run skipped: too many runs wait for their previous run", "slot", slot, "item", item.Name, "max", maxWaiting)
				b.Waiting, b.Item = "", nil
			}
		}
		if b.Running != "" && b.Waiting == "" {
			t.record.Skipped++
		}
		if b.Running == "" && t.schedule.Plan != nil {
			b.Running = slot
		}
		if b.Running == "" {
			delete(t.record.Behind, item.key())
		} else {
			t.record.Behind[item.key()] = b
		}
	}
	return nil
}

// startItem starts a slot for one item. If the item's previous run has not
// ended, it applies the overlap policy and returns that run.
func (t *scheduleTick) startItem(ctx context.Context, slot string, item Item, previous run.Behind) (run.Behind, error) {
	last := t.record.LastSlot
	if previous.Running != "" {
		last = previous.Running
	}
	if t.schedule.Overlap != OverlapAllow && last != "" && last != slot {
		running, err := t.running(ctx, last, item.key())
		if err != nil {
			return previous, err
		}
		if running {
			return t.overlap(ctx, slot, last, item)
		}
	}
	return run.Behind{}, t.startOperation(ctx, slot, item)
}

func (t *scheduleTick) overlap(ctx context.Context, slot, last string, item Item) (run.Behind, error) {
	b := run.Behind{Running: last}
	if t.schedule.Overlap == OverlapSkip {
		t.log.WarnContext(ctx, "run skipped: previous run has not ended", "slot", slot, "running", last, "item", item.Name)
		return b, nil
	}
	t.log.InfoContext(ctx, "run queued: previous run has not ended", "slot", slot, "running", last, "item", item.Name)
	var err error
	b.Waiting = slot
	b.Item, err = json.Marshal(item)
	return b, err
}

// running reports whether a slot's operation for the item with the key is in
// progress. A parked operation and one that cannot be read do not count: they wait for a
// user, and a schedule that waited for them would stop without notice. The lock
// of the item still keeps the next run from changing the item at the same time.
func (t *scheduleTick) running(ctx context.Context, slot, item string) (bool, error) {
	key := t.schedule.runKey(slot, item)
	id := operation.ID(t.c.Tenant, t.schedule.Request.Flow, key)
	row, err := t.c.Store.Load(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	if operation.IsUnreadable(err) {
		t.log.ErrorContext(ctx, "previous run unreadable, not waited for", "op", id, "key", key, "error", err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	status := row.Operation.Status
	return !status.Terminal() && status != operation.Parked, nil
}

// startWaiting starts the waiting runs whose previous run has ended. It rejects a
// run whose item cannot be read.
func (t *scheduleTick) startWaiting(ctx context.Context) error {
	changed := false
	for key, b := range t.record.Behind {
		if b.Waiting == "" {
			continue
		}
		var item Item
		if err := json.Unmarshal(b.Item, &item); err != nil {
			reason := fmt.Errorf("the waiting item %s cannot be read: %w", key, err)
			if err := t.reject(ctx, b.Waiting, t.schedule.runKey(b.Waiting, key), t.schedule.Request, reason); err != nil {
				return err
			}
		} else {
			running, err := t.running(ctx, b.Running, key)
			if err != nil {
				return err
			}
			if running && t.schedule.Overlap == OverlapQueue {
				continue
			}
			if t.schedule.Overlap != OverlapSkip {
				if err := t.startOperation(ctx, b.Waiting, item); err != nil {
					return err
				}
				b.Running = b.Waiting
			}
		}
		b.Waiting, b.Item = "", nil
		t.record.Behind[key] = b
		changed = true
	}
	if !changed {
		return nil
	}
	return t.save(ctx)
}

// startOperation starts a slot's operation for the item. It rejects a run that
// can never start.
func (t *scheduleTick) startOperation(ctx context.Context, slot string, item Item) error {
	req, err := t.schedule.requestFor(slot, item)
	if err != nil {
		return t.reject(ctx, slot, req.Key, req, fmt.Errorf("create the request: %w", err))
	}
	origin := engine.Origin{Cause: operation.Cause{Actor: operation.Actor{Kind: operation.ActorSchedule, ID: t.schedule.Kind.prefix() + t.schedule.Name}}}
	if t.manual != nil {
		origin.Cause = t.manual.By
	}
	// A plan spreads requested runs, too: their items are chosen for a run.
	if delay := t.schedule.delay(slot, item); delay > 0 && (t.manual == nil || t.schedule.Plan != nil) {
		origin.NotBefore = t.c.Now().Add(time.Duration(float64(delay) / t.c.SpeedFactor))
	}
	op, _, err := t.c.Engine.Start(ctx, req, origin)
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	switch {
	case errors.As(err, &conflict):
		// The run was started before the file was changed, or the vault now spells
		// the item's ID differently. An operator must see that this run does not
		// start.
		return t.reject(ctx, slot, req.Key, req, err)
	case errors.As(err, &invalid), errors.Is(err, engine.ErrTooLarge), operation.IsUnreadable(err):
		return t.reject(ctx, slot, req.Key, req, err)
	case err != nil:
		return err
	}
	t.log.InfoContext(ctx, "scheduled run started", "op", op.ID, "slot", slot, "item", item.Name)
	return nil
}
