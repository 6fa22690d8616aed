package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// CountEnded counts finalized operations; see state.Store.CountEnded.
func (s *Store) CountEnded(ctx context.Context, since time.Time, limit int) (counts operation.Counts, complete bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	counts = operation.Counts{}
	read := 0
	for id, r := range s.rows {
		if _, live := s.live[id]; live || !r.head.status.Terminal() || r.head.createdAt.Before(since) {
			continue
		}
		if read == limit {
			return counts, false, nil
		}
		read++
		counts.Add(r.head.flow, r.head.status)
	}
	return counts, true, nil
}

// ListBulk returns the operations that a bulk has started; see state.Store.ListBulk.
func (s *Store) ListBulk(ctx context.Context, key string) ([]operation.Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[state.Position]operation.Member{}
	var order []state.Position
	for _, r := range s.rows {
		loaded, err := r.load()
		if err != nil {
			return nil, err
		}
		if op := loaded.Operation; op.Bulk == key {
			at := state.PositionOf(op.CreatedAt, op.ID)
			found[at] = operation.Member{ID: op.ID, Status: op.Status}
			order = append(order, at)
		}
	}
	slices.SortFunc(order, func(a, b state.Position) int { return strings.Compare(string(a), string(b)) })
	var members []operation.Member
	for _, at := range order {
		members = append(members, found[at])
	}
	return members, nil
}
