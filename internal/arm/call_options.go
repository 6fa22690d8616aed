package arm

import (
	"encoding/json"
	"net/http"
	"net/url"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/step"
)

// CallOptions apply to every call of a bound client; see Client.With.
type CallOptions struct {
	// Caller has the priority of the calls. The rate limiter defers calls of low
	// priority first.
	Caller ratelimit.Caller
	// Record, if set, receives each exchange in the order of the answers. An
	// exchange holds no query, header or body.
	Record func(operation.Exchange)
	// DryRun, if set, makes the client read-only: only GETs are sent. Every
	// other call is added to the dry run and fails with CodeNotSent.
	DryRun *step.DryRun
}

// With returns a copy of the client whose calls have these options. The copy is
// cheap and shares the connection.
func (c *Client) With(o CallOptions) *Client {
	return &Client{connection: c.connection, options: o}
}

// record passes an exchange to the recorder.
func (o CallOptions) record(target *url.URL, method string, resp *http.Response, err error) {
	if o.Record == nil {
		return
	}
	x := operation.Exchange{Method: method, Path: sentPath(target)}
	switch {
	case err != nil:
		x.Failure = describe(err)
	case resp != nil:
		x.Status = resp.StatusCode
		x.CorrelationID = resp.Header.Get("x-ms-correlation-request-id")
		x.RequestID = resp.Header.Get("x-ms-request-id")
	}
	o.Record(x)
}

// CodeNotSent is the code of a call that a dry run did not send.
const CodeNotSent = "NotSent"

// notSent adds a call to the dry run and returns its error.
func (c *Client) notSent(target *url.URL, r Request) error {
	call := step.Unsent{Method: r.Method, Path: target.Path, Query: target.RawQuery}
	if r.Body != nil {
		raw, err := json.Marshal(r.Body)
		if err != nil {
			return azerr.Malformed(err)
		}
		call.Body = raw
	}
	c.options.DryRun.Add(call)
	return &operation.Error{Code: CodeNotSent, Class: operation.Fatal, Message: "dry run: the call was not sent"}
}
