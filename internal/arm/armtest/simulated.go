package armtest

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/local/armsim"
)

// Simulated is a simulated Azure whose clock only the test advances.
type Simulated struct {
	// Client is a client of the simulator.
	Client *arm.Client
	// Clock is the simulator's clock.
	Clock *clockwork.FakeClock
	sim   *armsim.Simulator
}

// Simulate starts a simulator with its demo world.
func Simulate(t testing.TB) *Simulated {
	t.Helper()
	s := &Simulated{Clock: clockwork.NewFakeClockAt(time.Date(2024, 6, 11, 10, 32, 0, 0, time.UTC))}
	sim, err := armsim.New(armsim.Config{Now: s.Clock.Now, RequireSignedPolls: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	s.sim = sim
	s.Client, err = arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Now: s.Clock.Now})
	require.NoError(t, err)
	return s
}

// GetToken returns a token that the simulator accepts.
func (s *Simulated) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.sim.Token(), ExpiresOn: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// End tracks an operation until it ends.
func (s *Simulated) End(t testing.TB, submission lro.Submission, err error) lro.Progress {
	t.Helper()
	require.NoError(t, err)
	tracking := submission.Tracking
	for range 100 {
		p, err := lro.Track(t.Context(), s.Client, tracking)
		require.NoError(t, err)
		if p.NewTracking != nil {
			tracking = *p.NewTracking
		}
		if p.State != lro.Running {
			return p
		}
		s.Clock.Advance(30 * time.Second)
	}
	require.FailNow(t, "the operation does not end")
	return lro.Progress{}
}

// Succeeds tracks an operation until it ends, and requires that it succeeds.
func (s *Simulated) Succeeds(t testing.TB, submission lro.Submission, err error) lro.Progress {
	t.Helper()
	p := s.End(t, submission, err)
	require.Equal(t, lro.Succeeded, p.State, "%+v", p.Err)
	return p
}
