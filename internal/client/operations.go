package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/rejected"
	asked "azbackupflow/internal/request"
)

// Start asks for an operation. Asked for again under the same key, it gives the
// operation that is there; so with a key it may be repeated after any error.
func (c *Client) Start(ctx context.Context, r asked.Request) (handlers.View, error) {
	r.DryRun = false
	var v handlers.View
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/operations", body: r}, &v)
	return v, err
}

// Plan is what a request would do.
type Plan struct {
	Valid   bool   `json:"valid"`
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// Parameters are those of the request in their normal form.
	Parameters json.RawMessage `json:"parameters"`
	Steps      []string        `json:"steps"`
}

// DryRun checks a request and starts nothing.
func (c *Client) DryRun(ctx context.Context, r asked.Request) (Plan, error) {
	r.DryRun = true
	var p Plan
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/operations", body: r}, &p)
	return p, err
}

// Validate asks what a request would do: nothing is started, and nothing is
// changed in Azure.
func (c *Client) Validate(ctx context.Context, r asked.Request) (handlers.Validation, error) {
	r.DryRun = false
	var v handlers.Validation
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/operations:validate", body: r}, &v)
	return v, err
}

// Bulk starts many operations. With the bulk's key it may be repeated after any
// error.
func (c *Client) Bulk(ctx context.Context, b asked.Bulk) (handlers.BulkAnswer, error) {
	var answer handlers.BulkAnswer
	_, err := c.do(ctx, request{method: http.MethodPost, path: "/operations:bulk", body: b}, &answer)
	return answer, err
}

// Get gives an operation.
func (c *Client) Get(ctx context.Context, id string) (handlers.View, error) {
	var v handlers.View
	_, err := c.do(ctx, request{method: http.MethodGet, path: one(id)}, &v)
	return v, err
}

// History is what happened to an operation, in order.
type History struct {
	Events []operation.Event `json:"events"`
}

// History gives everything that happened to an operation.
func (c *Client) History(ctx context.Context, id string) (History, error) {
	var h History
	_, err := c.do(ctx, request{method: http.MethodGet, path: one(id) + "/history"}, &h)
	return h, err
}

// List gives one page of the operations that the query wants, newest first.
func (c *Client) List(ctx context.Context, q operation.Query) (handlers.List, error) {
	values := url.Values{}
	for _, s := range q.Status {
		values.Add("status", string(s))
	}
	set(values, "flow", q.Flow)
	if q.Label != (operation.Label{}) {
		values.Set("label", q.Label.Key+"="+q.Label.Value)
	}
	setTime(values, "since", q.Since)
	setTime(values, "until", q.Until)
	setPage(values, q.PageSize, q.Continue)
	var l handlers.List
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/operations", query: values}, &l)
	return l, err
}

// Cancel asks for an operation to be canceled. What Azure has begun goes on.
func (c *Client) Cancel(ctx context.Context, id string) (handlers.View, error) {
	return c.change(ctx, http.MethodDelete, one(id))
}

// Pause keeps an operation from making calls until Resume.
func (c *Client) Pause(ctx context.Context, id string) (handlers.View, error) {
	return c.change(ctx, http.MethodPost, one(id)+"/pause")
}

// Resume lets a paused operation go on.
func (c *Client) Resume(ctx context.Context, id string) (handlers.View, error) {
	return c.change(ctx, http.MethodPost, one(id)+"/resume")
}

// Retry sets a failed, timed-out or parked operation going again at the step
// where it stopped.
func (c *Client) Retry(ctx context.Context, id string) (handlers.View, error) {
	return c.change(ctx, http.MethodPost, one(id)+"/retry")
}

func (c *Client) change(ctx context.Context, method, path string) (handlers.View, error) {
	var v handlers.View
	_, err := c.do(ctx, request{method: method, path: path}, &v)
	return v, err
}

// Flows are the flows that can be started.
type Flows struct {
	Flows []handlers.FlowView `json:"flows"`
}

// Flows lists the flows that can be started.
func (c *Client) Flows(ctx context.Context) (Flows, error) {
	var f Flows
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/flows"}, &f)
	return f, err
}

// Preflight lets the app check whether it could do its work.
func (c *Client) Preflight(ctx context.Context) (preflight.Report, error) {
	var r preflight.Report
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/preflight"}, &r)
	return r, err
}

// Refusals is one page of refused requests, newest first.
type Refusals struct {
	// Continue asks for the next page; empty after the last.
	Continue string             `json:"continue"`
	Refusals []rejected.Request `json:"refusals"`
}

// Refusals gives one page of the requests that were refused.
func (c *Client) Refusals(ctx context.Context, q rejected.Query) (Refusals, error) {
	values := url.Values{}
	setTime(values, "since", q.Since)
	setPage(values, q.PageSize, q.Continue)
	var r Refusals
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/refusals", query: values}, &r)
	return r, err
}

// Verdicts gives one page of what automatic protection last decided about each
// resource.
func (c *Client) Verdicts(ctx context.Context, q decision.Query) (handlers.VerdictList, error) {
	values := url.Values{}
	set(values, "outcome", q.Outcome)
	set(values, "rule", q.Rule)
	setPage(values, q.PageSize, q.Continue)
	var l handlers.VerdictList
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/verdicts", query: values}, &l)
	return l, err
}

func one(id string) string { return "/operations/" + url.PathEscape(id) }

func set(values url.Values, name, value string) {
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
	set(values, "continue", next)
}
