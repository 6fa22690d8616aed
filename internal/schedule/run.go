package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule/run"
)

// slotRun is one schedule being worked on.
type slotRun struct {
	Runner
	schedule Schedule
	row      run.Record
	log      *slog.Logger
}

func (r *slotRun) save(ctx context.Context) error {
	etag, err := r.Rows.SaveScheduleRun(ctx, r.row)
	if err == nil {
		r.row.ETag = etag
	}
	return err
}

// start starts one slot for all its items. Cut off anywhere, it goes on at the
// chunk where it was; what is started twice is one operation.
func (r *slotRun) start(ctx context.Context, slot Slot) error {
	if r.row.Slot != slot.Name {
		r.row.Slot, r.row.Done, r.row.FailingSince = slot.Name, "", time.Time{}
	}
	items, err := r.items(ctx)
	if err != nil {
		return r.failed(ctx, slot, err)
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

func (r *slotRun) items(ctx context.Context) ([]Item, error) {
	if r.schedule.Select == nil {
		return []Item{{}}, nil
	}
	items, err := r.Vaults.Items(ctx, *r.schedule.Select)
	return inOrder(items), err
}

// finished moves the row on to after a slot that was started. What is kept about
// items that are selected no more is dropped, unless something waits.
func (r *slotRun) finished(slot Slot, items []Item) {
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
func (r *slotRun) passed(slot Slot) {
	r.row.Handled = slot.At
	r.row.Slot, r.row.Done = "", ""
	r.row.FailingSince, r.row.NotBefore = time.Time{}, time.Time{}
}

// failed keeps when the slot began to fail, and gives it up after a while or
// where trying again is no use: the refusal is what people see.
func (r *slotRun) failed(ctx context.Context, slot Slot, err error) error {
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

func (r *slotRun) refuse(ctx context.Context, key string, req request.Request, why error) error {
	req.Key = key
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	return r.Refuse(ctx, key, body, why)
}
