package jobcache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/operation"
)

// Shelf keeps rows that instances share; see state.Shelf.
type Shelf interface {
	Get(ctx context.Context, key string) (value []byte, etag string, err error)
	Put(ctx context.Context, key string, value []byte, etag string) (newETag string, done bool, err error)
}

// Config is what a Board works with. All fields but Pace and Log are needed.
type Config struct {
	Shelf Shelf
	Clock func() time.Time
	// NewID gives an id that was never used before.
	NewID func() string
	// Waits hold how often a job is looked at.
	Waits operation.Waits
	// Pace says how far apart listings of so many calls of a vault's jobs may
	// be, by what is left of its quota; nil where that is not known.
	Pace func(vault string, calls int) time.Duration
	Log  *slog.Logger
}

// Board reads vaults' job lists. It is safe for concurrent use.
type Board struct {
	cfg Config

	mu sync.Mutex
	// vaults are those that operations of this process wait in.
	vaults map[string]*vault
}

// vault is what this process remembers of a vault.
type vault struct {
	// waiting are the jobs that were asked for, and when they were last, or will
	// be next.
	waiting map[string]time.Time
	// row is the shared row as last read.
	row  Row
	etag string
	// turn is held by the invocation that asks what is new.
	turn chan struct{}
}

// New makes a board.
func New(cfg Config) *Board {
	if cfg.Pace == nil {
		cfg.Pace = func(string, int) time.Duration { return 0 }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Board{cfg: cfg, vaults: map[string]*vault{}}
}

// Query asks for one job.
type Query struct {
	// Vault is the vault's resource id, Job the job's name or resource id.
	Vault, Job string
	// Since is when the job was asked for, and Asked whether this operation
	// did: a job that something else started may be older.
	Since time.Time
	Asked bool
	// List lists the vault's jobs that started at a time or later, in any
	// order, and says how many calls that took.
	List func(ctx context.Context, since time.Time) (jobs []Job, calls int, err error)
}

// Answer is what is known of a job.
type Answer struct {
	// Alone says that the job must be read alone; nothing else is set then.
	Alone bool
	// Listed says that the list has the job. One that is not listed yet may
	// have started after the list was made.
	Listed bool
	Job    Job
	// Next is how long until there will be something new.
	Next time.Duration
}

const (
	// crowd is the number of jobs of a vault, waited for by one process, from
	// which on a list is cheaper than reading each.
	crowd = 3
	// visible is how long a job may be missing from lists after its start.
	visible = 30 * time.Second
	// leaseTime is how long a listing may take, and retryTime how soon to look
	// whether another's is done.
	leaseTime = 2 * time.Minute
	retryTime = 5 * time.Second
	// lookBack is how far the first listing reaches where the start of a job
	// is not known.
	lookBack = 24 * time.Hour
	// ahead is the share of the interval after which a list is due: with the
	// jitter of the wake-ups, what ends is seen within the interval.
	ahead = 0.9
)

// Find looks a job up. An error is that of listing.
func (b *Board) Find(ctx context.Context, q Query) (Answer, error) {
	key := strings.ToLower(q.Vault)
	now := b.cfg.Clock()
	v, crowded := b.join(key, q.Job, now)
	if !crowded {
		return Answer{Alone: true}, nil
	}
	a, err := b.find(ctx, v, key, q, now)
	if a.Next > 0 {
		b.expect(v, q.Job, now.Add(a.Next))
	}
	return a, err
}

// find looks a job of many up.
func (b *Board) find(ctx context.Context, v *vault, key string, q Query, now time.Time) (Answer, error) {
	if a, done := b.known(v, q, now); done {
		return a, nil
	}
	// One invocation of this process at a time asks what is new.
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("wait for the job list: %w", ctx.Err())
	}
	now = b.cfg.Clock()
	if a, done := b.known(v, q, now); done {
		return a, nil
	}
	row, etag, err := b.load(ctx, v, key)
	if err != nil {
		b.cfg.Log.WarnContext(ctx, "job list is out of reach; reading the job alone", "vault", q.Vault, "error", err)
		return Answer{Alone: true}, nil
	}
	if a, done := b.answer(&row, q, now); done {
		return a, nil
	}
	if now.Before(row.LeaseUntil) || now.Before(row.NotBefore) {
		return b.waitFor(row, now), nil
	}
	return b.refresh(ctx, v, key, row, etag, q)
}

// known answers from the row as this process last saw it.
func (b *Board) known(v *vault, q Query, now time.Time) (Answer, bool) {
	b.mu.Lock()
	row := v.row
	b.mu.Unlock()
	return b.answer(&row, q, now)
}

// join notes that a job is waited for, and says whether enough are.
func (b *Board) join(key, job string, now time.Time) (*vault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.vaults[key]
	if !ok {
		v = &vault{waiting: map[string]time.Time{}, turn: make(chan struct{}, 1)}
		b.vaults[key] = v
	}
	v.waiting[strings.ToLower(job)] = now
	if len(v.waiting) < crowd {
		return v, false
	}
	if len(v.waiting)%16 == 0 || len(v.waiting) < 2*crowd {
		// Who has not looked for so long has found what it waited for.
		for name, at := range v.waiting {
			if now.Sub(at) > 2*b.cfg.Waits.MaxJob {
				delete(v.waiting, name)
			}
		}
	}
	return v, len(v.waiting) >= crowd
}

// expect notes when a job will be asked for again: where little of a quota is
// left that is later than others forget who does not ask.
func (b *Board) expect(v *vault, job string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v.waiting[strings.ToLower(job)] = at
}

// Forget notes that a job is waited for no more.
func (b *Board) Forget(vaultID, job string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strings.ToLower(vaultID)
	v, ok := b.vaults[key]
	if !ok {
		return
	}
	delete(v.waiting, strings.ToLower(job))
	if len(v.waiting) == 0 {
		delete(b.vaults, key)
	}
}

// interval is how often a job of the age is to be looked at.
func (b *Board) interval(age time.Duration) time.Duration {
	w := b.cfg.Waits
	return time.Duration(ahead * float64(min(max(age/10, w.MinJob), w.MaxJob)))
}

// scaled is a duration at the speed of the waits.
func (b *Board) scaled(d time.Duration) time.Duration {
	if b.cfg.Waits.Retry <= 0 {
		return d
	}
	return time.Duration(float64(d) / b.cfg.Waits.Retry)
}

// answer reads the answer from a row, if the row is new enough for it.
func (b *Board) answer(row *Row, q Query, now time.Time) (Answer, bool) {
	if row.Listed.IsZero() {
		return Answer{}, false
	}
	job, found := row.find(q.Job)
	due := row.Due
	if own := row.Listed.Add(max(b.interval(now.Sub(q.Since)), row.Gap)); q.Asked && own.Before(due) {
		due = own
	}
	fresh := now.Before(due)
	switch {
	case found && job.State() != backupjob.Running:
		return Answer{Listed: true, Job: job}, true
	case found && fresh:
		return Answer{Listed: true, Job: job, Next: due.Sub(now)}, true
	case found, !fresh:
		return Answer{}, false
	case q.Asked && row.Listed.Before(q.Since.Add(b.scaled(visible))):
		// It started after the list was made.
		return Answer{Next: due.Sub(now)}, true
	}
	return Answer{Alone: true}, true
}

// waitFor is the answer while someone else lists.
func (b *Board) waitFor(row Row, now time.Time) Answer {
	wait := b.scaled(retryTime)
	if until := row.NotBefore.Sub(now); until > wait {
		wait = until
	}
	return Answer{Next: wait}
}

// load reads the shared row.
func (b *Board) load(ctx context.Context, v *vault, key string) (Row, string, error) {
	raw, etag, err := b.cfg.Shelf.Get(ctx, key)
	if err != nil {
		return Row{}, "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if etag != "" && etag == v.etag {
		return v.row, etag, nil
	}
	var row Row
	if len(raw) > 0 && json.Unmarshal(raw, &row) != nil {
		// It is only a list; the next listing writes it anew.
		row = Row{}
	}
	v.row, v.etag = row, etag
	return row, etag, nil
}

// store writes the shared row.
func (b *Board) store(ctx context.Context, v *vault, key string, row Row, etag string) (string, bool, error) {
	text, err := row.encode()
	if err != nil {
		return "", false, err
	}
	newETag, done, err := b.cfg.Shelf.Put(ctx, key, text, etag)
	if err != nil || !done {
		return "", false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	v.row, v.etag = row, newETag
	return newETag, true, nil
}

// refresh takes the lease, lists and writes down. Who loses the race waits a
// moment and reads what the winner wrote.
func (b *Board) refresh(ctx context.Context, v *vault, key string, row Row, etag string, q Query) (Answer, error) {
	now := b.cfg.Clock()
	mine := row
	mine.Jobs = append([]Job(nil), row.Jobs...)
	mine.Lease, mine.LeaseUntil, mine.NotBefore = b.cfg.NewID(), now.Add(b.scaled(leaseTime)), time.Time{}
	etag, done, err := b.store(ctx, v, key, mine, etag)
	switch {
	case err != nil:
		b.cfg.Log.WarnContext(ctx, "job list cannot be written; reading the job alone", "vault", q.Vault, "error", err)
		return Answer{Alone: true}, nil
	case !done:
		return b.waitFor(Row{}, now), nil
	}
	since := row.next(now, b.reach(&row, q, now))
	jobs, calls, err := q.List(ctx, since)
	if err != nil {
		b.release(ctx, v, key, mine, etag, err)
		return Answer{}, err
	}
	next := mine.listed(jobs, since, now, 12*b.cfg.Waits.MaxJob)
	next.Calls = max(calls, 1)
	next.Gap = b.cfg.Pace(q.Vault, next.Calls)
	next.Due = now.Add(max(b.interval(now.Sub(next.youngest())), next.Gap))
	if _, _, err := b.store(ctx, v, key, next, etag); err != nil {
		// What was read is true all the same; the lease ends by itself.
		b.cfg.Log.WarnContext(ctx, "job list cannot be written", "vault", q.Vault, "error", err)
	}
	a, done := b.answer(&next, q, now)
	if !done {
		return Answer{Alone: true}, nil
	}
	return a, nil
}

// reach is how far back a listing must go for the operation that makes it, and
// for those that a first listing serves.
func (b *Board) reach(row *Row, q Query, now time.Time) time.Time {
	since := q.Since.Add(-time.Minute)
	if row.Listed.IsZero() {
		if back := now.Add(-lookBack); back.Before(since) {
			return back
		}
	}
	return since
}

// release gives the lease back after a listing that failed: the next listing
// waits as long as Azure, or the budget, asks to.
func (b *Board) release(ctx context.Context, v *vault, key string, row Row, etag string, err error) {
	row.Lease, row.LeaseUntil = "", time.Time{}
	var known *operation.Error
	if errors.As(err, &known) {
		row.NotBefore = b.cfg.Clock().Add(known.RetryAfter)
	}
	if _, _, err := b.store(ctx, v, key, row, etag); err != nil {
		b.cfg.Log.WarnContext(ctx, "the lease of a job list cannot be given back; it ends by itself", "vault", key, "error", err)
	}
}
