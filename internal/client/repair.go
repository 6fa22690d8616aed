package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/rejected"
)

// DeadLetters gives one page of what was refused or dead-lettered, newest
// first.
func (c *Client) DeadLetters(ctx context.Context, q rejected.Query) (handlers.DeadLetterList, error) {
	values := url.Values{}
	setTime(values, "since", q.Since)
	setPage(values, q.PageSize, q.Continue)
	var l handlers.DeadLetterList
	_, err := c.do(ctx, request{method: http.MethodGet, path: deadLetters, query: values}, &l)
	return l, err
}

// DeadLetter gives one dead letter with the whole request.
func (c *Client) DeadLetter(ctx context.Context, handle string) (handlers.DeadLetter, error) {
	var l handlers.DeadLetter
	_, err := c.do(ctx, request{method: http.MethodGet, path: letter(handle)}, &l)
	return l, err
}

// Replay sends a dead letter's request again; as it was, if edited is nil.
func (c *Client) Replay(ctx context.Context, handle string, edited json.RawMessage) (handlers.Replayed, error) {
	r := request{method: http.MethodPost, path: letter(handle) + "/replay"}
	if edited != nil {
		r.body = edited
	}
	var replayed handlers.Replayed
	_, err := c.do(ctx, r, &replayed)
	return replayed, err
}

// RemoveDeadLetter forgets one dead letter.
func (c *Client) RemoveDeadLetter(ctx context.Context, handle string) error {
	var p handlers.Purged
	_, err := c.do(ctx, request{method: http.MethodDelete, path: letter(handle)}, &p)
	return err
}

// Purge forgets dead letters of before the time, a portion of them.
func (c *Client) Purge(ctx context.Context, until time.Time) (handlers.Purged, error) {
	values := url.Values{}
	setTime(values, "until", until)
	var p handlers.Purged
	_, err := c.do(ctx, request{method: http.MethodDelete, path: deadLetters, query: values}, &p)
	return p, err
}

// Rescue has the sweep look at every live operation now.
func (c *Client) Rescue(ctx context.Context) (engine.SweepResult, error) {
	var s engine.SweepResult
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/rescue"}, &s)
	return s, err
}

const deadLetters = "/dead-letters"

func letter(handle string) string { return deadLetters + "/" + url.PathEscape(handle) }
