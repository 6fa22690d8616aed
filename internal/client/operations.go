package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"azbackupflow/internal/api"
)

// Start starts an operation. If the request has a key that was used before,
// Start returns the existing operation, with Created false; with a key it is safe
// to repeat after any error.
func (c *Client) Start(ctx context.Context, r api.Request) (api.Started, error) {
	r.DryRun = false
	var s struct {
		api.Started
		// Known is the response's field created. An older app sends none.
		Known *bool `json:"created"`
	}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/operations", body: r}, &s)
	s.Created = s.Seq <= 1 && !s.Status.Terminal()
	if s.Known != nil {
		s.Created = *s.Known
	}
	return s.Started, err
}

// DryRun checks a request without calls to Azure. It starts nothing.
func (c *Client) DryRun(ctx context.Context, r api.Request) (api.Plan, error) {
	r.DryRun = true
	var p api.Plan
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/operations", body: r}, &p)
	return p, err
}

// Validate runs a request's flow as a dry run against Azure. It starts nothing
// and changes nothing in Azure.
func (c *Client) Validate(ctx context.Context, r api.Request) (api.Validation, error) {
	r.DryRun = false
	return c.validate(ctx, r)
}

// ValidateJSON is Validate for a request as it was written. So the app names the
// fields that api.Request does not have.
func (c *Client) ValidateJSON(ctx context.Context, raw json.RawMessage) (api.Validation, error) {
	return c.validate(ctx, raw)
}

func (c *Client) validate(ctx context.Context, body any) (api.Validation, error) {
	var v api.Validation
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/operations:validate", body: body}, &v)
	return v, err
}

// Bulk starts many operations. With a key it is safe to repeat after any error.
func (c *Client) Bulk(ctx context.Context, b api.Bulk) (api.BulkResult, error) {
	var result api.BulkResult
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/operations:bulk", body: b}, &result)
	return result, err
}

// Get returns one operation.
func (c *Client) Get(ctx context.Context, id string) (api.Operation, error) {
	var op api.Operation
	_, err := c.do(ctx, call{method: http.MethodGet, path: operationPath(id)}, &op)
	return op, err
}

// History returns all events of an operation.
func (c *Client) History(ctx context.Context, id string) (api.History, error) {
	var h api.History
	_, err := c.do(ctx, call{method: http.MethodGet, path: operationPath(id) + "/history"}, &h)
	return h, err
}

// List returns one page of the operations that match the query.
func (c *Client) List(ctx context.Context, q api.OperationQuery) (api.OperationPage, error) {
	values := url.Values{}
	for _, s := range q.Status {
		values.Add("status", string(s))
	}
	setValue(values, "flow", q.Flow)
	setValue(values, "id", q.ID)
	setValue(values, "key", q.Key)
	setValue(values, "item", q.Item)
	setValue(values, "vault", q.Vault)
	setValue(values, "schedule", q.Schedule)
	setValue(values, "bulk", q.Bulk)
	setValue(values, "sort", q.Sort)
	for _, l := range q.Labels {
		values.Add("label", l.Key+"="+l.Value)
	}
	for name, set := range map[string]bool{"errors": q.Errors, "paused": q.Paused, "overdue": q.Overdue} {
		if set {
			values.Set(name, "true")
		}
	}
	setTime(values, "since", q.Since)
	setTime(values, "until", q.Until)
	setPage(values, q.PageSize, q.Continue)
	var page api.OperationPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/operations", query: values}, &page)
	return page, err
}

// Cancel requests the cancellation of an operation. If the operation waits for a
// backup job of a Recovery Services vault, that job is canceled. Everything else
// that Azure has started continues. The reason is recorded; it may be empty.
func (c *Client) Cancel(ctx context.Context, id, reason string) (api.Operation, error) {
	return c.change(ctx, http.MethodDelete, operationPath(id), reason)
}

// Pause stops an operation from making further calls until Resume. The reason is
// recorded; it may be empty.
func (c *Client) Pause(ctx context.Context, id, reason string) (api.Operation, error) {
	return c.change(ctx, http.MethodPost, operationPath(id)+"/pause", reason)
}

// Resume continues a paused operation. The reason is recorded; it may be empty.
func (c *Client) Resume(ctx context.Context, id, reason string) (api.Operation, error) {
	return c.change(ctx, http.MethodPost, operationPath(id)+"/resume", reason)
}

// Retry continues a failed, timed-out or parked operation at the step where it
// stopped. The reason is recorded; it may be empty.
func (c *Client) Retry(ctx context.Context, id, reason string) (api.Operation, error) {
	return c.change(ctx, http.MethodPost, operationPath(id)+"/retry", reason)
}

// AnswerDrill answers the validation that a restore drill waits for. The same answer
// again changes nothing.
func (c *Client) AnswerDrill(ctx context.Context, id string, a api.DrillAnswer) (api.Operation, error) {
	var op api.Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: operationPath(id) + "/validation", body: a}, &op)
	return op, err
}

func (c *Client) change(ctx context.Context, method, path, reason string) (api.Operation, error) {
	var op api.Operation
	_, err := c.do(ctx, call{method: method, path: path, query: reasonQuery(reason)}, &op)
	return op, err
}

// Rescue runs a sweep over all live operations now.
func (c *Client) Rescue(ctx context.Context) (api.SweepResult, error) {
	var s api.SweepResult
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/rescue"}, &s)
	return s, err
}

// Flows returns the flows that requests can start.
func (c *Client) Flows(ctx context.Context) (api.FlowList, error) {
	var f api.FlowList
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/flows"}, &f)
	return f, err
}

// Preflight checks whether the app can reach everything that it needs.
func (c *Client) Preflight(ctx context.Context) (api.Preflight, error) {
	var p api.Preflight
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/preflight"}, &p)
	return p, err
}

// Inventory returns what a vault has: the list at a path such as /items.
func (c *Client) Inventory(ctx context.Context, path string, query map[string]string) (api.Inventory, error) {
	values := url.Values{}
	for name, value := range query {
		setValue(values, name, value)
	}
	var list api.Inventory
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, query: values}, &list)
	return list, err
}

// Decisions returns one page of the last decisions of automatic protection.
func (c *Client) Decisions(ctx context.Context, q api.DecisionQuery) (api.DecisionPage, error) {
	values := url.Values{}
	setValue(values, "outcome", q.Outcome)
	setValue(values, "rule", q.Rule)
	setPage(values, q.PageSize, q.Continue)
	var page api.DecisionPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/decisions", query: values}, &page)
	return page, err
}

// reasonQuery returns the query that carries a reason.
func reasonQuery(reason string) url.Values {
	values := url.Values{}
	setValue(values, "reason", reason)
	return values
}

func operationPath(id string) string { return "/operations/" + url.PathEscape(id) }
