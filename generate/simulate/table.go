package simulate

import (
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// deferralEvent begins the event of a deferral (operation.Defer).
const deferralEvent = "deferred: "

// Create implements engine.Store. Table Storage needs a transaction for marker
// and index entries, and one for row and event.
func (w *world) Create(_ context.Context, op operation.Operation, _ operation.Event) (engine.Row, bool, error) {
	w.countTable(0, 2)
	if r, ok := w.rows[op.ID]; ok {
		return engine.Row{Operation: r.op, ETag: fmt.Sprint(r.version)}, false, nil
	}
	w.rows[op.ID] = &row{op: op}
	return engine.Row{Operation: op, ETag: "0"}, true, nil
}

// Load implements engine.Store.
func (w *world) Load(_ context.Context, id string) (engine.Row, error) {
	w.countTable(1, 0)
	r, ok := w.rows[id]
	if !ok {
		return engine.Row{}, engine.ErrNotFound
	}
	return engine.Row{Operation: r.op, ETag: fmt.Sprint(r.version)}, nil
}

// Save implements engine.Store.
func (w *world) Save(_ context.Context, saved engine.Row, ev operation.Event) (string, error) {
	w.countTable(0, 1)
	r := w.rows[saved.Operation.ID]
	if r == nil || fmt.Sprint(r.version) != saved.ETag {
		return "", engine.ErrConflict
	}
	r.version++
	r.op = saved.Operation
	if what, ok := strings.CutPrefix(ev.What, deferralEvent); ok {
		what, _, _ = strings.Cut(what, ",")
		name := quotaName(what)
		if w.deferred[name] == nil {
			w.deferred[name] = &Calls{First: w.now.Sub(w.began)}
		}
		w.deferred[name].Deferred++
	}
	return fmt.Sprint(r.version), nil
}

// Finalize implements engine.Store. Table Storage needs one transaction.
func (w *world) Finalize(context.Context, engine.Row) error {
	w.countTable(0, 1)
	return nil
}

// FinalizeByID implements engine.Store.
func (w *world) FinalizeByID(context.Context, string) error { return errors.ErrUnsupported }

// Reopen implements engine.Store.
func (w *world) Reopen(context.Context, string, time.Time) error { return errors.ErrUnsupported }

// Relabel implements engine.Store.
func (w *world) Relabel(context.Context, operation.Operation, operation.Operation) error {
	return errors.ErrUnsupported
}

// ListLive implements engine.Store.
func (w *world) ListLive(context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) { yield(engine.LiveMarker{}, errors.ErrUnsupported) }
}

// LoadShared implements state.SharedRows.
func (w *world) LoadShared(ctx context.Context, kind, key string) ([]byte, string, error) {
	w.countTable(1, 0)
	return w.shared.LoadShared(ctx, kind, key)
}

// SaveShared implements state.SharedRows.
func (w *world) SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (string, bool, error) {
	w.countTable(0, 1)
	return w.shared.SaveShared(ctx, kind, key, value, etag)
}

func (w *world) countTable(reads, writes int) {
	at := w.now.Truncate(time.Minute)
	m := w.minute[at]
	m[1] += reads + writes
	w.minute[at] = m
	w.report.TableReads += reads
	w.report.TableWrites += writes
}

// quotaName returns the name in the report of a limit as operations name it.
func quotaName(what string) string {
	switch what {
	case "read limit":
		return "subscription reads"
	case "write limit":
		return "subscription writes"
	}
	for _, kind := range []string{"backupJobs", "backupOperations", "protectedItems"} {
		if strings.HasPrefix(what, strings.ToLower(kind)) {
			return kind + " of a vault"
		}
	}
	return what
}
