package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"azbackupflow/internal/api"
)

// ListRejected returns one page of the rejected requests that match the query.
func (c *Client) ListRejected(ctx context.Context, q api.RejectedQuery) (api.RejectedPage, error) {
	values := url.Values{}
	setTime(values, "since", q.Since)
	setPage(values, q.PageSize, q.Continue)
	var page api.RejectedPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: rejectedRoot, query: values}, &page)
	return page, err
}

// GetRejected returns one rejected request with its whole body.
func (c *Client) GetRejected(ctx context.Context, id string) (api.RejectedRequest, error) {
	var r api.RejectedRequest
	_, err := c.do(ctx, call{method: http.MethodGet, path: rejectedPath(id)}, &r)
	return r, err
}

// ReplayRejected sends a rejected request again. A non-nil edited replaces its
// body. The reason is recorded; it may be empty.
func (c *Client) ReplayRejected(ctx context.Context, id string, edited json.RawMessage, reason string) (api.Replayed, error) {
	r := call{method: http.MethodPost, path: rejectedPath(id) + "/replay", query: reasonQuery(reason)}
	if edited != nil {
		r.body = edited
	}
	var replayed api.Replayed
	_, err := c.do(ctx, r, &replayed)
	return replayed, err
}

// DeleteRejected deletes the record of one rejected request. The app records
// the reason, which may be empty.
func (c *Client) DeleteRejected(ctx context.Context, id, reason string) error {
	var p api.Purged
	_, err := c.do(ctx, call{method: http.MethodDelete, path: rejectedPath(id), query: reasonQuery(reason)}, &p)
	return err
}

// PurgeRejected deletes the records of requests that were rejected before
// until. One call deletes a limited number; repeat it while Purged.More is set.
// The app records the reason, which may be empty.
func (c *Client) PurgeRejected(ctx context.Context, until time.Time, reason string) (api.Purged, error) {
	values := reasonQuery(reason)
	setTime(values, "until", until)
	var p api.Purged
	_, err := c.do(ctx, call{method: http.MethodDelete, path: rejectedRoot, query: values}, &p)
	return p, err
}

// ListRemovals returns one page of the records of removals that match the query.
func (c *Client) ListRemovals(ctx context.Context, q api.RejectedQuery) (api.RemovalPage, error) {
	values := url.Values{}
	setTime(values, "since", q.Since)
	setPage(values, q.PageSize, q.Continue)
	var page api.RemovalPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/removals", query: values}, &page)
	return page, err
}

const rejectedRoot = "/rejected"

func rejectedPath(id string) string { return rejectedRoot + "/" + url.PathEscape(id) }
