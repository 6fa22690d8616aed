package engine_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// errUnavailable is the error of an unavailable store or queue.
var errUnavailable = errors.New("unavailable")

// fault runs around one call. If before returns an error, the call is not made.
// If after returns an error, it replaces the call's result.
type fault struct {
	before, after func() error
}

func none() fault { return fault{} }

// unavailable fails without effect. lost fails after the effect.
func unavailable() fault { return fault{before: unreachable} }
func lost() fault        { return fault{after: unreachable} }

// diesBefore and diesAfter end the process: no code of the invocation runs after
// them, not even its recovery from panics.
func diesBefore() fault { return fault{before: die} }
func diesAfter() fault  { return fault{after: die} }

func unreachable() error { return errUnavailable }

func die() error {
	runtime.Goexit()
	return nil
}

// meanwhile runs a function just before the call, afterwards just after it.
func meanwhile(do func()) fault {
	return fault{before: func() error { do(); return nil }}
}

func afterwards(do func()) fault {
	return fault{after: func() error { do(); return nil }}
}

// faults holds the faults of a store or queue by the name of the call.
type faults struct {
	mu      sync.Mutex
	planned map[string][]fault
	always  map[string]fault
	count   map[string]int
	// each, if set, returns the fault for every call without a planned one.
	each func(call string) fault
}

// on plans faults for the next calls of that name, one each.
func (f *faults) on(call string, next ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planned == nil {
		f.planned = map[string][]fault{}
	}
	f.planned[call] = append(f.planned[call], next...)
}

// from plans the fault for every further call of that name.
func (f *faults) from(call string, every fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.always == nil {
		f.always = map[string]fault{}
	}
	f.always[call] = every
}

func (f *faults) calls(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count[call]
}

func (f *faults) take(call string) fault {
	f.mu.Lock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[call]++
	each := f.each
	if next := f.planned[call]; len(next) > 0 {
		f.planned[call] = next[1:]
		f.mu.Unlock()
		return next[0]
	}
	every, ok := f.always[call]
	f.mu.Unlock()
	if !ok && each != nil {
		return each(call)
	}
	return every
}

func (f *faults) around(call string, do func() error) error {
	now := f.take(call)
	if now.before != nil {
		if err := now.before(); err != nil {
			return err
		}
	}
	err := do()
	if now.after != nil {
		if lost := now.after(); lost != nil {
			return lost
		}
	}
	return err
}

// faultStore is a store that is unavailable, slow or killed on demand.
type faultStore struct {
	faults
	store engine.Store
}

func (s *faultStore) Create(ctx context.Context, op operation.Operation, ev operation.Event) (row engine.Row, created bool, err error) {
	err = s.around("create", func() (err error) {
		row, created, err = s.store.Create(ctx, op, ev)
		return err
	})
	return row, created, err
}

func (s *faultStore) Load(ctx context.Context, id string) (row engine.Row, err error) {
	err = s.around("load", func() (err error) {
		row, err = s.store.Load(ctx, id)
		return err
	})
	return row, err
}

func (s *faultStore) Save(ctx context.Context, row engine.Row, ev operation.Event) (etag string, err error) {
	err = s.around("save", func() (err error) {
		etag, err = s.store.Save(ctx, row, ev)
		return err
	})
	return etag, err
}

func (s *faultStore) FinalizeByID(ctx context.Context, id string) error {
	return s.around("finalize", func() error { return s.store.FinalizeByID(ctx, id) })
}

func (s *faultStore) Finalize(ctx context.Context, row engine.Row) error {
	return s.around("finalize", func() error { return s.store.Finalize(ctx, row) })
}

func (s *faultStore) Reopen(ctx context.Context, id string, createdAt time.Time) error {
	return s.around("reopen", func() error { return s.store.Reopen(ctx, id, createdAt) })
}

// Relabel implements engine.Store.
func (s *faultStore) Relabel(ctx context.Context, before, after operation.Operation) error {
	return s.around("relabel", func() error { return s.store.Relabel(ctx, before, after) })
}

func (s *faultStore) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		if err := s.around("live", func() error { return nil }); err != nil {
			yield(engine.LiveMarker{}, err)
			return
		}
		s.store.ListLive(ctx)(yield)
	}
}

// faultQueue is a queue with faults. It records the messages that were sent.
type faultQueue struct {
	faults
	queue engine.Queue
	noted sync.Mutex
	sent  []engine.Message
}

func (q *faultQueue) Send(ctx context.Context, m engine.Message) error {
	return q.around("send", func() error {
		q.noted.Lock()
		q.sent = append(q.sent, m)
		q.noted.Unlock()
		return q.queue.Send(ctx, m)
	})
}
