package memory

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

// SaveRemoval stores the record of a removal.
func (s *Store) SaveRemoval(ctx context.Context, r rejected.Removal) error {
	if !rejected.ValidID(r.ID) {
		return fmt.Errorf("save removal %s: invalid ID; use rejected.NewID", r.ID)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removals[state.Position(r.ID)] = r
	return nil
}

// ListRemovals returns one page of the records of removals, newest first.
func (s *Store) ListRemovals(ctx context.Context, q rejected.Query) (page rejected.RemovalPage, err error) {
	after, err := state.ParseContinue(q.Continue)
	if err != nil {
		return page, err
	}
	if err := ctx.Err(); err != nil {
		return page, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[state.Position]rejected.Removal{}
	for at, r := range s.removals {
		if at > after && !r.At.Before(q.Since) {
			found[at] = r
		}
	}
	page.Removals, page.Continue = firstPage(found, q.Size())
	return page, nil
}

// expireRemovals deletes at most limit records that are older than the given time.
// The caller holds the mutex.
func (s *Store) expireRemovals(before time.Time, limit int) (deleted int) {
	for at, r := range s.removals {
		if deleted < limit && r.At.Before(before) {
			delete(s.removals, at)
			deleted++
		}
	}
	return deleted
}
