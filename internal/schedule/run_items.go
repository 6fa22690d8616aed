package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schedule/run"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// startChunk starts a slot for some items.
func (r *slotRun) startChunk(ctx context.Context, slot string, items []Item) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	outcomes := make([]run.Behind, len(items))
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
		r.row.Behind = map[string]run.Behind{}
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
func (r *slotRun) startItem(ctx context.Context, slot string, item Item, before run.Behind) (run.Behind, error) {
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
	return run.Behind{}, r.startOperation(ctx, slot, item)
}

func (r *slotRun) behind(ctx context.Context, slot, last string, item Item) (run.Behind, error) {
	b := run.Behind{Running: last}
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
func (r *slotRun) running(ctx context.Context, slot string, item Item) (bool, error) {
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
func (r *slotRun) startWaiting(ctx context.Context) error {
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
func (r *slotRun) startOperation(ctx context.Context, slot string, item Item) error {
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
