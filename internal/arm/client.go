package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// headerClientRequestID is echoed by ARM. According to recordings, Azure Backup
// keeps it as the activityId of the job that a call starts.
const headerClientRequestID = "x-ms-client-request-id"

// Client calls Azure Resource Manager. It is safe for concurrent use.
type Client struct {
	*connection
	options CallOptions
}

// connection holds what bound copies of a client share.
type connection struct {
	pipeline runtime.Pipeline
	endpoint *url.URL
	trust    trust
	timeout  time.Duration
	now      func() time.Time
	// clockSkew is Azure's clock minus ours, a time.Duration.
	clockSkew atomic.Int64
	observe   Observer
	limiter   *ratelimit.Limiter
}

// Request is one call of Azure Resource Manager.
type Request struct {
	Method string
	// Path is the plain path, from /subscriptions on. Each segment is
	// percent-encoded; dot segments are rejected.
	Path string
	// Query holds plain values; spaces are sent as %20.
	Query url.Values
	// Body is sent as JSON; nil sends none.
	Body any
	// ClientRequestID is sent as x-ms-client-request-id; empty sends none.
	ClientRequestID string
}

// Do sends one request. Every failure is an *operation.Error: an answer with a
// status outside 2xx as azerr.Classify reads it; a missing or unreadable answer
// as Transient, and Ambiguous if the request may have changed something. A
// request that the rate limiter defers is not sent: its error is also an
// *operation.Deferral.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	target, err := c.resolve(r.Path, r.Query)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, target, r)
}

// Get reads one resource.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	return answer.Decode(into)
}

// Poll reads a URL that ARM returned: a status URL, a result URL or a next
// link. The URL is sent byte for byte, and only to a trusted host. Otherwise the
// error has the code UntrustedPollHost and holds only the URL's host.
func (c *Client) Poll(ctx context.Context, rawURL string) (*Answer, error) {
	target, err := exactURL(rawURL)
	if err != nil {
		return nil, &operation.Error{
			Code: azerr.CodeMalformedPollURL, Class: operation.Fatal, Message: err.Error(),
			RecommendedAction: []string{"Check the resource in Azure. The status URL that Azure returned cannot be used."},
		}
	}
	if err := c.trust.check(target); err != nil {
		return nil, untrustedPollHost(err)
	}
	return c.send(ctx, target, Request{Method: http.MethodGet})
}

// resolve returns the URL of a call at the endpoint.
func (c *Client) resolve(path string, query url.Values) (*url.URL, error) {
	encoded, err := encodePath(path)
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	target := *c.endpoint
	target.Path, target.RawPath = path, encoded
	// Form encoding writes a space as +, which ARM's $filter does not decode.
	target.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return &target, nil
}

// send applies the call options and the rate limiter.
func (c *Client) send(ctx context.Context, target *url.URL, r Request) (*Answer, error) {
	if c.options.DryRun != nil && r.Method != http.MethodGet {
		return nil, c.notSent(target, r)
	}
	reservation, err := c.limiter.Acquire(ctx, c.options.Caller, r.Method, sentPath(target))
	if err != nil {
		return nil, err
	}
	answer, err := c.observed(ctx, target, r)
	reservation.Done(observation(answer, err))
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// observed makes the call within the observer's span.
func (c *Client) observed(ctx context.Context, target *url.URL, r Request) (*Answer, error) {
	if c.observe == nil {
		return c.exchange(ctx, target, r)
	}
	ctx, done := c.observe(ctx, r.Method, target.Path)
	answer, err := c.exchange(ctx, target, r)
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

// exchange sends the request and reads the answer. If the answer is an error,
// it returns both.
func (c *Client) exchange(ctx context.Context, target *url.URL, r Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := newRequest(ctx, target, r)
	if err != nil {
		return nil, &operation.Error{Code: azerr.CodeMalformedRequest, Class: operation.Fatal, Message: describe(err)}
	}
	sent := &delivery{}
	req.SetOperationValue(sent)
	resp, err := c.pipeline.Do(req)
	c.options.record(target, r.Method, resp, err)
	if err != nil {
		return nil, noAnswer(r.Method, err, sent.neverSent(err))
	}
	payload, err := runtime.Payload(resp)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, noAnswer(r.Method, err, false)
	}
	answer := newAnswer(r.Method, resp, payload, c.now)
	c.compareClocks(answer)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answer, answer.err()
	}
	if len(answer.Body) > 0 && !json.Valid(answer.Body) {
		return answer, answer.Unreadable(fmt.Sprintf("the body is %q, not JSON", resp.Header.Get("Content-Type")))
	}
	return answer, nil
}

// newRequest builds the HTTP request.
func newRequest(ctx context.Context, target *url.URL, r Request) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, r.Method, target.Scheme+"://"+target.Host)
	if err != nil {
		return nil, err
	}
	req.Raw().URL = target
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("User-Agent", "azbackupflow")
	if r.ClientRequestID != "" {
		req.Raw().Header.Set(headerClientRequestID, r.ClientRequestID)
	}
	if r.Body != nil {
		if err := runtime.MarshalAsJSON(req, r.Body); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// compareClocks records how far Azure's clock is from ours. Date is the time at
// which the answer was sent, truncated to seconds.
func (c *connection) compareClocks(a *Answer) {
	if a.Header.Get("Date") != "" {
		c.clockSkew.Store(int64(a.Date.Sub(c.now())))
	}
}

// AzureTime converts a time of our clock to Azure's clock, by the Date of the
// last answer. The result may be up to two seconds early. Before the first
// answer it returns the time unchanged. The times of jobs are Azure's.
func (c *Client) AzureTime(ours time.Time) time.Time {
	return ours.Add(time.Duration(c.clockSkew.Load()))
}
