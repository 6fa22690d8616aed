package client

import (
	"context"
	"net/http"
	"net/url"

	"azbackupflow/internal/api"
)

// Drills returns the restore drills of the app, with their next runs and last results.
func (c *Client) Drills(ctx context.Context) (api.DrillList, error) {
	var list api.DrillList
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/drills"}, &list)
	return list, err
}

// RunDrill starts a run of a drill now. A call with an id is safe to repeat: the same
// id is the same run. The reason is recorded; it may be empty.
func (c *Client) RunDrill(ctx context.Context, name, id, reason string) (api.RequestedRun, error) {
	return c.requestRun(ctx, drillPath(name)+"/run", id, reason)
}

// PauseDrill stops a drill from starting runs until ResumeDrill. The reason is
// recorded; it may be empty.
func (c *Client) PauseDrill(ctx context.Context, name, reason string) (api.Schedule, error) {
	return c.changeSchedule(ctx, drillPath(name)+"/pause", reason)
}

// ResumeDrill continues a paused drill with its next run. The app logs the reason,
// which may be empty.
func (c *Client) ResumeDrill(ctx context.Context, name, reason string) (api.Schedule, error) {
	return c.changeSchedule(ctx, drillPath(name)+"/resume", reason)
}

// ListEvidence returns a page of the evidence of drills, newest first.
func (c *Client) ListEvidence(ctx context.Context, q api.EvidenceQuery) (api.EvidencePage, error) {
	values := url.Values{}
	for name, value := range map[string]string{"vault": q.Vault, "item": q.Item, "drill": q.Drill, "result": q.Result} {
		setValue(values, name, value)
	}
	setTime(values, "since", q.Since)
	setTime(values, "until", q.Until)
	setPage(values, q.PageSize, q.Continue)
	var page api.EvidencePage
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/drills/evidence", query: values}, &page)
	return page, err
}

// Evidence returns the signed file of a drill, byte for byte.
func (c *Client) Evidence(ctx context.Context, id string) ([]byte, error) {
	var file []byte
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/drills/evidence/" + url.PathEscape(id)}, &file)
	return file, err
}

// EvidenceKey returns the public key that verifies new evidence. Someone who can
// change the app can change the key: compare it with the key that its owner names.
func (c *Client) EvidenceKey(ctx context.Context) (api.EvidenceKey, error) {
	var key api.EvidenceKey
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/drills/key"}, &key)
	return key, err
}

func drillPath(name string) string { return "/drills/declared/" + url.PathEscape(name) }
