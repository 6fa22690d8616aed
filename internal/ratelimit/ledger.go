package ratelimit

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Config is what a Ledger works with. Clock is needed.
type Config struct {
	Clock func() time.Time
	// Identity is the managed identity that calls are made as: buckets are
	// each identity's own. Empty where there is one only.
	Identity string
	Assume   Assumptions
	// Shelf keeps accounts that are running low in rows that all instances
	// share; nil keeps them to this one.
	Shelf Shelf
	Log   *slog.Logger
}

// Ledger holds the accounts of one process. It is safe for concurrent use.
type Ledger struct {
	cfg Config

	mu       sync.Mutex
	accounts map[string]*entry
	// region is where Resource Manager last answered from.
	region string
	// away is until when the shared rows are left alone.
	away time.Time
}

// entry is one account, and what this process alone knows of it.
type entry struct {
	Account
	underway int
	used     time.Time
	// gauge measures the bucket's rate.
	gauge gauge
	// places were given to this instance in the shared row and are still to be
	// given to operations.
	places [operation.PriorityOther + 1][]time.Time
}

// gauge measures between two answers that say what is left.
type gauge struct {
	since time.Time
	left  float64
	spent float64
}

// mostAccounts is when those that were not used for long are forgotten.
const mostAccounts = 4096

// New makes an empty ledger.
func New(cfg Config) *Ledger {
	if cfg.Assume == (Assumptions{}) {
		cfg.Assume = Assume(1)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Ledger{cfg: cfg, accounts: map[string]*entry{}}
}

type callerKey struct{}

// Caller is whose a call is.
type Caller struct {
	Priority operation.Priority
	// Booking is the account that keeps a place for the call.
	Booking string
}

// WithCaller says whose the calls made with the context are.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// ForStep says that calls are a step's of an operation: with its flow's
// priority, but that of following once Azure is at work for it.
func ForStep(ctx context.Context, f step.Flow, op operation.Operation) context.Context {
	p := f.Priority
	if p == 0 {
		p = operation.PriorityOther
	}
	if op.Following() {
		p = min(p, operation.PriorityFollow)
	}
	return WithCaller(ctx, Caller{Priority: p, Booking: op.Reservation})
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	if c.Priority < operation.PriorityRestore || c.Priority > operation.PriorityOther {
		c.Priority = operation.PriorityOther
	}
	return c
}

// Charge is one call that was let through. Settle must be called once.
type Charge struct {
	ledger *Ledger
	target target
	keys   []string
}

// Take lets a call through, or gives an *operation.PutOff. path is that of the
// call's URL.
func (l *Ledger) Take(ctx context.Context, method, path string) (*Charge, error) {
	if l == nil {
		return nil, nil
	}
	t, ok := targetOf(method, path)
	if !ok {
		return nil, nil
	}
	bucketName, quotaName := t.names()
	who := callerOf(ctx)
	l.mu.Lock()
	bucket := t.bucket(l.cfg.Identity, l.region)
	l.mu.Unlock()
	c := &Charge{ledger: l, target: t, keys: []string{bucket}}
	names := []string{bucketName}
	if q := t.quota(); q != "" {
		c.keys, names = append(c.keys, q), append(names, quotaName)
	}
	for i, key := range c.keys {
		now := l.cfg.Clock()
		if at, ok := l.ask(ctx, key, who, now); !ok {
			l.giveBack(c.keys[:i])
			return nil, &operation.Deferral{Limit: names[i], Wait: max(at.Sub(now), 0), Reservation: key}
		}
	}
	return c, nil
}

// ask asks one account and spends if it may.
func (l *Ledger) ask(ctx context.Context, key string, who Caller, now time.Time) (time.Time, bool) {
	booked := who.Booking == key
	l.mu.Lock()
	e := l.entry(key, now)
	if !booked && l.cfg.Shelf != nil && !now.Before(l.away) && e.Low(now, l.cfg.Assume) {
		if at, ok := e.ownPlace(who.Priority, now); ok {
			l.mu.Unlock()
			return at, false
		}
		known := e.Account
		l.mu.Unlock()
		shared, ok, at, places := l.askShared(ctx, key, known, who.Priority)
		l.mu.Lock()
		defer l.mu.Unlock()
		e = l.entry(key, now)
		e.Account = Merge(e.Account, shared)
		e.places[who.Priority] = append(e.places[who.Priority], places...)
		if ok {
			e.underway++
		}
		return at, ok
	}
	defer l.mu.Unlock()
	ok, at := e.Ask(now, who.Priority, booked, l.cfg.Assume)
	if ok {
		e.Spend(now, l.cfg.Assume)
		e.underway++
	}
	return at, ok
}

// ownPlace takes a place that was given to this instance.
func (e *entry) ownPlace(p operation.Priority, now time.Time) (time.Time, bool) {
	for len(e.places[p]) > 0 {
		at := e.places[p][0]
		e.places[p] = e.places[p][1:]
		if at.After(now) {
			return at, true
		}
	}
	return time.Time{}, false
}

// entry finds an account or opens it; the lock is held.
func (l *Ledger) entry(key string, now time.Time) *entry {
	e, ok := l.accounts[key]
	if !ok {
		if len(l.accounts) >= mostAccounts {
			for k, old := range l.accounts {
				if old.underway == 0 && now.Sub(old.used) > 2*old.window(l.cfg.Assume) {
					delete(l.accounts, k)
				}
			}
		}
		e = &entry{Account: Account{Quota: strings.HasPrefix(key, "quota ")}}
		l.accounts[key] = e
	}
	e.used = now
	return e
}

// giveBack undoes what was spent on a call that is not made after all.
func (l *Ledger) giveBack(keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		if e, ok := l.accounts[key]; ok {
			e.underway--
			if e.Limit > 0 {
				e.Left++
			}
		}
	}
}

// Heard is what an answer says of budgets.
type Heard struct {
	// Remaining are the numbers of x-ms-ratelimit-remaining-*, by the rest of
	// the header's name.
	Remaining map[string]int
	// Region is where Resource Manager answered from, if it says.
	Region string
	// Err is how the call failed, if it did.
	Err *operation.Error
}

// Settle takes over what the call's answer says.
func (c *Charge) Settle(h Heard) {
	if c == nil {
		return
	}
	l := c.ledger
	now := l.cfg.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.Region != "" {
		l.region = h.Region
	}
	throttled := ""
	if h.Err != nil && h.Err.HTTPStatus == http.StatusTooManyRequests {
		throttled = c.keys[0]
		if len(c.keys) > 1 && (strings.EqualFold(h.Err.Code, "ResourceRequestsThrottled") || strings.Contains(h.Err.Message, "for action")) {
			throttled = c.keys[1]
		}
	}
	for _, key := range c.keys {
		e := l.entry(key, now)
		e.underway = max(0, e.underway-1)
		e.gauge.spent++
		header := "subscription-" + c.target.verb
		if e.Quota {
			header = "subscription-resource-requests"
		}
		left, told := h.Remaining[header]
		switch {
		case key == throttled:
			e.gauge = gauge{}
			e.Refuse(now, refusalOf(h.Err), l.cfg.Assume)
		case told && left >= 0:
			e.measure(now, float64(left), l.cfg.Assume)
			e.Told(now, float64(left), float64(e.underway), l.cfg.Assume)
		case h.Err == nil:
			e.Went(now, l.cfg.Assume)
		}
	}
}

// measure compares what a bucket has left with what it had.
func (e *entry) measure(now time.Time, left float64, s Assumptions) {
	if e.Quota {
		return
	}
	passed := now.Sub(e.gauge.since)
	if !e.gauge.since.IsZero() && passed < s.Measure {
		return
	}
	if !e.gauge.since.IsZero() && passed < s.Refill {
		e.Measured((left-e.gauge.left+e.gauge.spent)/passed.Seconds(), left+1 >= e.Limit)
	}
	e.gauge = gauge{since: now, left: left}
}

// Pace is how far apart calls of n each may be, see Account.Pace.
func (l *Ledger) Pace(method, path string, n float64) time.Duration {
	if l == nil {
		return 0
	}
	t, ok := targetOf(method, path)
	if !ok {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.accounts[t.quota()]
	if !ok {
		return 0
	}
	return e.Pace(l.cfg.Clock(), n, l.cfg.Assume)
}

// Account gives what is known of the accounts that a call counts against: its
// bucket, and the provider's quota.
func (l *Ledger) Account(method, path string) (bucket, quota Account) {
	t, _ := targetOf(method, path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.accounts[t.bucket(l.cfg.Identity, l.region)]; ok {
		bucket = e.Account
	}
	if e, ok := l.accounts[t.quota()]; ok {
		quota = e.Account
	}
	return bucket, quota
}
