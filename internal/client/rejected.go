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
// body.
func (c *Client) ReplayRejected(ctx context.Context, id string, edited json.RawMessage) (api.Replayed, error) {
	r := call{method: http.MethodPost, path: rejectedPath(id) + "/replay"}
	if edited != nil {
		r.body = edited
	}
	var replayed api.Replayed
	_, err := c.do(ctx, r, &replayed)
	return replayed, err
}

// DeleteRejected deletes the record of one rejected request.
func (c *Client) DeleteRejected(ctx context.Context, id string) error {
	var p api.Purged
	_, err := c.do(ctx, call{method: http.MethodDelete, path: rejectedPath(id)}, &p)
	return err
}

// PurgeRejected deletes the records of requests that were rejected before
// until. One call deletes a limited number; repeat it while Purged.More is set.
func (c *Client) PurgeRejected(ctx context.Context, until time.Time) (api.Purged, error) {
	values := url.Values{}
	setTime(values, "until", until)
	var p api.Purged
	_, err := c.do(ctx, call{method: http.MethodDelete, path: rejectedRoot, query: values}, &p)
	return p, err
}

const rejectedRoot = "/rejected"

func rejectedPath(id string) string { return rejectedRoot + "/" + url.PathEscape(id) }
