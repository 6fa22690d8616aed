package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

// scheduleTick handles one schedule during one tick.
type scheduleTick struct {
	c        RunnerConfig
	schedule Schedule
	record   run.Record
	log      *slog.Logger
	// manual is the requested run that is being started; nil for a slot.
	manual *run.Manual
	// rejected counts the runs that were rejected since the last save.
	rejected atomic.Int64
}

func (t *scheduleTick) save(ctx context.Context) error {
	t.record.Rejected += int(t.rejected.Swap(0))
	etag, err := t.c.Store.SaveScheduleRun(ctx, t.record)
	if err == nil {
		t.record.ETag = etag
	}
	return err
}

// startSlot starts one slot for all its items. After a crash, the next tick
// continues with the chunk in progress; an item that is started twice is one
// operation.
func (t *scheduleTick) startSlot(ctx context.Context, slot Slot) error {
	if t.record.Slot != slot.Name {
		t.record.Slot, t.record.Done, t.record.Chosen, t.record.FailingSince = slot.Name, "", nil, time.Time{}
	}
	items, err := t.items(ctx, slot.Name, &t.record.Chosen)
	if errors.Is(err, run.ErrConflict) {
		return err
	}
	if err != nil {
		return t.recordFailure(ctx, slot, err)
	}
	rest := remaining(items, t.record.Done)
	for len(rest) > 0 {
		n := min(chunkSize, len(rest))
		if err := t.startChunk(ctx, slot.Name, rest[:n]); err != nil {
			return t.recordFailure(ctx, slot, err)
		}
		t.record.Done = rest[n-1].key()
		if rest = rest[n:]; len(rest) > 0 {
			if err := t.save(ctx); err != nil {
				return err
			}
		}
	}
	t.completeSlot(slot, items)
	if err := t.save(ctx); err != nil {
		return err
	}
	t.log.InfoContext(ctx, "scheduled run handled", "slot", slot.Name, "items", len(items))
	return nil
}

// items returns the items of a run, in the order of their keys. chosen is where the
// record holds the items of a plan: they are saved before the first one is started, so
// that a run that is continued starts no others.
func (t *scheduleTick) items(ctx context.Context, slot string, chosen *json.RawMessage) ([]Item, error) {
	plan := t.schedule.Plan
	switch {
	case plan == nil && t.schedule.Select == nil:
		return []Item{{}}, nil
	case plan == nil:
		items, err := t.c.Items.Items(ctx, *t.schedule.Select)
		return inOrder(items), err
	case len(*chosen) > 0:
		var items []Item
		if err := json.Unmarshal(*chosen, &items); err != nil {
			return nil, &operation.Error{Code: "ChosenItemsUnreadable", Class: operation.Fatal, Message: "the items of the run cannot be read: " + err.Error()}
		}
		return items, nil
	}
	if err := t.dropEnded(ctx); err != nil {
		return nil, err
	}
	items, left, err := plan.Items(ctx, slot, func(i Item) bool { return t.record.Behind[i.key()].Running != "" })
	if err != nil {
		return nil, err
	}
	if room := max(0, maxRunning-len(t.record.Behind)); len(items) > room {
		items, left = items[:room], left+len(items)-room
	}
	items = inOrder(items)
	*chosen, err = json.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("encode the items of the run: %w", err)
	}
	if left > 0 {
		t.log.WarnContext(ctx, "items left for later runs", "slot", slot, "items", left)
		t.record.Skipped += left
	}
	return items, t.save(ctx)
}

// dropEnded drops the items of a plan whose operation has ended.
func (t *scheduleTick) dropEnded(ctx context.Context) error {
	keys := slices.Collect(maps.Keys(t.record.Behind))
	running := make([]bool, len(keys))
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxParallelStarts)
	for i, key := range keys {
		group.Go(func() (err error) {
			running[i], err = t.running(ctx, t.record.Behind[key].Running, key)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, key := range keys {
		if !running[i] && t.record.Behind[key].Waiting == "" {
			delete(t.record.Behind, key)
		}
	}
	return nil
}

// completeSlot moves the record past a slot that was started. It drops what is
// stored about items that are no longer selected, unless a run waits for them, or a
// plan may select them again.
func (t *scheduleTick) completeSlot(slot Slot, items []Item) {
	selected := map[string]bool{}
	for _, item := range items {
		selected[item.key()] = true
	}
	for key, b := range t.record.Behind {
		if t.schedule.Plan == nil && !selected[key] && b.Waiting == "" {
			delete(t.record.Behind, key)
		}
	}
	t.record.LastSlot = slot.Name
	t.skipPast(slot)
}

// skip counts slots that the policy for missed runs skips, and moves the record past
// them, so that each is counted once. It rejects a slot in progress that failed until
// a newer slot was due. The caller saves the record; after a crash before that, the
// rejection is repeated.
func (t *scheduleTick) skip(ctx context.Context, slots []Slot) error {
	missed := 0
	for _, slot := range slots {
		if slot.Name != t.record.Slot || t.record.FailingSince.IsZero() {
			missed++
			t.record.Handled = slot.At
			continue
		}
		reason := fmt.Errorf("the run could not start since %s, and a newer run is due", t.record.FailingSince.UTC().Format(time.RFC3339))
		if err := t.reject(ctx, slot.Name, t.schedule.key(slot.Name, Item{}), t.schedule.Request, reason); err != nil {
			return err
		}
		t.skipPast(slot)
	}
	if missed > 0 {
		t.log.WarnContext(ctx, "missed runs skipped", "missed", missed, "policy", string(t.schedule.Missed))
		t.record.Skipped += missed
	}
	return nil
}

// skipPast moves the record past a slot.
func (t *scheduleTick) skipPast(slot Slot) {
	t.record.Handled = slot.At
	t.record.Slot, t.record.Done, t.record.Chosen = "", "", nil
	t.record.FailingSince, t.record.NotBefore = time.Time{}, time.Time{}
}

// recordFailure records when the slot first failed. It rejects the slot after
// maxRetryTime, or at once if a retry cannot succeed; users see the rejected
// request.
func (t *scheduleTick) recordFailure(ctx context.Context, slot Slot, err error) error {
	now := t.c.Now()
	if ctx.Err() != nil {
		return err // the invocation ran out of time; the next tick continues
	}
	var azure *operation.Error
	fatal := errors.As(err, &azure) && azure.Class == operation.Fatal
	if t.record.FailingSince.IsZero() {
		t.record.FailingSince = now
	}
	if !fatal && now.Sub(t.record.FailingSince) < maxRetryTime {
		if azure != nil && azure.RetryAfter > 0 {
			t.record.NotBefore = now.Add(azure.RetryAfter)
		}
		return errors.Join(err, ignoreConflict(t.save(ctx)))
	}
	if err := t.reject(ctx, slot.Name, t.schedule.key(slot.Name, Item{}), t.schedule.Request, err); err != nil {
		return err
	}
	t.skipPast(slot)
	return errors.Join(err, ignoreConflict(t.save(ctx)))
}

// reject rejects a run of a slot. A repeated rejection has the same time, body and
// key, so it is recorded once.
func (t *scheduleTick) reject(ctx context.Context, slot, key string, req request.Request, reason error) error {
	req.Key = key
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	at := t.schedule.Timing.TimeOf(slot)
	if t.manual != nil {
		at = t.manual.At
	}
	if err := t.c.Reject(ctx, at, key, body, reason); err != nil {
		return err
	}
	t.rejected.Add(1)
	return nil
}
