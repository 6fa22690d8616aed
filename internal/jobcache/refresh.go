package jobcache

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"azbackupflow/internal/operation"
)

// load returns the shared snapshot and its ETag.
func (c *Cache) load(ctx context.Context, v *vault, key string) (snapshot, string, error) {
	raw, etag, err := c.cfg.Store.Load(ctx, key)
	if err != nil {
		return snapshot{}, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if etag != "" && etag == v.etag {
		return v.snapshot, etag, nil
	}
	var s snapshot
	if len(raw) > 0 && json.Unmarshal(raw, &s) != nil {
		// The next refresh replaces a row that cannot be decoded.
		s = snapshot{}
	}
	v.snapshot, v.etag = s, etag
	return s, etag, nil
}

// save stores the shared snapshot if it still has the ETag.
func (c *Cache) save(ctx context.Context, v *vault, key string, s snapshot, etag string) (newETag string, saved bool, err error) {
	text, err := s.encode()
	if err != nil {
		return "", false, err
	}
	newETag, saved, err = c.cfg.Store.Save(ctx, key, text, etag)
	if err != nil || !saved {
		return "", false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v.snapshot, v.etag = s, newETag
	return newETag, true, nil
}

// refresh takes the lease, lists the vault's jobs and saves the new snapshot.
// If another instance takes the lease first, the result asks the caller to come
// back shortly and read the snapshot of that instance.
func (c *Cache) refresh(ctx context.Context, v *vault, key string, s snapshot, etag string, q Query) (Result, error) {
	now := c.cfg.Now()
	leased := s
	leased.Jobs = append([]Job(nil), s.Jobs...)
	leased.Lease, leased.LeaseUntil, leased.NotBefore = c.cfg.NewID(), now.Add(c.leaseDuration), time.Time{}
	etag, saved, err := c.save(ctx, v, key, leased, etag)
	switch {
	case err != nil:
		c.cfg.Log.WarnContext(ctx, "job list lease not saved, job read directly", "vault", q.Vault, "error", err)
		return Result{ReadDirectly: true}, nil
	case !saved:
		return c.retryLater(snapshot{}, now), nil
	}
	since := s.listSince(now, oldestNeeded(&s, q, now))
	jobs, calls, err := q.List(ctx, since)
	if err != nil {
		c.release(ctx, v, key, leased, etag, err)
		return Result{}, err
	}
	next := leased.updated(jobs, since, now, 12*c.cfg.Waits.MaxJob)
	next.Calls = max(calls, 1)
	next.Gap = c.cfg.MinGap(q.Vault, next.Calls)
	next.Due = now.Add(max(c.interval(now.Sub(next.youngestStart())), next.Gap))
	if _, _, err := c.save(ctx, v, key, next, etag); err != nil {
		// The result is correct although it is not shared; the lease expires.
		c.cfg.Log.WarnContext(ctx, "job list not saved", "vault", q.Vault, "error", err)
	}
	r, done := c.lookup(&next, q, now)
	if !done {
		return Result{ReadDirectly: true}, nil
	}
	return r, nil
}

// oldestNeeded returns the earliest start time that the next list must contain
// for the query. The first list of a vault goes back further, because it also
// serves other operations.
func oldestNeeded(s *snapshot, q Query, now time.Time) time.Time {
	since := q.RequestedAt.Add(-time.Minute)
	if s.Listed.IsZero() {
		if back := now.Add(-firstListAge); back.Before(since) {
			return back
		}
	}
	return since
}

// release releases the lease after a failed list. The next list waits for the
// Retry-After of the error.
func (c *Cache) release(ctx context.Context, v *vault, key string, s snapshot, etag string, err error) {
	s.Lease, s.LeaseUntil = "", time.Time{}
	var known *operation.Error
	if errors.As(err, &known) {
		s.NotBefore = c.cfg.Now().Add(known.RetryAfter)
	}
	if _, _, err := c.save(ctx, v, key, s, etag); err != nil {
		// The lease expires by itself.
		c.cfg.Log.WarnContext(ctx, "job list lease not released", "vault", key, "error", err)
	}
}
