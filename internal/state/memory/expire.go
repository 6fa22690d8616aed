package memory

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"azbackupflow/internal/request"
	"azbackupflow/internal/state"
)

// Expire deletes records that are older than the given time; see
// state.Store.Expire.
func (s *Store) Expire(ctx context.Context, before time.Time, limit int) (done state.Expired, err error) {
	if err := ctx.Err(); err != nil {
		return done, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.rows {
		loaded, err := r.load()
		if err != nil {
			return done, err
		}
		if op := loaded.Operation; done.Operations < limit && op.ReadyToFinalize() && op.EndedAt.Before(before) {
			s.remove(id)
			done.Operations++
		}
	}
	done.Rejected = s.purgeRejected(before, limit)
	done.Removals = s.expireRemovals(before, limit)
	for item, r := range s.locks {
		if _, exists := s.rows[r.lock.Holder]; done.Locks < limit && !exists && r.lock.Since.Before(before) {
			delete(s.locks, item)
			done.Locks++
		}
	}
	for name, row := range s.shared {
		var record request.BulkRecord
		if strings.HasPrefix(name, request.BulkRecords+":") && json.Unmarshal(row.value, &record) == nil && record.UpdatedAt.Before(before) {
			delete(s.shared, name)
		}
	}
	done.More = done.Operations >= limit || done.Rejected >= limit || done.Removals >= limit || done.Locks >= limit
	return done, nil
}
