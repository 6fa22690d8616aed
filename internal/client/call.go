package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"azbackupflow/internal/api"
)

// call is one request to the API.
type call struct {
	method, path string
	query        url.Values
	ifNoneMatch  string
	prefer       string
	// idempotencyKey is sent in the header Idempotency-Key.
	idempotencyKey string
	body           any
}

// response holds the parts of a response that are not in its body.
type response struct {
	status     int
	etag       string
	retryAfter time.Duration
}

// maxResponse limits the response body, in bytes. The longest history of an
// operation is far smaller.
const maxResponse = 64 << 20

// do makes one call and decodes the response body into into. A *[]byte gets the body
// unchanged.
func (c *Client) do(ctx context.Context, r call, into any) (response, error) {
	req, err := c.build(ctx, r)
	if err != nil {
		return response{}, err
	}
	if c.cfg.Token != nil {
		token, err := c.cfg.Token(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return response{}, context.Cause(ctx)
		case err != nil:
			return response{}, &SignInError{Err: err}
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return response{}, c.unreachable(ctx, err)
	}
	c.answered.Store(true)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if err != nil {
		return response{}, c.unreachable(ctx, err)
	}
	got := response{status: res.StatusCode, etag: res.Header.Get("ETag"), retryAfter: c.retryAfter(res.Header.Get("Retry-After"))}
	switch {
	case res.StatusCode == http.StatusNotModified:
		return got, nil
	case res.StatusCode >= 200 && res.StatusCode < 300:
		if file, ok := into.(*[]byte); ok {
			*file = raw
			return got, nil
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return got, &Unreachable{URL: c.base, Answered: true, Err: &connectionError{reason: fmt.Sprintf("HTTP %d with a body that is not azbackupflow's JSON", res.StatusCode), cause: err}}
		}
		return got, nil
	}
	return got, c.failed(res, raw, got.retryAfter)
}

func (c *Client) build(ctx context.Context, r call) (*http.Request, error) {
	address := c.base + "/api" + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("create the request: %w", err)
	}
	req.Header.Set("Accept", "application/json, "+api.ContentTypeProblem)
	req.Header.Set("User-Agent", "azbackupflow")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range map[string]string{"If-None-Match": r.ifNoneMatch, "Prefer": r.prefer, "Idempotency-Key": r.idempotencyKey} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if c.cfg.FunctionKey != "" {
		req.Header.Set("x-functions-key", c.cfg.FunctionKey)
	}
	return req, nil
}

// retryAfter parses a Retry-After header, which holds seconds or a date. It
// returns zero for a header that is missing, malformed or in the past.
func (c *Client) retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(c.cfg.Now()), 0)
	}
	return 0
}

func setValue(values url.Values, name, value string) {
	if value != "" {
		values.Set(name, value)
	}
}

func setTime(values url.Values, name string, at time.Time) {
	if !at.IsZero() {
		values.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
}

func setPage(values url.Values, size int, next string) {
	if size > 0 {
		values.Set("pageSize", strconv.Itoa(size))
	}
	setValue(values, "continue", next)
}
