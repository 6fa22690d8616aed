package ratelimit

import (
	"context"
	"encoding/json"
	"time"

	"azbackupflow/internal/operation"
)

// Store holds small rows that instances share.
type Store interface {
	// Load returns a row and its ETag. Both are empty if there is no row.
	Load(ctx context.Context, key string) (value []byte, etag string, err error)
	// Save writes a row if it still has the ETag. An empty ETag means that there
	// is no row yet. done is false if another instance wrote the row first.
	Save(ctx context.Context, key string, value []byte, etag string) (newETag string, done bool, err error)
}

const (
	// maxSaveAttempts is how often a row is read again that other instances keep
	// writing.
	maxSaveAttempts = 4
	// maxStoreTime bounds the time for one row: steps must not wait for it.
	maxStoreTime = 3 * time.Second
	// storeRetryInterval is how long an unavailable Store is not used.
	storeRetryInterval = 30 * time.Second
)

// admission is the decision about one call.
type admission struct {
	allowance Allowance
	ok        bool
	// slot is the reserved time if the call was not admitted; moreSlots are
	// further slots for this instance.
	slot      time.Time
	moreSlots []time.Time
}

// decide admits a call or reserves slots.
func decide(a Allowance, now time.Time, p operation.Priority, s Assumptions, withMore bool) admission {
	d := admission{allowance: a}
	d.ok, d.slot = d.allowance.Admit(now, p, false, s)
	if d.ok {
		d.allowance.Spend(now, s)
	} else if withMore {
		d.moreSlots = d.allowance.moreSlots(now, p, s)
	}
	return d
}

// admitShared decides by the allowance that all instances share. If its row is
// unavailable, it decides by what this instance knows.
func (l *Limiter) admitShared(ctx context.Context, key string, known Allowance, p operation.Priority) admission {
	ctx, cancel := context.WithTimeout(ctx, maxStoreTime)
	defer cancel()
	var err error
	for range maxSaveAttempts {
		var d admission
		var done bool
		if d, done, err = l.tryShared(ctx, key, known, p); done {
			return d
		}
		if err != nil {
			break
		}
	}
	now := l.cfg.Now()
	if err != nil {
		l.cfg.Log.WarnContext(ctx, "shared rate limit unavailable", "key", key, "error", err)
		l.mu.Lock()
		l.storeRetryAt = now.Add(storeRetryInterval)
		l.mu.Unlock()
	}
	return decide(known, now, p, l.cfg.Assumptions, false)
}

// tryShared reads the shared row, decides and writes the row. done is false if
// another instance wrote the row first.
func (l *Limiter) tryShared(ctx context.Context, key string, known Allowance, p operation.Priority) (d admission, done bool, err error) {
	raw, etag, err := l.cfg.Store.Load(ctx, key)
	if err != nil {
		return d, false, err
	}
	merged := known
	var shared Allowance
	if len(raw) > 0 && json.Unmarshal(raw, &shared) == nil && shared.Quota == known.Quota {
		merged = Merge(known, shared)
	}
	d = decide(merged, l.cfg.Now(), p, l.cfg.Assumptions, true)
	text, err := json.Marshal(d.allowance)
	if err != nil {
		return d, false, err
	}
	_, done, err = l.cfg.Store.Save(ctx, key, text, etag)
	return d, done && err == nil, err
}
