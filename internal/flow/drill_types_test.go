package flow_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const (
	drilledContainers = drillAccount + "/blobServices/default/containers/azbackupflow-drill-"
	drilledDisks      = drillGroup + "/providers/Microsoft.Compute/disks/azbackupflow-drill-"
)

// drilledType is a type of backup instance that drills restore.
type drilledType struct {
	datasource string
	target     object
	// place is the beginning of the place's ID, mark the name of its mark.
	place, mark string
	// found is in the built-in check.
	found string
}

func drilledTypes() map[string]drilledType {
	return map[string]drilledType{
		"disk":              {"Microsoft.Compute/disks", object{"resourceGroupId": drillGroup}, drilledDisks, "azbackupflow-drill", "4.0 GiB"},
		"vaulted blobs":     {"Microsoft.Storage/storageAccounts/blobServices", object{"storageAccountId": drillAccount}, drilledContainers, "azbackupflowdrill", "job completed"},
		"PostgreSQL server": {"Microsoft.DBforPostgreSQL/flexibleServers", object{"storageAccountId": drillAccount}, drilledContainers, "azbackupflowdrill", "prefix drill"},
	}
}

// drill returns the parameters of a drill that waits an hour for a validator.
func (d drilledType) drill(instance string) object {
	return object{
		"drill": object{"name": "quarterly", "run": "2026-03-01T04:00", "configurationDigest": "sha256:" + strings.Repeat("0", 64)},
		"type":  d.datasource, "backupInstanceId": instance, "point": object{"rule": "latest"}, "target": d.target,
		"validation": object{"by": "callback", "window": "PT1H"}, "cleanUp": "delete",
	}
}

func backedUpSource(t *testing.T, name string) (*rig, *armsim.Simulator, string) {
	t.Helper()
	r, sim, id := protectedSourceOf(t, name)
	r.succeeds("backup-now", object{"backupInstanceId": id})
	return r, sim, id
}

func TestDrill_ProvesEachTypeOfInstance(t *testing.T) {
	t.Parallel()
	for name, d := range drilledTypes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim, instance := backedUpSource(t, name)
			id := r.begin("drill-restore", d.drill(instance))
			r.until(id, "await-answer")
			require.Equal(t, []string{d.place + id}, places(sim), "%v", r.story(id))
			for _, p := range sim.Places() {
				if p.ID == d.place+id {
					require.Equal(t, id, p.Marks[d.mark])
				}
			}
			require.NoError(t, r.answer(id, operation.ValidationSuccessful, d.place+id))
			op := r.finish(id)
			require.Equal(t, operation.Succeeded, op.Status, "%v", r.story(id))
			require.Empty(t, places(sim))
			require.Len(t, sim.Restores(), 1)
			e := r.evidence[id]
			require.Equal(t, evidence.Proven, e.Result)
			require.Equal(t, []string{"ChoosePoint Succeeded", "MakeTarget Succeeded", "Restore Succeeded", "CheckData Succeeded", "Validate Succeeded", "CleanUp Succeeded"}, phasesOf(e))
			require.Contains(t, e.Checks[0].Found, d.found)
			require.NotEmpty(t, e.Checks[0].NotChecked)
			require.Equal(t, sim.Restores()[0].JobID, e.Phases[2].JobID)
			require.Equal(t, sim.Restores()[0].RecoveryPoint, e.Point.ID)
			require.Equal(t, d.datasource, e.Item.Type)
		})
	}
}

// Nothing of a failed restore stays, and nothing else is touched.
func TestDrill_OfEachTypeCleansUpAfterAFailedRestore(t *testing.T) {
	t.Parallel()
	for name, d := range drilledTypes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim, instance := backedUpSource(t, name)
			before := len(sim.Places())
			sim.AddOutcome(armsim.Outcome{Operation: "Restore", JobStatus: "Failed", Code: "UserErrorRestoreFailed", ErrorText: "the restore failed"})
			id := r.begin("drill-restore", d.drill(instance))
			op := r.finish(id)
			require.Equal(t, operation.Failed, op.Status, "%v", r.story(id))
			require.Contains(t, op.LastError.Message, "the restore failed")
			require.Len(t, sim.Places(), before)
			require.Equal(t, evidence.Failed, r.evidence[id].Result)
		})
	}
}

func TestDrill_OfEachTypeStartsOneRestoreDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	for name, d := range drilledTypes() {
		for how, effect := range map[string]armsim.Effect{"answer": armsim.ResetAfter(), "request": armsim.ResetBefore(), "status": armsim.ExpiredStatus()} {
			t.Run(fmt.Sprintf("%s, lost %s", name, how), func(t *testing.T) {
				t.Parallel()
				r, sim, instance := backedUpSource(t, name)
				sim.Inject(armsim.Rule{Kind: "POST restore", Times: 1, Effect: effect})
				p := d.drill(instance)
				p["validation"] = object{"by": "none"}
				op := r.succeeds("drill-restore", p)
				require.Len(t, sim.Restores(), 1, "%v", r.story(op.ID))
				require.Empty(t, places(sim))
			})
		}
	}
}

// The disk that a restore made late, after its drill was canceled, is deleted too.
func TestDrill_CanceledWaitsForTheDiskThatAzureStillMakes(t *testing.T) {
	t.Parallel()
	r, sim, instance := backedUpSource(t, "disk")
	id := r.begin("drill-restore", drilledTypes()["disk"].drill(instance))
	r.until(id, "instance-await-restore-job")
	_, err := r.engine.Cancel(t.Context(), id, operation.Cause{})
	require.NoError(t, err)
	require.Empty(t, places(sim), "Azure has not made it yet")
	op := r.finish(id)
	require.Equal(t, operation.Canceled, op.Status, "%v", r.story(id))
	require.Empty(t, places(sim))
	require.Contains(t, r.path(id), "mark-place")
	r.clock.Advance(r.clock.Now().Sub(morning()))
	require.Empty(t, places(sim), "nothing appears later")
}

func TestDrill_RefusesBlobsThatAreRestoredInPlaceOnly(t *testing.T) {
	t.Parallel()
	r, sim, instance := protectedSourceOf(t, "operational blobs")
	require.Equal(t, "NoVaultedBackup", r.fails("drill-restore", drilledTypes()["vaulted blobs"].drill(instance)).Code)
	require.Empty(t, sim.Restores())
}

func TestDrill_OfAnotherTypeIsRejected(t *testing.T) {
	t.Parallel()
	r, sim, instance := backedUpSource(t, "disk")
	p := drilledTypes()["vaulted blobs"].drill(instance)
	require.Equal(t, "DatasourceNotSupported", r.fails("drill-restore", p).Code)
	require.Empty(t, sim.Restores())
}

// Something else, such as an Azure Policy, removes each mark. The drill deletes nothing,
// does not hammer Azure, and needs an operator.
func TestDrillMachine_MarkThatNeverStaysParks(t *testing.T) {
	t.Parallel()
	for kind, left := range map[string]int{"PATCH disks": 3, "PATCH containers": 1} {
		r, sim := backedUpMachine(t, 1)
		marks := 0
		sim.Inject(armsim.Rule{Kind: kind, Times: 10_000, Effect: armsim.Callback(func(w http.ResponseWriter, _ *http.Request) bool {
			marks++
			r.clock.Advance(time.Second)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
			return true
		})})
		id := r.begin("drill-restore", unvalidatedMachine())
		op := r.finish(id)
		require.Equal(t, operation.Parked, op.Status, "%s: %v", kind, r.story(id))
		require.Contains(t, op.LastError.Message, "MarkNotVisible")
		require.Less(t, marks, 250, kind)
		require.GreaterOrEqual(t, len(inGroup(sim)), left)
	}
}
