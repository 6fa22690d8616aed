// Package memory implements the contract of package state in memory, for tests
// and benchmarks without Table Storage. It keeps records in their stored form, so
// that records which Table Storage rejects or changes are rejected or changed
// here too.
//
// The package must not know more than package state knows.
package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

// Store is safe for concurrent use.
type Store struct {
	mu           sync.Mutex
	version      int
	rows         map[string]row
	order        []place
	live         map[string]time.Time
	rejected     map[state.Position]rejected.Request
	removals     map[state.Position]rejected.Removal
	decisions    map[string]decision.Record
	exclusions   map[string]decision.Exclusion
	scheduleRuns map[string]storedRun
	locks        map[string]lockRow
	shared       map[string]sharedRow
}

type row struct {
	head   head
	text   []byte
	etag   string
	events [][]byte
}

// New returns an empty store.
func New() *Store {
	return &Store{
		rows: map[string]row{}, live: map[string]time.Time{}, rejected: map[state.Position]rejected.Request{},
		removals:  map[state.Position]rejected.Removal{},
		decisions: map[string]decision.Record{}, exclusions: map[string]decision.Exclusion{}, scheduleRuns: map[string]storedRun{},
		locks: map[string]lockRow{}, shared: map[string]sharedRow{},
	}
}

// Create implements engine.Store.
func (s *Store) Create(ctx context.Context, op operation.Operation, ev operation.Event) (engine.Row, bool, error) {
	text, err := state.EncodeNew(op)
	if err != nil {
		return engine.Row{}, false, err
	}
	event, err := state.EncodeEvent(ev)
	if err != nil {
		return engine.Row{}, false, err
	}
	if err := ctx.Err(); err != nil {
		return engine.Row{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if existing, ok := s.rows[op.ID]; ok {
		r, err := existing.load()
		// As in Table Storage, the marker is written before the row is read.
		s.live[op.ID] = r.Operation.CreatedAt
		return r, false, err
	}
	s.live[op.ID] = op.CreatedAt
	r := row{text: text, etag: s.etag(), events: [][]byte{event}}
	s.put(op, r)
	loaded, err := r.load()
	return loaded, true, err
}

// Load implements engine.Store.
func (s *Store) Load(ctx context.Context, id string) (engine.Row, error) {
	if err := ctx.Err(); err != nil {
		return engine.Row{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rows[id]
	if !ok {
		return engine.Row{}, fmt.Errorf("load operation %s: %w", id, engine.ErrNotFound)
	}
	return r.load()
}

// Save implements engine.Store.
func (s *Store) Save(ctx context.Context, changed engine.Row, ev operation.Event) (string, error) {
	text, err := state.Encode(changed.Operation)
	if err != nil {
		return "", err
	}
	event, err := state.EncodeEvent(ev)
	if err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := changed.Operation.ID
	r, ok := s.rows[id]
	if !ok {
		return "", fmt.Errorf("save operation %s: %w", id, engine.ErrNotFound)
	}
	if r.etag != changed.ETag {
		return "", fmt.Errorf("save operation %s: %w", id, engine.ErrConflict)
	}
	r.text, r.etag, r.events = text, s.etag(), append(r.events, event)
	s.put(changed.Operation, r)
	return r.etag, nil
}

// Reopen writes the live marker of a finalized operation that is about to be
// retried; see state.Store.Reopen.
func (s *Store) Reopen(ctx context.Context, id string, createdAt time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[id] = createdAt
	return nil
}

// Relabel implements engine.Store. The store has no index.
func (s *Store) Relabel(ctx context.Context, _, _ operation.Operation) error { return ctx.Err() }

// FinalizeByID implements engine.Store.
func (s *Store) FinalizeByID(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rows[id]
	if !ok {
		delete(s.live, id)
		return nil
	}
	loaded, err := r.load()
	if err != nil || !loaded.Operation.ReadyToFinalize() {
		return err
	}
	r.etag = s.etag()
	s.rows[id] = r
	delete(s.live, id)
	return nil
}

// Finalize implements engine.Store.
func (s *Store) Finalize(ctx context.Context, row engine.Row) error {
	return s.FinalizeByID(ctx, row.Operation.ID)
}

// ListLive implements engine.Store. The order is unspecified.
func (s *Store) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		s.mu.Lock()
		live := maps.Clone(s.live)
		s.mu.Unlock()
		for id, createdAt := range live {
			if err := ctx.Err(); err != nil {
				yield(engine.LiveMarker{}, err)
				return
			}
			if !yield(engine.LiveMarker{ID: id, CreatedAt: createdAt}, nil) {
				return
			}
		}
	}
}

// History yields the events of an operation in the order of their saves.
func (s *Store) History(ctx context.Context, id string) iter.Seq2[operation.Event, error] {
	return func(yield func(operation.Event, error) bool) {
		s.mu.Lock()
		events := slices.Clone(s.rows[id].events)
		s.mu.Unlock()
		for _, text := range events {
			ev, err := state.DecodeEvent(text)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// List returns one page of the operations that match the query.
func (s *Store) List(ctx context.Context, q operation.Query) (operation.Page, error) {
	after, err := state.ParseContinue(q.Continue)
	if err != nil {
		return operation.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return operation.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var page operation.Page
	last := state.Position("")
	for i := s.after(after) - 1; i >= 0; i-- {
		r := s.rows[s.order[i].id]
		if !r.head.mayMatch(q) {
			continue
		}
		loaded, err := r.load()
		if err != nil {
			return operation.Page{}, err
		}
		if !q.Matches(loaded.Operation) {
			continue
		}
		if len(page.Operations) == q.Size() {
			page.Continue = last.Continue()
			break
		}
		page.Operations, last = append(page.Operations, loaded.Operation.WithoutURLs()), r.head.at
	}
	return page, nil
}

// firstPage returns the first records in the order of their positions, and the
// continuation token of the next page.
func firstPage[T any](found map[state.Position]T, size int) (page []T, next string) {
	order := slices.SortedFunc(maps.Keys(found), func(a, b state.Position) int { return strings.Compare(string(a), string(b)) })
	for i, at := range order {
		if i == size {
			return page, order[i-1].Continue()
		}
		page = append(page, found[at])
	}
	return page, ""
}

func (s *Store) etag() string {
	s.version++
	return fmt.Sprintf(`W/"%d"`, s.version)
}

func (r row) load() (engine.Row, error) {
	op, err := state.Decode(r.text)
	if err != nil {
		return engine.Row{}, err
	}
	return engine.Row{Operation: op, ETag: r.etag}, nil
}
