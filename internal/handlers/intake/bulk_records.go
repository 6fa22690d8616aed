package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// Bulks keeps a record of each bulk, so that its key leads to its status.
type Bulks struct {
	rows SharedRows
	now  func() time.Time
}

// NewBulks returns Bulks that keep their records in shared rows.
func NewBulks(rows SharedRows, now func() time.Time) (*Bulks, error) {
	if rows == nil || now == nil {
		return nil, errors.New("intake: NewBulks needs shared rows and a clock")
	}
	return &Bulks{rows: rows, now: now}, nil
}

// maxRecordSaves limits how often a record is saved again after another
// invocation saved it first.
const maxRecordSaves = 10

// Record adds targets to the record of a bulk, by the keys of their operations.
// It may be repeated.
func (s *Bulks) Record(ctx context.Context, b request.Bulk, by operation.Cause, accepted, rejected []string) error {
	for range maxRecordSaves {
		record, etag, err := s.load(ctx, b.Key)
		if err != nil {
			return err
		}
		next, changed := record.With(digests(b.Key, accepted), digests(b.Key, rejected))
		if !changed && etag != "" {
			return nil
		}
		next.UpdatedAt = s.now()
		if etag == "" {
			next.Key, next.Flow, next.CreatedAt, next.Cause = b.Key, b.Template.Flow, next.UpdatedAt, by
		}
		raw, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("encode the record of bulk %q: %w", b.Key, err)
		}
		_, saved, err := s.rows.Save(ctx, b.Key, raw, etag)
		if errors.Is(err, engine.ErrTooLarge) {
			return nil // the operations count; only the total is too small
		}
		if err != nil {
			return fmt.Errorf("save the record of bulk %q: %w", b.Key, err)
		}
		if saved {
			return nil
		}
	}
	return fmt.Errorf("save the record of bulk %q: too many concurrent writers", b.Key)
}

// Load returns the record of a bulk. found is false if there is none.
func (s *Bulks) Load(ctx context.Context, key string) (record request.BulkRecord, found bool, err error) {
	record, etag, err := s.load(ctx, key)
	return record, etag != "", err
}

// load returns a record and its ETag. A record that cannot be read is replaced.
func (s *Bulks) load(ctx context.Context, key string) (record request.BulkRecord, etag string, err error) {
	raw, etag, err := s.rows.Load(ctx, key)
	if err != nil {
		return record, "", fmt.Errorf("load the record of bulk %q: %w", key, err)
	}
	if len(raw) > 0 && json.Unmarshal(raw, &record) != nil {
		return request.BulkRecord{Key: key}, etag, nil
	}
	return record, etag, nil
}

func digests(bulkKey string, keys []string) []string {
	var all []string
	for _, key := range keys {
		if digest := request.Digest(bulkKey, key); digest != "" {
			all = append(all, digest)
		}
	}
	return all
}
