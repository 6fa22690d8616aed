package memory

import (
	"context"

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
