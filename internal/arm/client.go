package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// headerClientRequestID is echoed by ARM and, as far as recordings show, kept
// by Azure Backup as the activityId of the job that a call starts.
const headerClientRequestID = "x-ms-client-request-id"

// Request is one call of Azure Resource Manager.
type Request struct {
	Method string
	// Path is the plain path, from /subscriptions on; it is percent-encoded
	// segment by segment. Dot segments are refused.
	Path string
	// Query holds plain values; spaces are sent as %20.
	Query url.Values
	// Body is sent as JSON; nil sends none.
	Body any
	// ClientRequestID is sent as x-ms-client-request-id; empty sends none.
	ClientRequestID string
}

// Do makes one call. Every failure is an *operation.Error: an answer that is
// not 2xx as Classify reads it, and a missing or unreadable answer as Transient,
// Ambiguous when it may have changed something. A call that the budget has no
// room for is not made; its error is an *operation.PutOff as well.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	target, err := c.resolve(r.Path, r.Query)
	if err != nil {
		return nil, err
	}
	return c.call(ctx, r.Method, target, r.Body, r.ClientRequestID)
}

// Poll reads a URL that ARM gave: a status or result URL, or a next link. It is
// sent byte for byte as it came, and only to a trusted host: otherwise the
// error is an operation.Error with code UntrustedPollHost that wraps nothing
// of the URL but its host.
func (c *Client) Poll(ctx context.Context, rawURL string) (*Answer, error) {
	target, err := exactURL(rawURL)
	if err != nil {
		return nil, &operation.Error{
			Code: azerr.CodeMalformedPollURL, Class: operation.Fatal, Message: err.Error(),
			RecommendedAction: []string{"Look at the resource in Azure; the address that Azure gave for its status cannot be used."},
		}
	}
	if err := c.trust.check(target); err != nil {
		var untrusted *UntrustedHost
		if !errors.As(err, &untrusted) {
			return nil, err
		}
		return nil, &untrustedPollHost{
			Err: operation.Error{
				Code: azerr.CodeUntrustedPollHost, Class: operation.Fatal, Message: untrusted.Error(),
				RecommendedAction: []string{"If the host is Azure's, add it to the trusted hosts."},
			},
			host: untrusted,
		}
	}
	return c.call(ctx, http.MethodGet, target, nil, "")
}

// untrustedPollHost is found by errors.As both as the typed refusal and as the
// *operation.Error that the engine handles.
type untrustedPollHost struct {
	Err  operation.Error
	host *UntrustedHost
}

func (e *untrustedPollHost) Error() string   { return e.Err.Error() }
func (e *untrustedPollHost) Unwrap() []error { return []error{&e.Err, e.host} }

// resolve builds the URL of a call at the endpoint.
func (c *Client) resolve(path string, query url.Values) (*url.URL, error) {
	encoded, err := encodePath(path)
	if err != nil {
		return nil, &operation.Error{Code: azerr.CodeMalformedRequest, Class: operation.Fatal, Message: err.Error()}
	}
	target := *c.endpoint
	target.Path, target.RawPath = path, encoded
	// Form encoding writes a space as +, which ARM's $filter does not undo.
	target.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return &target, nil
}

func (c *Client) call(ctx context.Context, method string, target *url.URL, body any, clientRequestID string) (*Answer, error) {
	if r, ok := ctx.Value(rehearsalKey{}).(*rehearsal); ok && method != http.MethodGet {
		return nil, r.note(method, target, body)
	}
	charge, err := c.budget.Take(ctx, method, pathOf(target))
	if err != nil {
		return nil, err
	}
	counted(ctx)
	answer, err := c.observed(ctx, method, target, body, clientRequestID)
	charge.Settle(heard(answer, err))
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (c *Client) observed(ctx context.Context, method string, target *url.URL, body any, clientRequestID string) (*Answer, error) {
	if c.observe == nil {
		return c.exchange(ctx, method, target, body, clientRequestID)
	}
	ctx, done := c.observe(ctx, method, target.Path)
	answer, err := c.exchange(ctx, method, target, body, clientRequestID)
	status := 0
	var failed *operation.Error
	if answer != nil {
		status = answer.Status
	} else if errors.As(err, &failed) {
		status = failed.HTTPStatus
	}
	done(status, err)
	return answer, err
}

// exchange makes the call. Where an answer came that is an error, it gives both.
func (c *Client) exchange(ctx context.Context, method string, target *url.URL, body any, clientRequestID string) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ctx, sent := withAttempt(ctx)
	req, err := newRequest(ctx, method, target, body)
	if err != nil {
		return nil, &operation.Error{Code: azerr.CodeMalformedRequest, Class: operation.Fatal, Message: describe(err)}
	}
	if clientRequestID != "" {
		req.Raw().Header.Set(headerClientRequestID, clientRequestID)
	}
	resp, err := c.pipeline.Do(req)
	if err != nil {
		return nil, wireFailure(method, err, sent.unsent(err))
	}
	payload, err := runtime.Payload(resp)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, wireFailure(method, err, false)
	}
	answer := newAnswer(method, resp, payload, c.clock)
	c.compareClocks(answer)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answer, answer.err()
	}
	if len(answer.Body) > 0 && !json.Valid(answer.Body) {
		return answer, answer.Unreadable(fmt.Sprintf("the body is not JSON but %q", resp.Header.Get("Content-Type")))
	}
	return answer, nil
}

func newRequest(ctx context.Context, method string, target *url.URL, body any) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, method, target.Scheme+"://"+target.Host)
	if err != nil {
		return nil, err
	}
	req.Raw().URL = target
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("User-Agent", "azbackupflow")
	if body != nil {
		if err := runtime.MarshalAsJSON(req, body); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// Get reads one resource.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	return answer.Decode(into)
}
