package memory

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

// SaveRejected stores a rejected request.
func (s *Store) SaveRejected(ctx context.Context, r rejected.Request) error {
	if !rejected.ValidID(r.ID) {
		return fmt.Errorf("save rejected request %s: invalid ID; use rejected.NewID", r.ID)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected[state.Position(r.ID)] = r
	return nil
}

// LoadRejected returns a rejected request, or rejected.ErrNotFound.
func (s *Store) LoadRejected(ctx context.Context, id string) (rejected.Request, error) {
	if err := ctx.Err(); err != nil {
		return rejected.Request{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rejected[state.Position(id)]
	if !ok {
		return r, fmt.Errorf("load rejected request %s: %w", id, rejected.ErrNotFound)
	}
	return r, nil
}

// ListRejected returns one page of rejected requests, newest first.
func (s *Store) ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error) {
	after, err := state.ParseContinue(q.Continue)
	if err != nil {
		return rejected.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return rejected.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[state.Position]rejected.Request{}
	for at, r := range s.rejected {
		if at > after && !r.At.Before(q.Since) {
			found[at] = r.Shortened()
		}
	}
	var page rejected.Page
	page.Requests, page.Continue = firstPage(found, q.Size())
	return page, nil
}

// DeleteRejected deletes a rejected request.
func (s *Store) DeleteRejected(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rejected, state.Position(id))
	return nil
}

// PurgeRejected deletes at most limit requests that were rejected before the
// given time.
func (s *Store) PurgeRejected(ctx context.Context, before time.Time, limit int) (deleted int, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	deleted = s.purgeRejected(before, limit)
	return deleted, deleted >= limit, nil
}

// purgeRejected is PurgeRejected for callers that hold the mutex.
func (s *Store) purgeRejected(before time.Time, limit int) (deleted int) {
	for at, r := range s.rejected {
		if deleted < limit && r.At.Before(before) {
			delete(s.rejected, at)
			deleted++
		}
	}
	return deleted
}
