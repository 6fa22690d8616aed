package flow_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const groupDisks = drillGroup + "/providers/Microsoft.Compute/disks/"

// machineDrill is a drill of vm1 that waits an hour for a validator.
func machineDrill(more object) object {
	p := object{
		"drill": object{"name": "machines", "run": "2026-03-01T04:00", "configurationDigest": "sha256:" + strings.Repeat("0", 64)},
		"type":  "VM", "itemId": demoMachine, "point": object{"rule": "latest"},
		"target":     object{"storageAccountId": drillAccount, "resourceGroupId": drillGroup},
		"validation": object{"by": "callback", "window": "PT1H"}, "cleanUp": "delete",
	}
	maps.Copy(p, more)
	return p
}

func unvalidatedMachine() object { return machineDrill(object{"validation": object{"by": "none"}}) }

// machineWorld is the demo's, in which vm1 has data disks.
func machineWorld(dataDisks int) armsim.World {
	world := armsim.DemoWorld()
	world.VirtualMachines[0].DataDisks = dataDisks
	return world
}

func backedUpMachine(t *testing.T, dataDisks int) (*rig, *armsim.Simulator) {
	t.Helper()
	r, sim := simulated(t, machineWorld(dataDisks))
	r.succeeds("backup-now", object{"itemId": demoMachine})
	return r, sim
}

// inGroup returns what exists in the drill group and the staging account, with its
// mark.
func inGroup(sim *armsim.Simulator) map[string]string {
	all := map[string]string{}
	for _, p := range sim.Places() {
		if strings.HasPrefix(p.ID, drillGroup) {
			all[p.ID[strings.LastIndexByte(p.ID, '/')+1:]] = p.Marks["azbackupflow-drill"] + p.Marks["azbackupflowdrill"]
		}
	}
	return all
}

func TestDrillMachine_ProvesItsDisks(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 2)
	sim.CreateDisk(groupDisks+"kept", map[string]string{"azbackupflow-drill": "earlier"})
	sim.CreateDisk(groupDisks+"azbackupflow-drill-other", nil)
	id := r.begin("drill-restore", machineDrill(nil))
	r.until(id, "await-answer")
	made := inGroup(sim)
	require.Len(t, made, 6, "three disks and a container: %v", made)
	require.Equal(t, "earlier", made["kept"])
	for name, mark := range made {
		if strings.HasPrefix(name, "vm1-") {
			require.Equal(t, id, mark, name)
		}
	}
	require.Equal(t, drillGroup, r.operation(id).Validation.Target)
	require.NoError(t, r.answer(id, operation.ValidationSuccessful, drillGroup))
	op := r.finish(id)
	require.Equal(t, operation.Succeeded, op.Status, "%v", r.story(id))
	require.Equal(t, map[string]string{"kept": "earlier", "azbackupflow-drill-other": ""}, inGroup(sim))
	require.Len(t, sim.ItemRestores(), 1)
	e := r.evidence[id]
	require.Equal(t, evidence.Proven, e.Result)
	require.Equal(t, []string{"ChoosePoint Succeeded", "MakeTarget Succeeded", "Restore Succeeded", "CheckData Succeeded", "Validate Succeeded", "CleanUp Succeeded"}, phasesOf(e))
	require.Equal(t, sim.ItemRestores()[0].JobID, e.Phases[2].JobID)
	require.Equal(t, drillGroup, e.Target.ID)
	require.Equal(t, "VM", e.Item.Type)
	require.Contains(t, e.Checks[0].Found, "3 disks with 12.0 GiB, 1 of them with an operating system: vm1-datadisk-000")
	require.Contains(t, e.Checks[0].Found, "the recovery point has 3 disks")
	require.Contains(t, e.Checks[1].Found, "a container that belongs to the drill")
}

func TestDrillMachine_NeedsAGroupWithoutOtherDisks(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 0)
	sim.CreateDisk(groupDisks+"precious", nil)
	require.Equal(t, "PlaceNotEmpty", r.fails("drill-restore", machineDrill(nil)).Code)
	require.Empty(t, sim.ItemRestores())
	require.Equal(t, map[string]string{"precious": ""}, inGroup(sim), "it is not parked: nothing was restored")
	for range 51 {
		sim.CreateDisk(groupDisks+"kept"+r.newID(), map[string]string{"azbackupflow-drill": "earlier"})
	}
	sim.SetMarks(groupDisks+"precious", map[string]string{"azbackupflow-drill": "earlier"})
	require.Equal(t, "PlaceFull", r.fails("drill-restore", machineDrill(nil)).Code)
	require.Empty(t, sim.ItemRestores())
}

// A disk of someone else that appears during the drill is neither marked nor deleted.
func TestDrillMachine_AnotherDiskAppearsMeanwhile(t *testing.T) {
	t.Parallel()
	for at, name := range map[string]string{"machine-await-restore-job": "precious", "mark-place": "vm1-late", "check-data": "vm1-precious", "await-answer": "vm10-osdisk-1"} {
		r, sim := backedUpMachine(t, 1)
		id := r.begin("drill-restore", machineDrill(nil))
		r.until(id, at)
		r.clock.Advance(2 * time.Minute)
		sim.CreateDisk(groupDisks+name, map[string]string{"team": "a"})
		op := r.finish(id)
		require.Equal(t, operation.Parked, op.Status, "%s: %v", at, r.story(id))
		require.Equal(t, "CleanUpFailed", op.LastError.Code)
		require.Contains(t, op.LastError.Message, name)
		require.Equal(t, map[string]string{name: ""}, inGroup(sim), "only the drill's own disks are deleted")
		require.Contains(t, r.evidence[id].Phases[len(r.evidence[id].Phases)-1].Error, "without the mark")

		require.True(t, sim.SetMarks(groupDisks+name, map[string]string{"azbackupflow-drill": id}))
		r.endsAfterRetry(id, operation.SucceededWithWarnings)
		require.Empty(t, inGroup(sim))
	}
}

// A disk that could be one of the restore makes the drill mark nothing, if more disks
// arrive than the recovery point has.
func TestDrillMachine_MarksNothingIfItsDisksAreUnclear(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 1)
	id := r.begin("drill-restore", unvalidatedMachine())
	r.until(id, "machine-await-restore-job")
	sim.CreateDisk(groupDisks+"vm1-precious", nil)
	op := r.finish(id)
	require.Equal(t, operation.Parked, op.Status, "%v", r.story(id))
	require.Contains(t, op.LastError.Message, "RestoredUnclear")
	require.Len(t, inGroup(sim), 4)
	for name, mark := range inGroup(sim) {
		require.Empty(t, mark, name)
	}
	require.Equal(t, evidence.Failed, r.evidence[id].Result)
	require.True(t, sim.SetMarks(groupDisks+"vm1-precious", map[string]string{"azbackupflow-drill": "another"}))
	r.endsAfterRetry(id, operation.Failed)
	for name := range inGroup(sim) {
		require.NotContains(t, name, "osdisk")
	}
	require.Contains(t, inGroup(sim), "vm1-precious")
}

func TestDrillMachine_MarkIsRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	for how, marks := range map[string]map[string]string{"removed": nil, "another drill's": {"azbackupflow-drill": "other"}} {
		r, sim := backedUpMachine(t, 1)
		id := r.begin("drill-restore", machineDrill(nil))
		r.until(id, "await-answer")
		require.NoError(t, r.answer(id, operation.ValidationSuccessful, ""))
		disk := ""
		for name := range inGroup(sim) {
			if strings.Contains(name, "osdisk") {
				disk = name
			}
		}
		require.True(t, sim.SetMarks(groupDisks+disk, marks))
		op := r.finish(id)
		require.Equal(t, operation.Parked, op.Status, "%s: %v", how, r.story(id))
		require.Contains(t, op.LastError.Message, "PlaceNotMarked")
		require.Equal(t, map[string]string{disk: marks["azbackupflow-drill"]}, inGroup(sim))
		require.Equal(t, evidence.Proven, r.evidence[id].Result)

		require.True(t, sim.SetMarks(groupDisks+disk, map[string]string{"azbackupflow-drill": id}))
		r.endsAfterRetry(id, operation.Succeeded)
		require.Empty(t, inGroup(sim))
	}
}

func TestDrillMachine_CleanUpIsRefused(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"Microsoft.Compute/disks/delete", "Microsoft.Storage/storageAccounts/blobServices/containers/delete"} {
		r, sim := backedUpMachine(t, 1)
		allow := sim.DenyAction(action)
		id := r.begin("drill-restore", unvalidatedMachine())
		op := r.finish(id)
		require.Equal(t, operation.Parked, op.Status, "%v", r.story(id))
		require.Contains(t, op.LastError.Message, "AuthorizationFailed")
		require.Contains(t, strings.Join(op.LastError.RecommendedAction, " "), "azbackupflow Drill Operator")
		require.Equal(t, evidence.Proven, r.evidence[id].Result)
		allow()
		r.endsAfterRetry(id, operation.Succeeded)
		require.Empty(t, inGroup(sim))
	}
}

// A restore that fails has left a disk, which is deleted. Azure does not name the
// container that it made, so it stays.
func TestDrillMachine_RestoreFails(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 1)
	sim.AddOutcome(armsim.Outcome{Operation: "Restore", JobStatus: "Failed", ErrorCode: 1073871825, ErrorText: "the restore failed", Recommendation: "look"})
	id := r.begin("drill-restore", machineDrill(nil))
	op := r.finish(id)
	require.Equal(t, operation.Failed, op.Status, "%v", r.story(id))
	require.Contains(t, op.LastError.Message, "the restore failed")
	require.Contains(t, r.path(id), "mark-place")
	for name := range inGroup(sim) {
		require.NotContains(t, name, "disk")
	}
	require.Equal(t, evidence.Failed, r.evidence[id].Result)
}

func TestDrillMachine_CanceledLeavesNoDisk(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"read-vault", "choose-item-point", "make-place", "machine-restore", "machine-await-restore", "machine-await-restore-job", "mark-place", "check-data", "await-answer"} {
		r, sim := backedUpMachine(t, 1)
		id := r.begin("drill-restore", machineDrill(nil))
		r.until(id, at)
		_, err := r.engine.Cancel(t.Context(), id, operation.Cause{Actor: operation.Actor{Kind: operation.ActorUser, ID: "anna"}})
		require.NoError(t, err)
		require.Equal(t, operation.Canceled, r.finish(id).Status, "%s: %v", at, r.story(id))
		require.Contains(t, r.evidence, id, at)
		for name := range inGroup(sim) {
			require.NotContains(t, name, "disk", at)
		}
		for _, job := range sim.Jobs() {
			require.NotEqual(t, "InProgress", job.Status, at)
		}
	}
}

func TestDrillMachine_StartsOneRestoreDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	for how, effect := range map[string]armsim.Effect{
		"answer": armsim.ResetAfter(), "request": armsim.ResetBefore(), "status": armsim.ExpiredStatus(), "throttled": armsim.AnswerError(429, "TooManyRequests", "slowly", nil),
	} {
		for _, kind := range []string{"POST restore", "PATCH disks", "DELETE disks", "GET disks", "PATCH containers", "DELETE containers", "GET containers"} {
			t.Run(how+", "+kind, func(t *testing.T) {
				t.Parallel()
				r, sim := backedUpMachine(t, 1)
				sim.Inject(armsim.Rule{Kind: kind, Times: 1, Effect: effect})
				op := r.succeeds("drill-restore", unvalidatedMachine())
				require.Len(t, sim.ItemRestores(), 1, "%v", r.story(op.ID))
				require.Empty(t, inGroup(sim))
			})
		}
	}
}

// locks makes the engine lock what operations change.
func (r *rig) locks() {
	r.t.Helper()
	var err error
	r.engine, err = engine.New(engine.Config{
		Store: r.rows, Queue: r.queue, Flows: r.flows, Waits: operation.AzureWaits(), Tenant: "contoso", Locks: r.rows,
		Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep,
	})
	require.NoError(r.t, err)
}

// Two drills of machines in one group could not tell their disks apart.
func TestDrillMachine_OneAtATimeUsesAGroup(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 1)
	r.locks()
	first := r.begin("drill-restore", machineDrill(nil))
	r.until(first, "await-answer")
	second := r.begin("drill-restore", unvalidatedMachine())
	r.until(second, "make-place")
	r.step()
	require.Equal(t, "operation "+first, r.operation(second).WaitingFor)
	require.Len(t, sim.ItemRestores(), 1)
	require.NoError(t, r.answer(first, operation.ValidationSuccessful, ""))
	require.Equal(t, operation.Succeeded, r.finish(second).Status, "%v", r.story(second))
	require.Equal(t, operation.Succeeded, r.operation(first).Status)
	require.Empty(t, inGroup(sim))
	require.Len(t, sim.ItemRestores(), 2)
}

// A drill that has nothing in the group ends without waiting for the drill that uses
// the group, and is not parked.
func TestDrillMachine_EndsAlthoughAnotherDrillUsesTheGroup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more object
		ends func(r *rig, id string)
		want operation.Status
	}{
		"canceled while it waits": {nil, func(r *rig, id string) {
			_, err := r.engine.Cancel(r.t.Context(), id, operation.Cause{})
			require.NoError(r.t, err)
		}, operation.Canceled},
		"waits beyond its deadline": {nil, func(r *rig, _ string) { r.clock.Advance(49 * time.Hour) }, operation.Failed},
		"no recovery point":         {object{"point": object{"rule": "latestWithin", "window": "PT1M"}}, func(*rig, string) {}, operation.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := backedUpMachine(t, 1)
			r.locks()
			first := r.begin("drill-restore", machineDrill(object{"validation": object{"by": "callback", "window": "P10D"}}))
			r.until(first, "await-answer")
			second := r.begin("drill-restore", machineDrill(c.more))
			if c.more == nil {
				r.until(second, "make-place")
				r.step()
				require.Equal(t, "operation "+first, r.operation(second).WaitingFor)
			}
			c.ends(r, second)
			r.until(second, "end")
			for r.operation(second).Status == operation.Running {
				r.step()
			}
			require.Equal(t, c.want, r.operation(second).Status, "%v", r.story(second))
			require.Equal(t, "await-answer", r.operation(first).Step, "the first one still uses the group")
			require.Equal(t, evidence.Failed, r.evidence[second].Result)
			require.Len(t, sim.ItemRestores(), 1)
			require.Len(t, inGroup(sim), 3)
		})
	}
}

// The container of the staging account stays if someone else has marked it.
func TestDrillMachine_LeavesAContainerThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 0)
	id := r.begin("drill-restore", unvalidatedMachine())
	r.until(id, "mark-place")
	for _, p := range sim.Places() {
		if strings.HasPrefix(p.ID, drillAccount) {
			require.True(t, sim.SetMarks(p.ID, map[string]string{"azbackupflowdrill": "other"}))
		}
	}
	require.Equal(t, operation.Succeeded, r.finish(id).Status, "%v", r.story(id))
	require.Len(t, inGroup(sim), 1)
	require.Contains(t, r.evidence[id].Checks[1].Found, "which stays: https://drillaccount.blob.core.windows.net/vm1-")
}

func TestDrillMachine_KeepsItsDisksIfDeclared(t *testing.T) {
	t.Parallel()
	r, sim := backedUpMachine(t, 1)
	first := r.succeeds("drill-restore", machineDrill(object{"cleanUp": "keep", "validation": object{"by": "none"}}))
	require.Len(t, inGroup(sim), 3)
	r.succeeds("drill-restore", unvalidatedMachine())
	require.Len(t, inGroup(sim), 3, "the next drill deletes only its own")
	for name, mark := range inGroup(sim) {
		require.Equal(t, first.ID, mark, name)
	}
}

func TestDrillMachine_NeedsBothTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target object
		want   string
	}{
		{object{"resourceGroupId": drillGroup}, "parameters.target.storageAccountId: is missing"},
		{object{"storageAccountId": drillAccount}, "parameters.target.resourceGroupId: is missing"},
		{object{"resourceGroupId": drillGroup, "storageAccountId": demoAccount}, "is not an allowed drill target"},
		{object{"resourceGroupId": drillGroup + "2", "storageAccountId": drillAccount}, "is not an allowed drill target"},
		{object{"resourceGroupId": demoGroupID + "azurefiles", "storageAccountId": drillAccount}, "is the resource group of the vault"},
	} {
		raw, err := json.Marshal(machineDrill(object{"target": c.target}))
		require.NoError(t, err)
		f, ok := registry(t, morning()).Newest("drill-restore")
		require.True(t, ok)
		_, err = f.Check(raw)
		require.ErrorContains(t, err, c.want)
	}
}
