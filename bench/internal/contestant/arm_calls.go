package contestant

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

// concurrency is the number of steps that run at the same time in every engine that
// has such a setting. It is azbackupflow's value in host.json.
const concurrency = 16

// calls makes the ARM calls of the work. Every engine uses the same client, so that
// only the engines differ.
type calls struct{ arm *arm.Client }

// answer is the result of a call. The peers save it in their histories.
type answer struct {
	StatusURL string        `json:"statusUrl,omitempty"`
	After     time.Duration `json:"after"`
	Done      bool          `json:"done"`
}

func newCalls(w environment) (calls, error) {
	client, err := arm.New(arm.Config{Endpoint: w.job.Endpoint, Credential: token{now: w.now}, Now: w.now})
	if err != nil {
		return calls{}, err
	}
	return calls{arm: client}, nil
}

// bound returns calls that record their exchanges in the step's operation.
func (c calls) bound(s step.Call) calls {
	return calls{arm: c.arm.With(arm.CallOptions{Record: s.Recorder.Record})}
}

func (c calls) submit(ctx context.Context, id, attempt string) (lro.Submission, error) {
	return lro.Start(ctx, c.arm, arm.Request{
		Method: http.MethodPut, Path: fakearm.Path(id), Query: url.Values{"api-version": {"2025-02-01"}},
		Body: map[string]string{"location": "westeurope"}, ClientRequestID: attempt,
	})
}

func (c calls) start(ctx context.Context, id string) (answer, error) {
	s, err := c.submit(ctx, id, "")
	return answer{StatusURL: s.Tracking.StatusURL, After: s.RetryAfter, Done: s.Done}, err
}

func (c calls) poll(ctx context.Context, statusURL string) (answer, error) {
	p, err := lro.Track(ctx, c.arm, operation.Tracking{StatusURL: statusURL})
	if err != nil {
		return answer{}, err
	}
	switch p.State {
	case lro.Running, lro.Succeeded:
		return answer{After: p.RetryAfter, Done: p.State == lro.Succeeded}, nil
	case lro.Failed, lro.Canceled, lro.Gone:
	}
	return answer{}, fmt.Errorf("the operation is %s, want running or succeeded", p.State)
}

// token is a credential; the fake ARM does not check it.
type token struct{ now func() time.Time }

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "bench", ExpiresOn: t.now().Add(time.Hour)}, nil
}
