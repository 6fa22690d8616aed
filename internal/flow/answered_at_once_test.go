package flow_test

import (
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// carriedOutAtOnce carries out the first write, and answers it as Azure answers an
// undelete and a resume that has nothing to do: 200, empty, without the URL of an
// operation.
func carriedOutAtOnce(r *rig, sim *armsim.Simulator, kind string) armsim.Rule {
	var sent atomic.Bool
	return armsim.Rule{Kind: kind, Effect: armsim.Callback(func(w http.ResponseWriter, req *http.Request) bool {
		if !sent.CompareAndSwap(false, true) {
			return false
		}
		body, err := io.ReadAll(req.Body)
		assert.NoError(r.t, err)
		var written object
		if len(body) > 0 {
			assert.NoError(r.t, json.Unmarshal(body, &written))
		}
		r.send(sim, req.Method, req.URL.Path, req.URL.Query().Get("api-version"), written)
		w.WriteHeader(http.StatusOK)
		return true
	})}
}

// The undelete of an instance is answered 200 at once. The instance is then stopped,
// and resumed only on request.
func TestUndelete_AnsweredAtOnceIsConfirmedByReading(t *testing.T) {
	t.Parallel()
	for state, more := range map[string]object{"ProtectionStopped": {}, "ProtectionConfigured": {"resume": true}} {
		r, sim, id := protectedServer(t)
		r.succeeds("delete-protection", object{"backupInstanceId": id})
		more["backupInstanceId"] = id
		r.succeeds("undelete", more)
		require.Equal(t, state, instanceState(sim, id))
	}
}

// Azure answers a resume 200 at once if the instance is protected already: someone
// has resumed it in between.
func TestResume_AnsweredAtOnceIsConfirmedByReading(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedServer(t)
	r.succeeds("stop-protection", object{"backupInstanceId": id})
	sim.Inject(carriedOutAtOnce(r, sim, "POST resumeProtection"))
	op := r.succeeds("resume-protection", object{"backupInstanceId": id})
	require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
	require.Contains(t, r.path(op.ID), "confirm-instance-resumed")
}

// An answer 200 without effect is not a success: the operation waits for the state,
// and ends as timed out if Azure never reports it.
func TestAnsweredAtOnce_IsNoSuccessWithoutTheState(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedServer(t)
	r.succeeds("stop-protection", object{"backupInstanceId": id})
	sim.Inject(armsim.Rule{Kind: "POST resumeProtection", Effect: armsim.Answer(http.StatusOK, "", nil)})
	op := r.finish(r.begin("resume-protection", object{"backupInstanceId": id}))
	require.Equal(t, operation.TimedOut, op.Status)
	require.Equal(t, "ProtectionStopped", instanceState(sim, id))

	share := object{"fileShare": namedShare()}
	r, sim = protectedShare(t, armsim.DemoWorld())
	r.succeeds("stop-protection", share)
	sim.Inject(armsim.Rule{Kind: "PUT protectedItems", Effect: armsim.Answer(http.StatusOK, "", nil)})
	op = r.finish(r.begin("resume-protection", object{"fileShare": namedShare(), "policy": "schedule1"}))
	require.Equal(t, operation.TimedOut, op.Status)
	require.Equal(t, "ProtectionStopped", state(sim))
}

// The items of a Recovery Services vault: Azure answered 202 in every recording, and
// 200 with or without the URL is as good.
func TestAnsweredAtOnce_AnItemIsConfirmedByReading(t *testing.T) {
	t.Parallel()
	share := object{"fileShare": namedShare()}
	world := armsim.DemoWorld()
	world.Vaults[0].SoftDelete = "Enabled"
	r, sim := protectedShare(t, world)
	r.succeeds("stop-protection", share)
	sim.Inject(carriedOutAtOnce(r, sim, "PUT protectedItems"))
	op := r.succeeds("resume-protection", object{"fileShare": namedShare(), "policy": "schedule1"})
	require.Equal(t, "Protected", state(sim))
	require.Contains(t, r.path(op.ID), "confirm-resumed")

	r.succeeds("delete-protection", share)
	sim.Inject(carriedOutAtOnce(r, sim, "PUT protectedItems"))
	op = r.succeeds("undelete", share)
	require.Equal(t, "ProtectionStopped", state(sim))
	for _, i := range sim.ProtectedItems() {
		require.False(t, i.Deleted, i.FriendlyName)
	}
	require.Contains(t, r.path(op.ID), "confirm-undeleted")
}
