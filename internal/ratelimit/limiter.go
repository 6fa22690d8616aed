package ratelimit

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/operation"
)

// Config configures a Limiter. Now is required.
type Config struct {
	Now func() time.Time
	// Identity is the managed identity of the calls: each identity has its own
	// buckets. It may be empty if there is only one.
	Identity string
	// Assumptions default to DefaultAssumptions(1).
	Assumptions Assumptions
	// Store shares allowances that are running low between instances. If nil,
	// this instance keeps them to itself.
	Store Store
	Log   *slog.Logger
}

// Limiter holds the allowances of one process. It is safe for concurrent use.
// A nil Limiter admits every call.
type Limiter struct {
	cfg Config

	mu         sync.Mutex
	allowances map[string]*entry
	// region is the region from which Resource Manager last answered.
	region string
	// storeRetryAt is until when an unavailable Store is not used.
	storeRetryAt time.Time
}

// entry is an allowance and what only this process knows of it.
type entry struct {
	Allowance
	inFlight int
	usedAt   time.Time
	rate     rateMeter
	// slots were reserved for this instance in the shared row and are not
	// assigned to operations yet.
	slots [operation.PriorityOther + 1][]time.Time
}

// maxAllowances is the number of allowances above which unused ones are
// evicted.
const maxAllowances = 4096

// New returns an empty Limiter.
func New(cfg Config) (*Limiter, error) {
	if cfg.Now == nil {
		return nil, errors.New("rate limiter: Config.Now is missing")
	}
	if cfg.Assumptions == (Assumptions{}) {
		cfg.Assumptions = DefaultAssumptions(1)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Limiter{cfg: cfg, allowances: map[string]*entry{}}, nil
}

// Caller describes the caller of a call.
type Caller struct {
	Priority operation.Priority
	// Reservation is the Reservation of the operation.Deferral that the call
	// waited for; empty if it was not deferred.
	Reservation string
}

// priority returns the caller's priority, PriorityOther if it has none.
func (c Caller) priority() operation.Priority {
	if c.Priority < operation.PriorityRestore || c.Priority > operation.PriorityOther {
		return operation.PriorityOther
	}
	return c.Priority
}

// Acquire admits a call, or returns an *operation.Deferral. path is the path of
// the call's URL. The reservation is nil for calls that no limit applies to.
func (l *Limiter) Acquire(ctx context.Context, caller Caller, method, path string) (*Reservation, error) {
	if l == nil {
		return nil, nil
	}
	t, ok := targetOf(method, path)
	if !ok {
		return nil, nil
	}
	l.mu.Lock()
	bucket := t.bucketKey(l.cfg.Identity, l.region)
	l.mu.Unlock()
	r := &Reservation{limiter: l, target: t, keys: []string{bucket}}
	names := []string{t.bucketName()}
	if quota := t.quotaKey(); quota != "" {
		r.keys, names = append(r.keys, quota), append(names, t.quotaName())
	}
	for i, key := range r.keys {
		now := l.cfg.Now()
		if slot, ok := l.admit(ctx, key, caller, now); !ok {
			l.release(r.keys[:i])
			return nil, &operation.Deferral{Limit: names[i], Wait: max(slot.Sub(now), 0), Reservation: key}
		}
	}
	return r, nil
}

// admit asks one allowance and spends a call if it has capacity.
func (l *Limiter) admit(ctx context.Context, key string, caller Caller, now time.Time) (time.Time, bool) {
	hasSlot := caller.Reservation == key
	p := caller.priority()
	l.mu.Lock()
	e := l.entry(key, now)
	if !hasSlot && l.cfg.Store != nil && !now.Before(l.storeRetryAt) && e.Low(now, l.cfg.Assumptions) {
		if slot, ok := e.takeSlot(p, now); ok {
			l.mu.Unlock()
			return slot, false
		}
		known := e.Allowance
		l.mu.Unlock()
		shared := l.admitShared(ctx, key, known, p)
		l.mu.Lock()
		defer l.mu.Unlock()
		e = l.entry(key, now)
		e.Allowance = Merge(e.Allowance, shared.allowance)
		e.slots[p] = append(e.slots[p], shared.moreSlots...)
		if shared.ok {
			e.inFlight++
		}
		return shared.slot, shared.ok
	}
	defer l.mu.Unlock()
	ok, slot := e.Admit(now, p, hasSlot, l.cfg.Assumptions)
	if ok {
		e.Spend(now, l.cfg.Assumptions)
		e.inFlight++
	}
	return slot, ok
}

// takeSlot removes the next slot that was reserved for this instance.
func (e *entry) takeSlot(p operation.Priority, now time.Time) (time.Time, bool) {
	for len(e.slots[p]) > 0 {
		slot := e.slots[p][0]
		e.slots[p] = e.slots[p][1:]
		if slot.After(now) {
			return slot, true
		}
	}
	return time.Time{}, false
}

// entry returns an allowance, creating it if needed. The caller holds the lock.
func (l *Limiter) entry(key string, now time.Time) *entry {
	e, ok := l.allowances[key]
	if !ok {
		if len(l.allowances) >= maxAllowances {
			for k, old := range l.allowances {
				if old.inFlight == 0 && now.Sub(old.usedAt) > 2*old.window(l.cfg.Assumptions) {
					delete(l.allowances, k)
				}
			}
		}
		e = &entry{Allowance: Allowance{Quota: strings.HasPrefix(key, quotaPrefix)}}
		l.allowances[key] = e
	}
	e.usedAt = now
	return e
}

// release returns what was spent on a call that is not sent.
func (l *Limiter) release(keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		if e, ok := l.allowances[key]; ok {
			e.inFlight--
			if e.Limit > 0 {
				e.Remaining++
			}
		}
	}
}

// Spacing returns the interval between batches of n calls to a quota; see
// Allowance.Spacing.
func (l *Limiter) Spacing(method, path string, n float64) time.Duration {
	if l == nil {
		return 0
	}
	t, ok := targetOf(method, path)
	if !ok {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.allowances[t.quotaKey()]
	if !ok {
		return 0
	}
	return e.Spacing(l.cfg.Now(), n, l.cfg.Assumptions)
}

// Allowances returns what is known of the bucket and the quota of a call.
func (l *Limiter) Allowances(method, path string) (bucket, quota Allowance) {
	t, _ := targetOf(method, path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.allowances[t.bucketKey(l.cfg.Identity, l.region)]; ok {
		bucket = e.Allowance
	}
	if e, ok := l.allowances[t.quotaKey()]; ok {
		quota = e.Allowance
	}
	return bucket, quota
}
