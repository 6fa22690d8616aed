package harness

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/bench/internal/fakearm"
	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Concurrency is the number of steps that run at the same time in every engine that
// has such a setting. It is azbackupflow's value in host.json.
const Concurrency = 16

// Calls makes the ARM calls of the work. Every engine uses the same client, so that
// only the engines differ.
type Calls struct{ ARM *arm.Client }

// Answer is the result of a call. The peers save it in their histories.
type Answer struct {
	StatusURL string        `json:"statusUrl,omitempty"`
	After     time.Duration `json:"after"`
	Done      bool          `json:"done"`
}

// NewCalls returns the calls to the fake ARM.
func NewCalls(w Env) (Calls, error) {
	client, err := arm.New(arm.Config{Endpoint: w.Job.Endpoint, Credential: Token{Now: w.Now}, Now: w.Now})
	if err != nil {
		return Calls{}, err
	}
	return Calls{ARM: client}, nil
}

// Bound returns calls that record their exchanges in the step's operation.
func (c Calls) Bound(s step.Call) Calls {
	return Calls{ARM: c.ARM.With(arm.CallOptions{Record: s.Recorder.Record})}
}

// Submit starts an operation in ARM.
func (c Calls) Submit(ctx context.Context, id, attempt string) (lro.Submission, error) {
	return lro.Start(ctx, c.ARM, arm.Request{
		Method: http.MethodPut, Path: fakearm.Path(id), Query: url.Values{"api-version": {"2025-02-01"}},
		Body: map[string]string{"location": "westeurope"}, ClientRequestID: attempt,
	})
}

// Start starts an operation, as an activity of an engine.
func (c Calls) Start(ctx context.Context, id string) (Answer, error) {
	s, err := c.Submit(ctx, id, "")
	return Answer{StatusURL: s.Tracking.StatusURL, After: s.RetryAfter, Done: s.Done}, err
}

// Poll polls an operation, as an activity of an engine.
func (c Calls) Poll(ctx context.Context, statusURL string) (Answer, error) {
	p, err := lro.Track(ctx, c.ARM, operation.Tracking{StatusURL: statusURL})
	if err != nil {
		return Answer{}, err
	}
	switch p.State {
	case lro.Running, lro.Succeeded:
		return Answer{After: p.RetryAfter, Done: p.State == lro.Succeeded}, nil
	case lro.Failed, lro.Canceled, lro.Gone:
	}
	return Answer{}, fmt.Errorf("the operation is %s, want running or succeeded", p.State)
}

// Token is a credential; the fake ARM does not check it.
type Token struct{ Now func() time.Time }

// GetToken implements azcore.TokenCredential.
func (t Token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "bench", ExpiresOn: t.Now().Add(time.Hour)}, nil
}
