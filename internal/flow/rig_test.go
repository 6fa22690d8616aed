package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
)

const (
	demoVault   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	demoAccount = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
)

// morning is the start of the tests' clocks.
func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

// rig runs whole operations in one process: the real engine over a store and a
// queue in memory, the real flows and the real ARM client. Its clock jumps from
// one message to the next; a simulator with the same clock follows.
type rig struct {
	t      *testing.T
	flows  *flow.Registry
	engine *engine.Engine
	rows   *memory.Store
	queue  *queuememory.Queue
	clock  *clockwork.FakeClock
	ids    int
	// excluded are the datasources that were excluded from automatic protection;
	// exclusions holds all exclusions by their lower-case IDs.
	excluded   []string
	exclusions map[string]flow.Exclusion
	// evidence holds the documents of drills by their IDs, the first of each;
	// evidenceErr fails the next writes.
	evidence    map[string]evidence.Evidence
	evidenceErr error
}

// newRig returns a rig over the Resource Manager at the endpoint, with the
// clock at a time.
func newRig(t *testing.T, now time.Time, connect func(*rig) (endpoint string, token func() string)) *rig {
	t.Helper()
	r := &rig{t: t, clock: clockwork.NewFakeClockAt(now), rows: memory.New(), queue: &queuememory.Queue{}, exclusions: map[string]flow.Exclusion{}, evidence: map[string]evidence.Evidence{}}
	endpoint, token := connect(r)
	client, err := arm.New(arm.Config{Endpoint: endpoint, Credential: credential(token), Now: r.clock.Now, Transport: watchedTransport{t}})
	require.NoError(t, err)
	definitions := withNewFlows(t, flow.Config{
		ARM: client, Now: r.clock.Now,
		Guardrails: flow.Guardrails{Delete: true, RestoreTargets: append(itemTargets(), append(recordedTargets(), flow.ExampleGuardrails().RestoreTargets...)...), DrillTargets: flow.ExampleGuardrails().DrillTargets},
		Evidence:   r.writeEvidence,
		Exclude: func(_ context.Context, x flow.Exclusion) error {
			r.exclusions[strings.ToLower(x.ResourceID)] = x
			if !strings.Contains(x.ResourceID, "/protectedItems/") && !slices.Contains(r.excluded, x.ResourceID) {
				r.excluded = append(r.excluded, x.ResourceID)
			}
			return nil
		},
		Excluded: func(_ context.Context, resourceID string) (flow.Exclusion, bool, error) {
			x, found := r.exclusions[strings.ToLower(resourceID)]
			return x, found, nil
		},
		Include: func(_ context.Context, resourceID string) error {
			delete(r.exclusions, strings.ToLower(resourceID))
			r.excluded = slices.DeleteFunc(r.excluded, func(x string) bool { return strings.EqualFold(x, resourceID) })
			return nil
		},
	})
	watch(definitions)
	r.flows, err = flow.RegistryOf(definitions)
	require.NoError(t, err)
	r.engine, err = engine.New(engine.Config{
		Store: r.rows, Queue: r.queue, Flows: r.flows, Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep,
	})
	require.NoError(t, err)
	return r
}

// credential returns the tokens that a function issues.
type credential func() string

// GetToken implements azcore.TokenCredential.
func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c(), ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// simulated returns a rig over a simulator of the world.
func simulated(t *testing.T, world armsim.World) (*rig, *armsim.Simulator) {
	t.Helper()
	var sim *armsim.Simulator
	r := newRig(t, morning(), func(r *rig) (string, func() string) {
		var err error
		sim, err = armsim.New(armsim.Config{World: &world, Now: r.clock.Now, RequireSignedPolls: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, sim.Close()) })
		return sim.Endpoint(), sim.Token
	})
	return r, sim
}

// pass moves the clock forward to a time.
func (r *rig) pass(to time.Time) {
	r.clock.Advance(max(0, to.Sub(r.clock.Now())))
}

func (r *rig) newID() string {
	r.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", r.ids)
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.pass(r.clock.Now().Add(d))
	return ctx.Err()
}

// begin starts an operation and returns its ID.
func (r *rig) begin(name string, parameters any) string {
	r.t.Helper()
	raw, err := json.Marshal(parameters)
	require.NoError(r.t, err)
	op, _, err := r.engine.Start(r.t.Context(), request.Request{Flow: name, Key: r.newID(), Parameters: raw}, engine.Origin{})
	require.NoError(r.t, err)
	return op.ID
}

// operation returns the current operation.
func (r *rig) operation(id string) operation.Operation {
	r.t.Helper()
	row, err := r.rows.Load(r.t.Context(), id)
	require.NoError(r.t, err)
	return row.Operation
}

// step delivers the messages that are due next, at their due time.
func (r *rig) step() {
	r.t.Helper()
	due, ok := r.queue.Next()
	require.True(r.t, ok, "nothing is due")
	r.pass(due)
	for _, m := range r.queue.Due(r.clock.Now()) {
		require.NoError(r.t, r.engine.RunStep(r.t.Context(), operation.Delivery{Wakeup: m.Wakeup, Count: 1}))
	}
}

// until delivers messages until the operation is at the step.
func (r *rig) until(id, name string) {
	r.t.Helper()
	for n := 0; r.operation(id).Step != name; n++ {
		require.Less(r.t, n, 200, "it never gets to %s: %v", name, r.story(id))
		require.False(r.t, r.operation(id).Status.Terminal(), "it ends before %s: %v", name, r.story(id))
		r.step()
	}
}

// finish delivers messages until none is left, and returns the operation.
func (r *rig) finish(id string) operation.Operation {
	r.t.Helper()
	for n := 0; len(r.queue.Waiting()) > 0; n++ {
		require.Less(r.t, n, 1000, "the queue never empties: %v", r.story(id))
		r.step()
	}
	r.canTake(id)
	return r.operation(id)
}

// canTake checks that the operation took only steps that its parameters allow.
func (r *rig) canTake(id string) {
	r.t.Helper()
	op := r.operation(id)
	f, ok := r.flows.Find(op.Flow, op.Version)
	require.True(r.t, ok)
	require.Subset(r.t, f.StepsOf(op), slices.DeleteFunc(r.path(id), func(s string) bool { return s == "" }), "%v", r.story(id))
}

// succeeds runs an operation that must succeed.
func (r *rig) succeeds(name string, parameters any) operation.Operation {
	r.t.Helper()
	id := r.begin(name, parameters)
	op := r.finish(id)
	require.Equal(r.t, operation.Succeeded, op.Status, "%v", r.story(id))
	return op
}

// fails runs an operation that must fail, and returns its error.
func (r *rig) fails(name string, parameters any) *operation.Error {
	r.t.Helper()
	id := r.begin(name, parameters)
	op := r.finish(id)
	require.Equal(r.t, operation.Failed, op.Status, "%v", r.story(id))
	require.NotNil(r.t, op.LastError)
	return op.LastError
}

// story returns an operation's history as text.
func (r *rig) story(id string) (lines []string) {
	for ev, err := range r.rows.History(r.t.Context(), id) {
		require.NoError(r.t, err)
		lines = append(lines, fmt.Sprintf("%s %s: %s", ev.At.Format("15:04:05"), ev.Step, ev.What))
		if ev.Err != nil {
			lines = append(lines, "    "+ev.Err.Error())
		}
	}
	return lines
}

// path returns the steps that an operation visited, in order.
func (r *rig) path(id string) (steps []string) {
	for ev, err := range r.rows.History(r.t.Context(), id) {
		require.NoError(r.t, err)
		if len(steps) == 0 || steps[len(steps)-1] != ev.Step {
			steps = append(steps, ev.Step)
		}
	}
	return steps
}

// notes returns what the events of an operation say.
func (r *rig) notes(id string) (all []string) {
	for ev, err := range r.rows.History(r.t.Context(), id) {
		require.NoError(r.t, err)
		all = append(all, ev.What)
	}
	return all
}

// object is a JSON object.
type object = map[string]any

// demoShare returns parameters that protect the share of the Learn page.
func demoShare(more object) object {
	p := object{"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1"}
	maps.Copy(p, more)
	return p
}

// recordedTargets are the restore targets of the recordings.
func recordedTargets() []string {
	return []string{recordedContainer, recordedMySQLFiles, recordedDPPGroup, recordedCluster, recordedAccounts + "clitestsabidonotdelete", recordedAccounts + "clitestvsdonotdelete"}
}

// endsAfterRetry retries an operation, and requires that it ends with the status.
func (r *rig) endsAfterRetry(id string, want operation.Status) {
	r.t.Helper()
	_, err := r.engine.Retry(r.t.Context(), id, operation.Cause{})
	require.NoError(r.t, err)
	require.Equal(r.t, want, r.finish(id).Status, "%v", r.story(id))
}
