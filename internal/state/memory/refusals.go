package memory

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/state"
)

// Refusal gives one refusal by its handle.
func (s *Store) Refusal(ctx context.Context, handle string) (state.Refusal, error) {
	if err := ctx.Err(); err != nil {
		return state.Refusal{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refusals[state.Position(handle)]
	if !ok {
		return r, fmt.Errorf("load refusal %s: %w", handle, state.ErrNoRefusal)
	}
	return r, nil
}

// RemoveRefusal forgets one refusal.
func (s *Store) RemoveRefusal(ctx context.Context, handle string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refusals, state.Position(handle))
	return nil
}

// RemoveRefusals forgets refusals of before the time, at most so many.
func (s *Store) RemoveRefusals(ctx context.Context, before time.Time, most int) (removed int, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, r := range s.refusals {
		if removed < most && r.At.Before(before) {
			delete(s.refusals, at)
			removed++
		}
	}
	return removed, removed >= most, nil
}
