package histories_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// store is the store as one process sees it: requests and answers are lost.
type store struct{ p *process }

// request makes one request. write writes even if its answer is lost.
func (s store) request(ctx context.Context, point string, write func() error) error {
	w := s.p.w
	w.pass(s.p, point)
	if err := ctx.Err(); err != nil {
		return err
	}
	err := errAway
	switch {
	case w.away("store"), w.happens(w.plan.torn / 2):
		w.note(s.p, "the store is unavailable")
	case w.happens(w.plan.torn / 2):
		_ = write() // its answer is lost
		w.note(s.p, "the store's answer is lost")
	default:
		err = write()
	}
	w.pass(s.p, point+" answered")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Create implements engine.Store. A torn one writes the live marker and the index
// entries, of which the engine sees the marker only.
func (s store) Create(ctx context.Context, op operation.Operation, ev operation.Event) (row engine.Row, created bool, err error) {
	w := s.p.w
	err = s.request(ctx, "create "+w.name(op.ID), func() error {
		if w.happens(w.plan.torn) {
			w.note(s.p, "only the live marker is written")
			_ = w.rows.Reopen(context.Background(), op.ID, op.CreatedAt)
			return errAway
		}
		row, created, err = w.rows.Create(context.Background(), op, ev)
		if err == nil && created {
			w.saved(s.p, operation.Operation{}, row.Operation)
		}
		return err
	})
	return row, created, err
}

// Load implements engine.Store.
func (s store) Load(ctx context.Context, id string) (row engine.Row, err error) {
	err = s.request(ctx, "load "+s.p.w.name(id), func() error {
		row, err = s.p.w.load(id)
		return err
	})
	if err == nil && s.p.current != nil && s.p.current.operation == id {
		s.p.row = row.Operation
	}
	return row, err
}

// load returns a row. It decodes each version of a row once.
func (w *world) load(id string) (engine.Row, error) {
	if row, known := w.loaded[id]; known {
		return row, nil
	}
	row, err := w.rows.Load(context.Background(), id)
	if err == nil {
		w.loaded[id] = row
	}
	return row, err
}

// Save implements engine.Store.
func (s store) Save(ctx context.Context, row engine.Row, ev operation.Event) (etag string, err error) {
	w := s.p.w
	err = s.request(ctx, "save "+w.name(row.Operation.ID), func() error {
		if etag, err = w.rows.Save(context.Background(), row, ev); err == nil {
			delete(w.loaded, row.Operation.ID)
			w.note(s.p, "saved: "+ev.What)
			w.saved(s.p, w.current[row.Operation.ID], row.Operation)
		}
		return err
	})
	if err == nil {
		s.p.row = row.Operation
	}
	return etag, err
}

// Finalize implements engine.Store.
func (s store) Finalize(ctx context.Context, row engine.Row) error {
	return s.FinalizeByID(ctx, row.Operation.ID)
}

// FinalizeByID implements engine.Store.
func (s store) FinalizeByID(ctx context.Context, id string) error {
	return s.request(ctx, "finalize "+s.p.w.name(id), func() error {
		delete(s.p.w.loaded, id)
		return s.p.w.rows.FinalizeByID(context.Background(), id)
	})
}

// Reopen implements engine.Store.
func (s store) Reopen(ctx context.Context, id string, createdAt time.Time) error {
	return s.request(ctx, "reopen "+s.p.w.name(id), func() error { return s.p.w.rows.Reopen(context.Background(), id, createdAt) })
}

// Relabel implements engine.Store.
func (s store) Relabel(ctx context.Context, before, after operation.Operation) error {
	return s.request(ctx, "relabel "+s.p.w.name(after.ID), func() error { return s.p.w.rows.Relabel(context.Background(), before, after) })
}

// ListLive implements engine.Store.
func (s store) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		var live []engine.LiveMarker
		err := s.request(ctx, "list", func() error {
			live = s.p.w.live()
			return nil
		})
		if err != nil {
			yield(engine.LiveMarker{}, err)
			return
		}
		for _, one := range live {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// live returns the live markers in the order of their IDs.
func (w *world) live() (live []engine.LiveMarker) {
	for one, err := range w.rows.ListLive(context.Background()) {
		if err != nil {
			w.violated("the store lists its rows", err.Error())
		}
		live = append(live, one)
	}
	slices.SortFunc(live, func(a, b engine.LiveMarker) int { return cmp.Compare(a.ID, b.ID) })
	return live
}

// LoadItemLock implements engine.Locks.
func (s store) LoadItemLock(ctx context.Context, item string) (lock operation.ItemLock, etag string, err error) {
	err = s.request(ctx, "load lock", func() error {
		lock, etag, err = s.p.w.rows.LoadItemLock(context.Background(), item)
		return err
	})
	return lock, etag, err
}

// SaveItemLock implements engine.Locks.
func (s store) SaveItemLock(ctx context.Context, lock operation.ItemLock, etag string) error {
	w := s.p.w
	return s.request(ctx, "save lock for "+w.name(lock.Holder), func() error {
		w.items[lock.Item] = true
		return w.rows.SaveItemLock(context.Background(), lock, etag)
	})
}

// LoadShared implements state.SharedStore.
func (s store) LoadShared(ctx context.Context, kind, key string) (value []byte, etag string, err error) {
	err = s.request(ctx, "load "+kind, func() error {
		value, etag, err = s.p.w.rows.LoadShared(context.Background(), kind, key)
		return err
	})
	return value, etag, err
}

// SaveShared implements state.SharedStore.
func (s store) SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, saved bool, err error) {
	err = s.request(ctx, "save "+kind, func() error {
		newETag, saved, err = s.p.w.rows.SaveShared(context.Background(), kind, key, value, etag)
		return err
	})
	return newETag, saved, err
}

// notifier is the receiver of notices.
type notifier struct{ p *process }

// Broadcasts implements engine.Notifier.
func (n notifier) Broadcasts() bool { return true }

// Notify implements engine.Notifier.
func (n notifier) Notify(ctx context.Context, op operation.Operation, notice operation.Notice) error {
	w := n.p.w
	w.pass(n.p, "notify "+w.name(op.ID)+" "+string(notice.Kind)+notice.To)
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.away("bus") || w.happens(w.plan.torn/2) {
		return errAway
	}
	w.notices = append(w.notices, received{op.ID, notice})
	lost := w.happens(w.plan.torn / 2)
	w.pass(n.p, "notified")
	if lost {
		return fmt.Errorf("the receiver's answer is lost: %w", errAway)
	}
	return ctx.Err()
}
