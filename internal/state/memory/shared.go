package memory

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/state"
)

type sharedRow struct {
	value []byte
	etag  string
}

// LoadShared implements state.SharedStore.
func (s *Store) LoadShared(ctx context.Context, kind, key string) (value []byte, etag string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.shared[kind+":"+key]
	return row.value, row.etag, nil
}

// SaveShared implements state.SharedStore.
func (s *Store) SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (newETag string, saved bool, err error) {
	if err := state.CheckShared(value); err != nil {
		return "", false, err
	}
	if err := ctx.Err(); err != nil {
		return "", false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shared[kind+":"+key].etag != etag {
		return "", false, nil
	}
	row := sharedRow{value: value, etag: s.etag()}
	s.shared[kind+":"+key] = row
	return row.etag, true, nil
}

// ListShared yields the shared rows of a kind; see state.Store.ListShared.
func (s *Store) ListShared(ctx context.Context, kind string) iter.Seq2[state.SharedRow, error] {
	return func(yield func(state.SharedRow, error) bool) {
		s.mu.Lock()
		rows := maps.Clone(s.shared)
		s.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			key, ok := strings.CutPrefix(name, kind+":")
			if !ok {
				continue
			}
			if !yield(state.SharedRow{Key: key, Value: rows[name].value}, ctx.Err()) {
				return
			}
		}
	}
}
