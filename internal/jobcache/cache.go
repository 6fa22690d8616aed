package jobcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/operation"
)

// Store keeps rows that all instances share. state.SharedStore implements it.
type Store interface {
	// Load returns the row and its ETag; both are empty if there is no row.
	Load(ctx context.Context, key string) (value []byte, etag string, err error)
	// Save stores the row if it still has the ETag; an empty ETag means that
	// there is no row yet. It returns saved = false if the ETag differs.
	Save(ctx context.Context, key string, value []byte, etag string) (newETag string, saved bool, err error)
}

// Config configures a Cache. MinGap, SpeedFactor and Log are optional.
type Config struct {
	Store Store
	Now   func() time.Time
	// NewID returns a new unique ID.
	NewID func() string
	// Waits holds the minimum and maximum polling interval of a job.
	Waits operation.Waits
	// SpeedFactor divides the cache's own durations; 0 means 1. The local stack
	// sets it, because its jobs run faster than those of Azure.
	SpeedFactor float64
	// MinGap returns the minimum time between two lists of a vault's jobs, if
	// one list takes the given number of calls. It depends on the remaining
	// quota; nil means no minimum.
	MinGap func(vault string, calls int) time.Duration
	Log    *slog.Logger
}

// Cache finds jobs in shared snapshots. It is safe for concurrent use.
type Cache struct {
	cfg Config
	// listDelay, leaseDuration and retryInterval are the constants of those
	// names, divided by the speed factor.
	listDelay, leaseDuration, retryInterval time.Duration

	mu sync.Mutex
	// vaults holds the vaults in which operations of this process wait.
	vaults map[string]*vault
}

// New returns an empty cache.
func New(cfg Config) (*Cache, error) {
	if cfg.Store == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("job cache: Config.Store, Now and NewID are required")
	}
	if cfg.MinGap == nil {
		cfg.MinGap = func(string, int) time.Duration { return 0 }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SpeedFactor == 0 {
		cfg.SpeedFactor = 1
	}
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) / cfg.SpeedFactor) }
	return &Cache{
		cfg: cfg, vaults: map[string]*vault{},
		listDelay: scaled(listDelay), leaseDuration: scaled(leaseDuration), retryInterval: scaled(retryInterval),
	}, nil
}

// Query selects one job.
type Query struct {
	// Vault is the resource ID of the vault, Job the name or resource ID of the
	// job.
	Vault, Job string
	// RequestedAt is the time of the request that started the job.
	RequestedAt time.Time
	// Own is set if this operation started the job. A job that something else
	// started may be older than RequestedAt.
	Own bool
	// List returns the vault's jobs that started at or after a time, in any
	// order, and the number of calls it made.
	List func(ctx context.Context, since time.Time) (jobs []Job, calls int, err error)
}

// Result reports what the cache knows about a job.
type Result struct {
	// ReadDirectly is set if the caller must read the job itself; no other
	// field is set then.
	ReadDirectly bool
	// Listed is set if the snapshot contains the job. A job that is missing may
	// have started after the list was made.
	Listed bool
	Job    Job
	// Next is the time until the next snapshot is due.
	Next time.Duration
}

const (
	// minWaiting is the number of jobs of one vault that this process waits for
	// from which a list costs less than reading each job.
	minWaiting = 3
	// listDelay is the time after its start during which a job may be missing
	// from lists.
	listDelay = 30 * time.Second
	// leaseDuration is the maximum duration of a list. retryInterval is the time
	// until the next look at a snapshot that another instance refreshes.
	leaseDuration = 2 * time.Minute
	retryInterval = 5 * time.Second
	// firstListAge is how far back the first list of a vault goes.
	firstListAge = 24 * time.Hour
	// intervalShare is the share of the polling interval after which a list is
	// due. Wake-ups come late by their jitter; the share keeps the total within
	// the interval.
	intervalShare = 0.9
)

// Find looks up a job. Errors come from Query.List.
func (c *Cache) Find(ctx context.Context, q Query) (Result, error) {
	key := strings.ToLower(q.Vault)
	now := c.cfg.Now()
	v, enough := c.join(key, q.Job, now)
	if !enough {
		return Result{ReadDirectly: true}, nil
	}
	r, err := c.find(ctx, v, key, q, now)
	if r.Next > 0 {
		c.expect(v, q.Job, now.Add(r.Next))
	}
	return r, err
}

// find looks up a job in the snapshot of its vault, which it refreshes if
// necessary.
func (c *Cache) find(ctx context.Context, v *vault, key string, q Query, now time.Time) (Result, error) {
	if r, done := c.cached(v, q, now); done {
		return r, nil
	}
	// Only one goroutine of this process at a time reads the shared row.
	select {
	case v.reading <- struct{}{}:
		defer func() { <-v.reading }()
	case <-ctx.Done():
		return Result{}, fmt.Errorf("wait for the job list: %w", ctx.Err())
	}
	now = c.cfg.Now()
	if r, done := c.cached(v, q, now); done {
		return r, nil
	}
	s, etag, err := c.load(ctx, v, key)
	if err != nil {
		c.cfg.Log.WarnContext(ctx, "job list unavailable, job read directly", "vault", q.Vault, "error", err)
		return Result{ReadDirectly: true}, nil
	}
	if r, done := c.lookup(&s, q, now); done {
		return r, nil
	}
	if now.Before(s.LeaseUntil) || now.Before(s.NotBefore) {
		return c.retryLater(s, now), nil
	}
	return c.refresh(ctx, v, key, s, etag, q)
}

// cached looks up a job in the snapshot that this process loaded last.
func (c *Cache) cached(v *vault, q Query, now time.Time) (Result, bool) {
	c.mu.Lock()
	s := v.snapshot
	c.mu.Unlock()
	return c.lookup(&s, q, now)
}

// lookup looks up a job in a snapshot. It returns false if the snapshot is too
// old for the job.
func (c *Cache) lookup(s *snapshot, q Query, now time.Time) (Result, bool) {
	if s.Listed.IsZero() {
		return Result{}, false
	}
	job, found := s.find(q.Job)
	due := s.Due
	if own := s.Listed.Add(max(c.interval(now.Sub(q.RequestedAt)), s.Gap)); q.Own && own.Before(due) {
		due = own
	}
	fresh := now.Before(due)
	switch {
	case found && job.State() != backupjob.Running:
		return Result{Listed: true, Job: job}, true
	case found && fresh:
		return Result{Listed: true, Job: job, Next: due.Sub(now)}, true
	case found, !fresh:
		return Result{}, false
	case q.Own && s.Listed.Before(q.RequestedAt.Add(c.listDelay)):
		// The job may have started after the list was made.
		return Result{Next: due.Sub(now)}, true
	}
	return Result{ReadDirectly: true}, true
}

// interval returns the polling interval of a job of the given age.
func (c *Cache) interval(age time.Duration) time.Duration {
	w := c.cfg.Waits
	return time.Duration(intervalShare * float64(min(max(age/10, w.MinJob), w.MaxJob)))
}

// retryLater returns the result while another instance refreshes the snapshot,
// or while the vault's quota is used up.
func (c *Cache) retryLater(s snapshot, now time.Time) Result {
	return Result{Next: max(c.retryInterval, s.NotBefore.Sub(now))}
}
