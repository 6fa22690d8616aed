package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
)

// Update is what Wait saw at one look.
type Update struct {
	// View is the operation; Events are those that no earlier update had.
	View   handlers.View
	Events []operation.Event
	// Away is why the API could not be asked just now; View is then the last
	// one that was seen.
	Away error
}

// Wait looks at an operation until it has ended or is parked, and gives it as
// it is then. What each look saw goes to observe, if there is one.
//
// It looks again after the API's Retry-After, but at least every Longest, so
// that it soon sees what a person changes. An API that is out of reach is asked
// again, for as long as the client's patience lasts; the error is then the last
// one. Other errors are the context's cause and a *Problem.
func (c *Client) Wait(ctx context.Context, id string, observe func(Update)) (handlers.View, error) {
	if observe == nil {
		observe = func(Update) {}
	}
	w := waiting{client: c, id: id, seen: map[string]bool{}}
	pause := c.cfg.Shortest
	for {
		changed, asked, err := w.look(ctx, observe)
		switch {
		case err != nil && !OutOfReach(err):
			return w.view, err
		case err != nil:
			if w.awaySince.IsZero() {
				w.awaySince = c.cfg.Now()
			}
			if away := c.cfg.Now().Sub(w.awaySince); away >= c.cfg.Patience {
				return w.view, fmt.Errorf("out of reach for %s: %w", away.Round(time.Second), err)
			}
			observe(Update{View: w.view, Away: err})
		case ended(w.view):
			return w.view, nil
		default:
			w.awaySince = time.Time{}
		}
		if changed {
			pause = c.cfg.Shortest
		}
		wait := pause
		if asked > 0 {
			wait = min(asked, wait)
		}
		if err := c.cfg.Sleep(ctx, wait); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return w.view, err
		}
		pause = min(2*pause, c.cfg.Longest)
	}
}

// ended reports whether nothing will happen to the operation by itself.
func ended(v handlers.View) bool { return v.Status.Terminal() || v.Status == operation.Parked }

// waiting is one Wait.
type waiting struct {
	client    *Client
	id        string
	etag      string
	view      handlers.View
	seen      map[string]bool // by write id
	awaySince time.Time
}

// look asks once. The tag is kept only once the history was read as well, so
// that no event is missed.
func (w *waiting) look(ctx context.Context, observe func(Update)) (changed bool, retryAfter time.Duration, err error) {
	var view handlers.View
	a, err := w.client.do(ctx, request{method: http.MethodGet, path: one(w.id), ifNoneMatch: w.etag}, &view)
	var problem *Problem
	if errors.As(err, &problem) {
		return false, problem.RetryAfter, err
	}
	if err != nil {
		return false, a.retryAfter, err
	}
	if a.status == http.StatusNotModified {
		observe(Update{View: w.view})
		return false, a.retryAfter, nil
	}
	history, err := w.client.History(ctx, w.id)
	if err != nil {
		return false, 0, err
	}
	var fresh []operation.Event
	for _, ev := range history.Events {
		if !w.seen[ev.WriteID] {
			w.seen[ev.WriteID] = true
			fresh = append(fresh, ev)
		}
	}
	w.view, w.etag = view, a.etag
	observe(Update{View: view, Events: fresh})
	return true, a.retryAfter, nil
}
