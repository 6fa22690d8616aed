package client_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/drill/evidence"
)

// problem returns the problem of a failed call.
func problem(t *testing.T, err error) api.Problem {
	t.Helper()
	var p *client.Problem
	require.ErrorAs(t, err, &p)
	return p.Problem
}

func failedCheck(e *evidence.Evidence) { e.Checks[0].Result = evidence.CheckFailed }

func TestClient_ListsDrillsWithTheirLastResults(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	list, err := c.Drills(t.Context())
	require.NoError(t, err)
	require.Len(t, list.Drills, 1)
	d := list.Drills[0]
	require.Equal(t, "monthly-files", d.Name)
	require.Equal(t, "AzureFileShare", d.ItemType)
	require.Contains(t, d.VaultID, "/vaults/azurefilesvault")
	require.Nil(t, d.LastResults)
	require.Len(t, d.Next, 10)
	require.Equal(t, "2026-12-01T04:00", d.Next[0].Slot)

	at := clienttest.Began().Add(-time.Hour)
	a.Prove(t, "a", "orders-eu", at, nil)
	a.Prove(t, "b", "orders-us", at, failedCheck)
	a.Prove(t, "c", "orders-us", at.Add(-24*time.Hour), failedCheck)
	a.Prove(t, "d", "orders-us", at, func(e *evidence.Evidence) {
		e.Phases = append(e.Phases, evidence.Phase{Name: evidence.CleanUp, Result: evidence.PhaseFailed, Started: e.Ended, Ended: e.Ended, Error: "locked"})
	})
	list, err = c.Drills(t.Context())
	require.NoError(t, err)
	require.Equal(t, &api.DrillResults{Run: at.Format("2006-01-02T15:04"), Started: at, Proven: 2, Failed: 1, CleanUpsFailed: 1}, list.Drills[0].LastResults)

	a.BreakEvidence()
	list, err = c.Drills(t.Context())
	require.NoError(t, err, "the drills are still listed")
	require.Len(t, list.Drills, 1)
	require.Contains(t, list.EvidenceError, "the blob service did not answer")
	_, err = c.ListEvidence(t.Context(), api.EvidenceQuery{})
	require.Equal(t, api.ProblemAzure, problem(t, err).Type)
}

func TestClient_RunsAndPausesDrills(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	run, err := c.RunDrill(t.Context(), "monthly-files", "r1", "audit")
	require.NoError(t, err)
	require.Equal(t, api.RequestedRun{Schedule: "monthly-files", Slot: "run-r1"}, run)
	again, err := c.RunDrill(t.Context(), "monthly-files", "r1", "audit")
	require.NoError(t, err)
	require.Equal(t, run, again)
	paused, err := c.PauseDrill(t.Context(), "monthly-files", "migration")
	require.NoError(t, err)
	require.True(t, paused.Paused)
	require.Equal(t, "migration", paused.PauseReason)
	resumed, err := c.ResumeDrill(t.Context(), "monthly-files", "")
	require.NoError(t, err)
	require.False(t, resumed.Paused)

	_, err = c.RunDrill(t.Context(), "nightly", "r1", "")
	p := problem(t, err)
	require.Equal(t, api.ProblemDrillNotFound, p.Type)
	require.Equal(t, http.StatusNotFound, p.Status)
	require.Contains(t, p.Detail, `drill "nightly" not found; GET /api/drills lists the drills`)
	_, err = c.RunSchedule(t.Context(), "monthly-files", "r1", "")
	require.Equal(t, api.ProblemScheduleNotFound, problem(t, err).Type)
}

func TestClient_ReadsEvidence(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	at := clienttest.Began()
	doc := a.Prove(t, "a", "orders-eu", at, nil)
	a.Prove(t, "b", "orders-us", at.Add(-40*24*time.Hour), failedCheck)

	key, err := c.EvidenceKey(t.Context())
	require.NoError(t, err)
	public, err := evidence.ParsePublicKey([]byte(key.PublicKey))
	require.NoError(t, err)
	require.Equal(t, public.ID, key.ID)
	file, err := c.Evidence(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, doc.File, file, "byte for byte")
	_, err = evidence.Verify("a", file, []evidence.PublicKey{public})
	require.NoError(t, err)

	page, err := c.ListEvidence(t.Context(), api.EvidenceQuery{PageSize: 1})
	require.NoError(t, err)
	require.Len(t, page.Evidence, 1)
	require.Equal(t, api.Evidence{
		ID: "a", Drill: "monthly-files", Run: "2026-11-21T03:00", VaultID: doc.VaultID, ItemID: doc.ItemID, ItemType: "AzureFileShare", ItemName: "orders-eu",
		Started: at, Ended: at.Add(10 * time.Minute), Result: "Proven", RestoreTime: "PT0H3M0S", PointAge: "PT1H0M0S", KeepUntil: at.Add(400 * 24 * time.Hour),
		Location: doc.Location,
	}, page.Evidence[0])
	page, err = c.ListEvidence(t.Context(), api.EvidenceQuery{PageSize: 1, Continue: page.Continue})
	require.NoError(t, err)
	require.Equal(t, "b", page.Evidence[0].ID)
	require.Empty(t, page.Continue)
	for want, q := range map[string]api.EvidenceQuery{
		"a": {Result: "Proven", Vault: doc.VaultID, Drill: "monthly-files", Since: at.Add(-time.Hour)},
		"b": {Until: at, Item: doc.VaultID + "/items/orders-us"},
		"":  {Drill: "none"},
	} {
		page, err := c.ListEvidence(t.Context(), q)
		require.NoError(t, err)
		ids := ""
		for _, e := range page.Evidence {
			ids += e.ID
		}
		require.Equal(t, want, ids)
	}
}

func TestClient_ReportsProblemsOfEvidence(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	a.Prove(t, "a", "orders-eu", clienttest.Began(), nil)
	_, err := c.Evidence(t.Context(), "b")
	require.Equal(t, api.ProblemEvidenceNotFound, problem(t, err).Type)
	_, err = c.Evidence(t.Context(), "../a")
	require.Equal(t, http.StatusNotFound, problem(t, err).Status)

	_, err = c.ListEvidence(t.Context(), api.EvidenceQuery{Result: "proven"})
	p := problem(t, err)
	require.Equal(t, http.StatusBadRequest, p.Status)
	require.Equal(t, []api.FieldError{{Field: "result", Problem: `"proven" is not a result`, Want: "[Proven ObjectivesMissed NotValidated Failed]"}}, p.Fields)
	_, err = c.ListEvidence(t.Context(), api.EvidenceQuery{Continue: "x"})
	require.Equal(t, "continue", problem(t, err).Fields[0].Field)

	a.ChangeEvidence(t, "a", "1200 files", "1201 files")
	_, err = c.Evidence(t.Context(), "a")
	p = problem(t, err)
	require.Equal(t, api.ProblemEvidenceChanged, p.Type)
	require.Equal(t, http.StatusConflict, p.Status)
	require.Contains(t, p.Detail, "the file was changed after it was signed")

	a.RemoveEvidenceKey()
	_, err = c.EvidenceKey(t.Context())
	p = problem(t, err)
	require.Equal(t, api.ProblemNoSigningKey, p.Type)
	require.Contains(t, p.Detail, "this app has no key that signs evidence")
}
