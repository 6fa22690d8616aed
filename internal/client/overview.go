package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"azbackupflow/internal/api"
)

// Summary counts the operations that have not ended, and those that ended and
// were created at since or later. A zero time means the last day.
func (c *Client) Summary(ctx context.Context, since time.Time) (api.Summary, error) {
	values := url.Values{}
	setTime(values, "since", since)
	var s api.Summary
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/summary", query: values}, &s)
	return s, err
}

// BulkStatus returns how far a bulk has come.
func (c *Client) BulkStatus(ctx context.Context, key string) (api.BulkStatus, error) {
	var s api.BulkStatus
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/bulks/" + url.PathEscape(key)}, &s)
	return s, err
}

// Schedules returns the schedules of the app, with their last and next runs.
func (c *Client) Schedules(ctx context.Context) (api.ScheduleList, error) {
	var list api.ScheduleList
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/schedules"}, &list)
	return list, err
}

// RunSchedule starts a run of a schedule now. A call with an id is safe to repeat:
// the same id is the same run. The reason is recorded; it may be empty.
func (c *Client) RunSchedule(ctx context.Context, name, id, reason string) (api.RequestedRun, error) {
	return c.requestRun(ctx, schedulePath(name)+"/run", id, reason)
}

// PauseSchedule stops a schedule from starting runs until ResumeSchedule. The
// reason is recorded; it may be empty.
func (c *Client) PauseSchedule(ctx context.Context, name, reason string) (api.Schedule, error) {
	return c.changeSchedule(ctx, schedulePath(name)+"/pause", reason)
}

// ResumeSchedule continues a paused schedule with its next run. The app logs the
// reason, which may be empty.
func (c *Client) ResumeSchedule(ctx context.Context, name, reason string) (api.Schedule, error) {
	return c.changeSchedule(ctx, schedulePath(name)+"/resume", reason)
}

func (c *Client) requestRun(ctx context.Context, path, id, reason string) (api.RequestedRun, error) {
	var started api.RequestedRun
	_, err := c.do(ctx, call{method: http.MethodPost, path: path, query: reasonQuery(reason), idempotencyKey: id}, &started)
	return started, err
}

func (c *Client) changeSchedule(ctx context.Context, path, reason string) (api.Schedule, error) {
	var s api.Schedule
	_, err := c.do(ctx, call{method: http.MethodPost, path: path, query: reasonQuery(reason)}, &s)
	return s, err
}

// Limits returns what the app knows of Azure's limits, and who waits for them.
func (c *Client) Limits(ctx context.Context) (api.LimitList, error) {
	var list api.LimitList
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/limits"}, &list)
	return list, err
}

// Readiness returns one page of the readiness report. The call may take half a
// minute, because the app reads Azure.
func (c *Client) Readiness(ctx context.Context, q api.ReadinessQuery) (api.Readiness, error) {
	values := url.Values{}
	for _, v := range q.Vaults {
		values.Add("vault", v)
	}
	for _, s := range q.States {
		values.Add("state", string(s))
	}
	setValue(values, "tag", q.Tag)
	setValue(values, "maxPointAge", q.MaxPointAge)
	setValue(values, "maxProofAge", q.MaxProofAge)
	setValue(values, "maxAge", q.MaxAge)
	if q.Points {
		values.Set("points", "true")
	}
	setPage(values, q.PageSize, q.Continue)
	var r api.Readiness
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/readiness", query: values}, &r)
	return r, err
}

// Version returns the version of the app.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	var v api.Version
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/version"}, &v)
	return v, err
}

// Health reports whether the app responds and reaches its tables.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var h api.Health
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/health"}, &h)
	return h, err
}

// Changed is the result of GetChanged.
type Changed struct {
	Operation api.Operation
	// ETag identifies this state of the operation for the next call.
	ETag string
	// Changed is false if the operation did not change within the wait. Operation
	// is then empty.
	Changed bool
}

// GetChanged returns an operation as soon as it differs from the state with the
// ETag, or after the wait, which the app limits to 30 s. An empty ETag returns
// the operation at once.
func (c *Client) GetChanged(ctx context.Context, id, etag string, wait time.Duration) (Changed, error) {
	r := call{method: http.MethodGet, path: operationPath(id), ifNoneMatch: etag}
	if etag != "" && wait >= time.Second {
		r.prefer = fmt.Sprintf("wait=%d", wait/time.Second)
	}
	var op api.Operation
	got, err := c.do(ctx, r, &op)
	return Changed{Operation: op, ETag: got.etag, Changed: got.status != http.StatusNotModified}, err
}

func schedulePath(name string) string { return "/schedules/" + url.PathEscape(name) }

// Explain returns what the rules of automatic protection decide about a resource.
// The app reads the resource from Azure.
func (c *Client) Explain(ctx context.Context, resourceID string) (api.ExplanationList, error) {
	var list api.ExplanationList
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/explanations", query: url.Values{"resource": {resourceID}}}, &list)
	return list, err
}
