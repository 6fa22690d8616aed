package flow_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const (
	drillGroup   = demoGroupID + "drills"
	drillAccount = drillGroup + "/providers/Microsoft.Storage/storageAccounts/drillaccount"
	demoShareID  = demoContainers + "StorageContainer;Storage;AzureFiles;testvault2/protectedItems/azurefileshare;testshare"
)

// writeEvidence keeps the first document of each drill. It signs every document, so
// that one that violates the schema or contradicts itself fails.
func (r *rig) writeEvidence(ctx context.Context, e evidence.Evidence, _ time.Duration) (string, error) {
	if r.evidenceErr != nil {
		return "", r.evidenceErr
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(r.t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(r.t, err)
	private, err := evidence.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(r.t, err)
	_, err = evidence.Sign(ctx, e, private)
	require.NoError(r.t, err)
	if _, written := r.evidence[e.ID]; !written {
		r.evidence[e.ID] = e
	}
	return "evidence/" + e.ID, nil
}

func shareDrill(more object) object {
	p := object{
		"drill": object{"name": "monthly-files", "run": "2026-03-01T04:00", "configurationDigest": "sha256:" + strings.Repeat("0", 64)},
		"type":  "AzureFileShare", "itemId": demoShareID, "point": object{"rule": "latest"}, "target": object{"storageAccountId": drillAccount},
		"objectives": object{"restoreTime": "PT4H", "pointAge": "P1D"}, "validation": object{"by": "none"}, "cleanUp": "delete",
	}
	maps.Copy(p, more)
	return p
}

// validated is a share drill that waits an hour for a validator.
func validatedDrill() object {
	return shareDrill(object{"validation": object{"by": "callback", "window": "PT1H"}})
}

// places returns the places of drills that exist.
func places(sim *armsim.Simulator) (ids []string) {
	for _, p := range sim.Places() {
		if strings.Contains(p.ID, "azbackupflow-drill-") {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func placeOf(id string) string {
	return drillAccount + "/fileServices/default/shares/azbackupflow-drill-" + id
}

func phasesOf(e evidence.Evidence) (all []string) {
	for _, p := range e.Phases {
		all = append(all, fmt.Sprintf("%s %s", p.Name, p.Result))
	}
	return all
}

func (r *rig) answer(id string, result operation.ValidationResult, target string) error {
	_, err := r.engine.Validate(r.t.Context(), id, operation.ValidationAnswer{
		Result: result, Text: "checked", By: operation.Actor{Kind: operation.ActorApp, ID: "validator"},
	}, target)
	return err
}

func TestDrill_ProvesAFileShare(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	op := r.succeeds("drill-restore", shareDrill(nil))
	require.Empty(t, places(sim))
	require.Len(t, sim.ItemRestores(), 1)
	require.Equal(t, "evidence/"+op.ID, op.Learned["evidence"])
	e := r.evidence[op.ID]
	require.Equal(t, evidence.Proven, e.Result)
	require.Equal(t, []string{"ChoosePoint Succeeded", "MakeTarget Succeeded", "Restore Succeeded", "CheckData Succeeded", "CleanUp Succeeded"}, phasesOf(e))
	require.Equal(t, sim.ItemRestores()[0].JobID, e.Phases[2].JobID)
	require.NotEmpty(t, e.Phases[2].CorrelationIDs)
	require.Equal(t, placeOf(op.ID), e.Target.ID)
	require.Equal(t, sim.ItemRestores()[0].RecoveryPoint, e.Point.ID)
	require.Equal(t, evidence.Item{ID: demoShareID, VaultID: demoVault, Type: "AzureFileShare", Name: "testshare"}, e.Item)
	require.Len(t, e.Checks, 1)
	require.Contains(t, e.Checks[0].Found, "3 files restored, 0 skipped, 0 failed")
	require.Equal(t, evidence.CheckPassed, e.Checks[0].Result)
	require.Equal(t, evidence.NotRequested, e.Validation.Result)
	require.True(t, *e.Objectives.RTO.Met)
	require.True(t, *e.Objectives.RPO.Met)
}

func TestDrill_FailsIfNothingArrived(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].Shares[0].Empty = true
	r, sim := backedUpShare(t, world)
	require.Equal(t, "DrillFailed", r.fails("drill-restore", shareDrill(nil)).Code)
	require.Empty(t, places(sim))
	for _, e := range r.evidence {
		require.Equal(t, evidence.Failed, e.Result)
		require.Equal(t, evidence.CheckFailed, e.Checks[0].Result)
	}
}

func TestDrill_WaitsForTheValidator(t *testing.T) {
	t.Parallel()
	for result, want := range map[operation.ValidationResult]struct {
		status operation.Status
		result evidence.Result
	}{
		operation.ValidationSuccessful: {operation.Succeeded, evidence.Proven},
		operation.ValidationFailed:     {operation.Failed, evidence.Failed},
	} {
		r, sim := backedUpShare(t, armsim.DemoWorld())
		id := r.begin("drill-restore", validatedDrill())
		require.ErrorIs(t, r.answer(id, result, ""), operation.ErrNoValidation, "it has not restored yet")
		r.until(id, "await-answer")
		require.Len(t, places(sim), 1)
		asked := r.clock.Now()
		require.NoError(t, r.answer(id, result, placeOf(id)))
		op := r.finish(id)
		require.Equal(t, want.status, op.Status, "%v", r.story(id))
		require.Less(t, r.clock.Now().Sub(asked), 5*time.Minute, "the answer wakes the drill")
		require.Empty(t, places(sim))
		e := r.evidence[id]
		require.Equal(t, want.result, e.Result)
		require.Equal(t, []string{"app validator", "checked"}, []string{e.Validation.By, e.Validation.Text})
	}
}

func TestDrill_ValidatorNeverAnswers(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	id := r.begin("drill-restore", validatedDrill())
	op := r.finish(id)
	require.Equal(t, operation.SucceededWithWarnings, op.Status, "%v", r.story(id))
	require.Contains(t, op.Warnings[0], "NotValidated")
	require.Equal(t, evidence.NotValidated, r.evidence[id].Result)
	require.Equal(t, evidence.TimedOut, r.evidence[id].Validation.Result)
	require.Empty(t, places(sim))
	require.ErrorIs(t, r.answer(id, operation.ValidationSuccessful, ""), operation.ErrWindowClosed)
}

func TestDrill_ValidatorAnswersTwice(t *testing.T) {
	t.Parallel()
	r, _ := backedUpShare(t, armsim.DemoWorld())
	id := r.begin("drill-restore", validatedDrill())
	r.until(id, "await-answer")
	require.NoError(t, r.answer(id, operation.ValidationSuccessful, ""))
	require.NoError(t, r.answer(id, operation.ValidationSuccessful, ""), "the same answer again changes nothing")
	require.ErrorIs(t, r.answer(id, operation.ValidationFailed, ""), operation.ErrAnswered)
	require.Equal(t, operation.Succeeded, r.finish(id).Status)
	require.Equal(t, evidence.Successful, r.evidence[id].Validation.Result)
}

func TestDrill_ValidatorAnswersForAnotherDrill(t *testing.T) {
	t.Parallel()
	r, _ := backedUpShare(t, armsim.DemoWorld())
	first, second := r.begin("drill-restore", validatedDrill()), r.begin("drill-restore", validatedDrill())
	r.until(first, "await-answer")
	r.until(second, "await-answer")
	require.ErrorIs(t, r.answer(first, operation.ValidationSuccessful, placeOf(second)), operation.ErrOtherTarget)
	r.finish(first)
	require.Equal(t, evidence.TimedOut, r.evidence[first].Validation.Result)
	require.Equal(t, evidence.TimedOut, r.evidence[second].Validation.Result)
}

func TestDrill_AnswerAtTheEndOfTheWindowCounts(t *testing.T) {
	t.Parallel()
	r, _ := backedUpShare(t, armsim.DemoWorld())
	id := r.begin("drill-restore", validatedDrill())
	r.until(id, "await-answer")
	closes := r.operation(id).Validation.Closes
	r.pass(closes)
	require.ErrorIs(t, r.answer(id, operation.ValidationSuccessful, ""), operation.ErrWindowClosed)
	require.Equal(t, operation.SucceededWithWarnings, r.finish(id).Status)
}

func TestDrill_TargetIsNotEmpty(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	id := r.begin("drill-restore", shareDrill(nil))
	r.until(id, "read-place")
	require.NoError(t, sim.DeleteShare(drillAccount, "azbackupflow-drill-"+id))
	require.NoError(t, sim.CreateShare(drillAccount, armsim.Share{Name: "azbackupflow-drill-" + id}))
	require.True(t, sim.SetMarks(placeOf(id), map[string]string{"azbackupflowdrill": id}))
	op := r.finish(id)
	require.Equal(t, "PlaceNotEmpty", op.LastError.Code, "%v", r.story(id))
	require.Equal(t, operation.Failed, op.Status)
	require.Empty(t, sim.ItemRestores())
	require.Empty(t, places(sim), "it has the mark of the drill, so it is deleted")
	require.Equal(t, []string{"ChoosePoint Succeeded", "MakeTarget Failed", "CleanUp Succeeded"}, phasesOf(r.evidence[id]))
}

func TestDrill_PlaceIsTaken(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	id := r.begin("drill-restore", shareDrill(nil))
	require.NoError(t, sim.CreateShare(drillAccount, armsim.Share{Name: "azbackupflow-drill-" + id}))
	op := r.finish(id)
	require.Equal(t, "PlaceTaken", op.LastError.Code)
	require.Equal(t, []string{placeOf(id)}, places(sim), "nothing is deleted that the drill did not make")
	require.Empty(t, sim.ItemRestores())
	require.Equal(t, evidence.Failed, r.evidence[id].Result)
	require.Nil(t, r.evidence[id].Target)
}

func TestDrill_MarkIsRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, marks := range map[string]map[string]string{"removed": nil, "another drill's": {"azbackupflowdrill": "other"}} {
		r, sim := backedUpShare(t, armsim.DemoWorld())
		id := r.begin("drill-restore", validatedDrill())
		r.until(id, "await-answer")
		require.NoError(t, r.answer(id, operation.ValidationSuccessful, ""))
		require.True(t, sim.SetMarks(placeOf(id), marks))
		op := r.finish(id)
		require.Equal(t, operation.Parked, op.Status, "%s: %v", name, r.story(id))
		require.Equal(t, "CleanUpFailed", op.LastError.Code)
		require.Contains(t, op.LastError.Message, "PlaceNotMarked")
		require.Len(t, places(sim), 1, "nothing is deleted without the mark")
		e := r.evidence[id]
		require.Equal(t, evidence.Proven, e.Result, "the clean-up does not change the result")
		require.Equal(t, evidence.PhaseFailed, e.Phases[len(e.Phases)-1].Result)

		require.True(t, sim.SetMarks(placeOf(id), map[string]string{"azbackupflowdrill": id}))
		_, err := r.engine.Retry(t.Context(), id, operation.Cause{})
		require.NoError(t, err)
		op = r.finish(id)
		require.Equal(t, operation.Succeeded, op.Status, "%v", r.story(id))
		require.Empty(t, places(sim))
		require.Equal(t, e, r.evidence[id], "the evidence is written once")
		require.Len(t, sim.ItemRestores(), 1)
	}
}

func TestDrill_CleanUpIsRefused(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	allow := sim.DenyAction("Microsoft.Storage/storageAccounts/fileServices/shares/delete")
	id := r.begin("drill-restore", shareDrill(nil))
	op := r.finish(id)
	require.Equal(t, operation.Parked, op.Status, "%v", r.story(id))
	require.Contains(t, op.LastError.Message, "AuthorizationFailed")
	require.Contains(t, strings.Join(op.LastError.RecommendedAction, " "), "azbackupflow Drill Operator")
	require.Equal(t, evidence.Proven, r.evidence[id].Result)
	allow()
	r.endsAfterRetry(id, operation.Succeeded)
	require.Empty(t, places(sim))
}

func TestDrill_RestoreFails(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	sim.AddOutcome(armsim.Outcome{Operation: "Restore", JobStatus: "Failed", ErrorCode: 1073871825, ErrorText: "the restore failed", Recommendation: "look"})
	id := r.begin("drill-restore", shareDrill(nil))
	op := r.finish(id)
	require.Equal(t, operation.Failed, op.Status)
	require.Contains(t, op.LastError.Message, "the restore failed")
	require.Empty(t, places(sim))
	e := r.evidence[id]
	require.Equal(t, []string{"ChoosePoint Succeeded", "MakeTarget Succeeded", "Restore Failed", "CleanUp Succeeded"}, phasesOf(e))
	require.Contains(t, e.Phases[2].Error, "the restore failed")
	require.NotEmpty(t, e.Phases[2].JobID)
}

// A drill that is canceled cancels the job, waits for its end and cleans up.
func TestDrill_CanceledWhileItRestores(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"choose-item-point", "make-place", "read-place", "share-restore", "share-await-restore", "share-await-restore-job", "check-data", "await-answer", "clean-up"} {
		r, sim := backedUpShare(t, armsim.DemoWorld())
		id := r.begin("drill-restore", validatedDrill())
		r.until(id, at)
		_, err := r.engine.Cancel(t.Context(), id, operation.Cause{Actor: operation.Actor{Kind: operation.ActorUser, ID: "anna"}})
		require.NoError(t, err)
		op := r.finish(id)
		want := operation.Canceled
		if at == "clean-up" {
			want = operation.SucceededWithWarnings
		}
		require.Equal(t, want, op.Status, "%s: %v", at, r.story(id))
		require.Empty(t, places(sim), at)
		require.Contains(t, r.evidence, id, at)
		for _, job := range sim.Jobs() {
			require.NotEqual(t, "InProgress", job.Status, at)
		}
	}
}

func TestDrill_DeadlineOfTheRestorePasses(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	sim.AddOutcome(armsim.Outcome{Operation: "Restore", KeepsRunning: true})
	id := r.begin("drill-restore", shareDrill(nil))
	op := r.finish(id)
	require.Equal(t, operation.Parked, op.Status, "%v", r.story(id))
	require.Equal(t, "CleanUpFailed", op.LastError.Code)
	require.Len(t, places(sim), 1, "Azure still writes to the place")
	e := r.evidence[id]
	require.Equal(t, evidence.Failed, e.Result)
	require.Equal(t, "CleanUp Failed", phasesOf(e)[len(e.Phases)-1])
}

func TestDrill_StartsOneRestoreDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]armsim.Effect{
		"the answer is lost": armsim.ResetAfter(), "the request is lost": armsim.ResetBefore(),
		"a gateway answers": armsim.AnswerError(502, "InvalidGatewayHost", "bad gateway", nil), "it is throttled": armsim.AnswerError(429, "TooManyRequests", "slowly", nil),
		"the status is gone at once": armsim.ExpiredStatus(),
	} {
		for _, kind := range []string{"PUT shares", "POST restore", "DELETE shares", "GET shares"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				r, sim := backedUpShare(t, armsim.DemoWorld())
				sim.Inject(armsim.Rule{Kind: kind, Times: 1, Effect: effect})
				op := r.succeeds("drill-restore", shareDrill(nil))
				require.Len(t, sim.ItemRestores(), 1, "%v", r.story(op.ID))
				require.Empty(t, places(sim))
			})
		}
	}
}

func TestDrill_EvidenceThatCannotBeWrittenNeedsAPerson(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	r.evidenceErr = fmt.Errorf("the key is unavailable")
	id := r.begin("drill-restore", shareDrill(nil))
	op := r.finish(id)
	require.Equal(t, operation.Parked, op.Status, "%v", r.story(id))
	require.Equal(t, "EvidenceNotWritten", op.LastError.Code)
	require.Contains(t, op.LastError.Message, "the key is unavailable")
	require.Empty(t, places(sim))
	r.evidenceErr = nil
	r.endsAfterRetry(id, operation.Succeeded)
	require.Equal(t, evidence.Proven, r.evidence[id].Result)
}

func TestDrill_ChoosesThePointByItsRule(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	for range 3 {
		r.clock.Advance(24 * time.Hour)
		r.succeeds("backup-now", object{"fileShare": namedShare()})
	}
	newest := r.succeeds("drill-restore", shareDrill(nil)).Learned["recoveryPointId"]
	require.Equal(t, newest, r.succeeds("drill-restore", shareDrill(object{"point": object{"rule": "latestWithin", "window": "PT1H"}})).Learned["recoveryPointId"])
	chosen := map[string]bool{}
	for range 12 {
		chosen[r.succeeds("drill-restore", shareDrill(object{"point": object{"rule": "randomWithin", "window": "PT36H"}, "objectives": object{}})).Learned["recoveryPointId"]] = true
	}
	require.Len(t, chosen, 2, "two of the four points are that young")
	r.clock.Advance(100 * 24 * time.Hour)
	before := len(sim.ItemRestores())
	require.Equal(t, "NoRecoveryPoint", r.fails("drill-restore", shareDrill(object{"point": object{"rule": "latestWithin", "window": "P1D"}})).Code)
	require.Len(t, sim.ItemRestores(), before)
}

func TestDrill_KeepsThePlaceIfDeclared(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	op := r.succeeds("drill-restore", shareDrill(object{"cleanUp": "keep"}))
	require.Equal(t, []string{placeOf(op.ID)}, places(sim))
	require.Equal(t, evidence.Proven, r.evidence[op.ID].Result)
}

// An app without a key or a store for evidence starts no drill.
func TestDrill_NeedsAStoreForItsEvidence(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	azure := &stub{t: t, allows: flow.ExampleGuardrails()}
	_, err := azure.run("drill-restore", "begin", r.operation(r.begin("drill-restore", shareDrill(nil))))
	requireError(t, err, "EvidenceNotConfigured", operation.Fatal)
	require.Empty(t, azure.asked)
}

// An operator closes the targets while a drill waits.
func TestDrill_ChecksItsTargetAgainAtTheStep(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	azure := &stub{t: t}
	op := r.operation(r.begin("drill-restore", shareDrill(nil)))
	for _, name := range []string{"begin", "share-restore"} {
		_, err := azure.run("drill-restore", name, op)
		requireError(t, err, "NotAllowed", operation.Fatal)
	}
	require.Empty(t, azure.asked)
}
