package scan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/ratelimit"
)

// refresher reads parts that are not fresh.
type refresher struct {
	*Scanner
	maxAge   time.Duration
	deadline time.Time
	calls    atomic.Int64
}

// more reports whether there is time for another call.
func (f *refresher) more() bool { return f.c.Now().Before(f.deadline) }

// refresh reads the parts that are not fresh, those first that are the oldest, until
// the deadline. Errors of Azure are stored with the part; the error is that of the
// storage.
func (f *refresher) refresh(ctx context.Context, parts []part, rows map[string]row) error {
	ctx, cancel := context.WithTimeout(ctx, maxRead)
	defer cancel()
	var due []part
	for _, p := range parts {
		if r := rows[p.key]; !r.fresh(p, f.c.Now(), f.maxAge) && !r.failed(f.c.Now(), f.maxAge) {
			due = append(due, p)
		}
	}
	slices.SortStableFunc(due, func(a, b part) int { return cmp.Compare(oldest(a, rows[a.key]), oldest(b, rows[b.key])) })
	group := parallel.New()
	group.SetLimit(maxParallel)
	for _, p := range due {
		if !f.more() {
			break
		}
		group.Go(func() error { return f.readPart(ctx, p) })
	}
	return group.Wait()
}

// oldest returns when the oldest list of a part was read, in seconds; 0 if one was
// never read.
func oldest(p part, r row) int64 {
	var at int64
	for n, l := range p.lists {
		s := r.Lists[l.name]
		if s == nil {
			return 0
		}
		if n == 0 || s.At.Unix() < at {
			at = s.At.Unix()
		}
	}
	return at
}

// readPart claims a part and reads the lists that are not fresh. It does nothing
// while another instance reads the part, or before the time at which Azure allows
// it.
func (f *refresher) readPart(ctx context.Context, p part) error {
	raw, etag, err := f.c.Rows.Load(ctx, p.key)
	if err != nil {
		return fmt.Errorf("load the part %s of the readiness report: %w", p.key, err)
	}
	r := decodeRow(raw)
	r.etag = etag
	now := f.c.Now()
	if now.Before(r.ClaimedUntil) || now.Before(r.NotBefore) || r.fresh(p, now, f.maxAge) || r.failed(now, f.maxAge) {
		return nil
	}
	if r.Problem != nil {
		r.Problem, r.Attempts = nil, 0
	}
	if r.begins(now, f.maxAge) {
		r.Wasted = 0
	}
	r.ClaimedUntil = now.Add(claimTime)
	if saved, err := f.save(ctx, p, &r); err != nil || !saved {
		return err
	}
	if err := f.readLists(ctx, p, &r); err != nil {
		f.failedRead(ctx, p, &r, err)
	} else {
		r.Attempts, r.NotBefore = 0, time.Time{}
	}
	r.ClaimedUntil = time.Time{}
	// The context may have ended; what was read must not be lost.
	_, err = f.save(context.WithoutCancel(ctx), p, &r)
	return err
}

// save stores the row. It returns false if another instance changed it meanwhile.
func (f *refresher) save(ctx context.Context, p part, r *row) (saved bool, err error) {
	raw, err := r.encode()
	if err != nil {
		return false, err
	}
	etag, saved, err := f.c.Rows.Save(ctx, p.key, raw, r.etag)
	if err != nil {
		return false, fmt.Errorf("save the part %s of the readiness report: %w", p.key, err)
	}
	r.etag = etag
	return saved, nil
}

// readLists reads the lists that are not fresh, until the deadline or an error.
func (f *refresher) readLists(ctx context.Context, p part, r *row) error {
	if r.Lists == nil {
		r.Lists = map[string]*stored{}
	}
	for _, l := range p.lists {
		for !r.Lists[l.name].fresh(f.c.Now(), f.maxAge) {
			if !f.more() {
				return nil
			}
			if err := f.readList(ctx, l, r); err != nil {
				if err = f.pause(ctx, err); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readList reads one list, or a portion of it, and adds what was read to the row.
func (f *refresher) readList(ctx context.Context, l list, r *row) error {
	next := stored{At: f.c.Now()}
	if previous := r.Lists[l.name]; previous != nil && !previous.Done {
		next = *previous
	}
	calls := 0
	options := arm.CallOptions{
		Caller: ratelimit.Caller{Priority: operation.PriorityOther},
		Record: func(operation.Exchange) { calls++ },
	}
	read, err := l.read(ctx, options, *r, f.more)
	f.calls.Add(int64(calls))
	if read.Data == nil {
		r.Wasted += calls
		return err
	}
	raw, encodeErr := json.Marshal(read.Data)
	if encodeErr != nil {
		return fmt.Errorf("encode the list %s: %w", l.name, encodeErr)
	}
	next.Calls += calls
	next.Cursor, next.Done, next.Data = read.Cursor, read.Done && err == nil, raw
	r.Lists[l.name] = &next
	return err
}

// pause waits for a rate limit that has room soon. It returns the error if it does
// not.
func (f *refresher) pause(ctx context.Context, err error) error {
	wait, throttled := throttling(err)
	if !throttled || wait > maxPause || !f.c.Now().Add(wait).Before(f.deadline) {
		return err
	}
	return f.c.Sleep(ctx, max(wait, 10*time.Millisecond))
}

// throttling returns how long Azure or the rate limiter wants the caller to wait. The
// slot that the limiter reserves is not used: a call with a slot may use what is
// left for operations.
func throttling(err error) (wait time.Duration, ok bool) {
	var deferred *operation.Deferral
	var azure *operation.Error
	switch {
	case errors.As(err, &deferred):
		return deferred.Wait, true
	case errors.As(err, &azure) && azure.Class == operation.Throttled:
		return max(azure.RetryAfter, 0), true
	}
	return 0, false
}

// failedRead records why a part was not read: it waits, is tried again, or has a
// problem.
func (f *refresher) failedRead(ctx context.Context, p part, r *row, err error) {
	now := f.c.Now()
	if wait, ok := throttling(err); ok {
		r.NotBefore = now.Add(max(wait, time.Second))
		return
	}
	var azure *operation.Error
	passing := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if errors.As(err, &azure) {
		passing = azure.Class == operation.Transient || azure.Class == operation.NotYet || azure.Class == operation.Conflict
	}
	if r.Attempts++; passing && r.Attempts < maxAttempts {
		r.NotBefore = now.Add(time.Duration(r.Attempts) * retryPause)
		return
	}
	r.NotBefore, r.Attempts = time.Time{}, 0
	r.Problem = &problem{At: now, Code: "NotRead", Message: err.Error()}
	if azure != nil {
		r.Problem.Code, r.Problem.Message, r.Problem.RecommendedAction = azure.Code, azure.Message, azure.RecommendedAction
	}
	f.c.Log.WarnContext(ctx, "readiness part not read", "part", p.key, "error", err)
}
