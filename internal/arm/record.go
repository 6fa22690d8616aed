package arm

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/internal/operation"
)

// recorder collects the exchanges of one context.
type recorder struct {
	mu        sync.Mutex
	exchanges []operation.Exchange
}

type recorderKey struct{}

// Record gives a context whose ARM calls are recorded, and a function that
// lists them in the order of their answers. A record holds no query, no header
// and no body.
func Record(ctx context.Context) (context.Context, func() []operation.Exchange) {
	r := &recorder{}
	return context.WithValue(ctx, recorderKey{}, r), func() []operation.Exchange {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Clone(r.exchanges)
	}
}

// recorderPolicy records every call in its context's recorder.
type recorderPolicy struct{}

// Do passes the request on and records it.
func (recorderPolicy) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	r, ok := req.Raw().Context().Value(recorderKey{}).(*recorder)
	if !ok {
		return resp, err
	}
	u := req.Raw().URL
	path := u.Path
	if u.Opaque != "" {
		path = u.Opaque
	}
	x := operation.Exchange{Method: req.Raw().Method, Path: path}
	switch {
	case err != nil:
		x.Failure = describe(err)
	case resp != nil:
		x.Status = resp.StatusCode
		x.CorrelationID = resp.Header.Get("x-ms-correlation-request-id")
		x.RequestID = resp.Header.Get("x-ms-request-id")
	}
	r.mu.Lock()
	r.exchanges = append(r.exchanges, x)
	r.mu.Unlock()
	return resp, err
}
