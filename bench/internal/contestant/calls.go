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

// atOnce is how many steps every engine that can be told runs at once; it is
// what azbackupflow's host.json says.
const atOnce = 16

// calls are the two ARM calls of the work. Every engine makes them through the
// same client, so that what differs is the engine.
type calls struct{ arm *arm.Client }

// answer is what an engine needs of a call: it is what the peers keep in their
// histories.
type answer struct {
	StatusURL string        `json:"statusUrl,omitempty"`
	After     time.Duration `json:"after"`
	Done      bool          `json:"done"`
}

func newCalls(w world) (calls, error) {
	client, err := arm.New(arm.Config{Endpoint: w.job.Endpoint, Credential: token{now: w.now}, Now: w.now})
	if err != nil {
		return calls{}, err
	}
	return calls{arm: client}, nil
}

// bound returns calls whose exchanges the step's operation records.
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
	return answer{}, fmt.Errorf("the operation is %s", p.State)
}

// token is a credential that the fake ARM does not look at.
type token struct{ now func() time.Time }

func (t token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "bench", ExpiresOn: t.now().Add(time.Hour)}, nil
}
