package client_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
)

func TestClient_ReadsTheOverview(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	started, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)

	s, err := c.Summary(t.Context(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, 1, s.Status[api.Pending])
	limits, err := c.Limits(t.Context())
	require.NoError(t, err)
	require.Empty(t, limits.Limits)
	v, err := c.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, "v1.2.3", v.Version)
	h, err := c.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ok", h.Status)

	_, err = c.BulkStatus(t.Context(), "no/body")
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, api.ProblemBulkNotFound, problem.Type)
	require.Equal(t, "/api/bulks/no%2Fbody", a.Requests()[len(a.Requests())-1].URL.EscapedPath())

	for query, found := range map[string]api.OperationQuery{
		"key": {Key: "one"}, "id": {ID: started.ID[:8]}, "item": {Item: "testshare"}, "vault": {Vault: "azurefilesvault"}, "sort": {Sort: "-duration"},
	} {
		page, err := c.List(t.Context(), found)
		require.NoError(t, err, query)
		require.Len(t, page.Operations, 1, query)
	}
	for query, none := range map[string]api.OperationQuery{
		"errors": {Errors: true}, "bulk": {Bulk: "b"}, "schedule": {Schedule: "nightly"},
		"labels": {Labels: []api.Label{{Key: "team", Value: "files"}, {Key: "env", Value: "prod"}}},
	} {
		page, err := c.List(t.Context(), none)
		require.NoError(t, err, query)
		require.Empty(t, page.Operations, query)
	}
}

func TestClient_ChangesSchedulesWithAReason(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	run, err := c.RunSchedule(t.Context(), "nightly", "r1", "before the upgrade")
	require.NoError(t, err)
	require.Equal(t, api.RequestedRun{Schedule: "nightly", Slot: "run-r1"}, run)
	page, err := c.List(t.Context(), api.OperationQuery{Schedule: "nightly"})
	require.NoError(t, err)
	require.Len(t, page.Operations, 1)
	require.Equal(t, "before the upgrade", page.Operations[0].Reason)

	paused, err := c.PauseSchedule(t.Context(), "nightly", "holiday")
	require.NoError(t, err)
	require.True(t, paused.Paused)
	require.Equal(t, "holiday", paused.PauseReason)
	resumed, err := c.ResumeSchedule(t.Context(), "nightly", "")
	require.NoError(t, err)
	require.False(t, resumed.Paused)
	list, err := c.Schedules(t.Context())
	require.NoError(t, err)
	require.Len(t, list.Schedules, 1)

	op, err := c.Cancel(t.Context(), page.Operations[0].ID, "not needed")
	require.NoError(t, err)
	history, err := c.History(t.Context(), op.ID)
	require.NoError(t, err)
	require.Equal(t, "not needed", history.Events[len(history.Events)-1].Reason)
}

func TestClient_WaitsForAChange(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	started, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	first, err := c.GetChanged(t.Context(), started.ID, "", 20*time.Second)
	require.NoError(t, err)
	require.True(t, first.Changed)
	next, err := c.GetChanged(t.Context(), started.ID, first.ETag, 20*time.Second)
	require.NoError(t, err)
	require.True(t, next.Changed, "the clock of the API passes, and with it the operation")
	require.NotEqual(t, first.ETag, next.ETag)
	require.Equal(t, "wait=20", a.Requests()[len(a.Requests())-1].Header.Get("Prefer"))
	same, err := c.GetChanged(t.Context(), started.ID, next.ETag, 0)
	require.NoError(t, err)
	require.False(t, same.Changed)
	_, err = c.GetChanged(t.Context(), "nobody", "", 0)
	var problem *client.Problem
	require.True(t, errors.As(err, &problem) && problem.Status == http.StatusNotFound)
}
