package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"azbackupflow/internal/api"
)

// Update is the result of one poll of Wait.
type Update struct {
	// Operation is the current state. Events are new since the update before.
	Operation api.Operation
	Events    []api.Event
	// Unavailable is the error of a poll that got no state from the API.
	// Operation is then the last known state.
	Unavailable error
}

// Wait polls an operation until it has ended or is parked, and returns it. It
// passes the result of each poll to observe, unless observe is nil.
//
// Wait honours the API's Retry-After up to MaxPause, so that it soon sees a
// command of an operator. While the API is unavailable it retries for at most
// MaxOutage and then returns the last error. Other errors are the context's
// cause and *Problem.
func (c *Client) Wait(ctx context.Context, id string, observe func(Update)) (api.Operation, error) {
	if observe == nil {
		observe = func(Update) {}
	}
	w := waiter{client: c, id: id, seen: map[string]bool{}}
	pause := c.cfg.MinPause
	for {
		changed, retryAfter, err := w.poll(ctx, observe)
		switch {
		case err != nil && !IsUnavailable(err) && !w.lostSignIn(err):
			return w.operation, err
		case err != nil:
			if w.outageSince.IsZero() {
				w.outageSince = c.cfg.Now()
			}
			if outage := c.cfg.Now().Sub(w.outageSince); outage >= c.cfg.MaxOutage {
				return w.operation, fmt.Errorf("API unavailable for %s: %w", outage.Round(time.Second), err)
			}
			observe(Update{Operation: w.operation, Unavailable: err})
		case settled(w.operation):
			return w.operation, nil
		default:
			w.outageSince = time.Time{}
		}
		if changed {
			pause = c.cfg.MinPause
		}
		wait := pause
		if retryAfter > 0 {
			wait = min(retryAfter, wait)
		}
		if err := c.cfg.Sleep(ctx, wait); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return w.operation, err
		}
		pause = min(2*pause, c.cfg.MaxPause)
	}
}

// settled reports whether the operation changes only by an operator's command.
func settled(op api.Operation) bool { return op.Status.Terminal() || op.Status == api.Parked }

// waiter is the state of one Wait.
type waiter struct {
	client      *Client
	id          string
	etag        string
	operation   api.Operation
	seen        map[string]bool // by write id
	outageSince time.Time
}

// lostSignIn reports whether a sign-in failed that worked before: the token service
// may be unavailable.
func (w *waiter) lostSignIn(err error) bool {
	var failed *SignInError
	return w.etag != "" && errors.As(err, &failed)
}

// poll reads the operation, and its history if the operation has changed. It
// keeps the ETag only after it has read the history too; otherwise the next
// poll would miss events.
func (w *waiter) poll(ctx context.Context, observe func(Update)) (changed bool, retryAfter time.Duration, err error) {
	var op api.Operation
	got, err := w.client.do(ctx, call{method: http.MethodGet, path: operationPath(w.id), ifNoneMatch: w.etag}, &op)
	var problem *Problem
	if errors.As(err, &problem) {
		return false, problem.RetryAfter, err
	}
	if err != nil {
		return false, got.retryAfter, err
	}
	if got.status == http.StatusNotModified {
		observe(Update{Operation: w.operation})
		return false, got.retryAfter, nil
	}
	history, err := w.client.History(ctx, w.id)
	if err != nil {
		return false, 0, err
	}
	var fresh []api.Event
	for _, ev := range history.Events {
		if !w.seen[ev.WriteID] {
			w.seen[ev.WriteID] = true
			fresh = append(fresh, ev)
		}
	}
	w.operation, w.etag = op, got.etag
	observe(Update{Operation: op, Events: fresh})
	return true, got.retryAfter, nil
}
