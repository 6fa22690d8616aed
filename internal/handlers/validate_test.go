package handlers_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/operation"
)

// validated returns the dry run of a request, which must change nothing.
func (r *rig) validated(request object) (v wire.Validation) {
	r.t.Helper()
	before := r.changes()
	res := r.call(r.api, http.MethodPost, "/operations:validate", request, &v)
	require.Equal(r.t, http.StatusOK, res.StatusCode)
	require.True(r.t, v.Valid)
	require.Equal(r.t, before, r.changes(), "something was changed in Azure")
	require.Empty(r.t, r.steps.Waiting())
	page, err := r.store.List(r.t.Context(), operation.Query{PageSize: 10})
	require.NoError(r.t, err)
	require.Empty(r.t, page.Operations)
	return v
}

// wouldMake returns the calls that a dry run did not send.
func wouldMake(v wire.Validation) (calls []wire.UnsentCall) {
	for _, s := range v.DryRun {
		calls = append(calls, s.WouldMake...)
	}
	return calls
}

func TestDryRun_EndsWhereAzureMustDiscoverTheShare(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	v := r.validated(object{"flow": "protect-file-share", "parameters": object{
		"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1",
	}})
	require.True(t, v.OK)
	require.Nil(t, v.Problem)
	calls := wouldMake(v)
	require.NotEmpty(t, calls)
	require.Equal(t, http.MethodPost, calls[0].Method)
	require.Contains(t, calls[0].Path, "/refreshContainers")
	require.Contains(t, calls[0].Query, "api-version=")
	require.Contains(t, v.Incomplete, "find-container", "the protected item has no name yet")
	require.Equal(t, "check-policy", v.DryRun[0].Step)
	require.NotEmpty(t, v.DryRun[0].Made)
	require.Equal(t, http.MethodGet, v.DryRun[0].Made[0].Method)
}

func TestDryRun_FindsAMissingPolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	v := r.validated(object{"flow": "protect-file-share", "parameters": object{
		"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "nosuchpolicy",
	}})
	require.False(t, v.OK)
	require.Equal(t, "PolicyNotFound", v.Problem.Code)
	require.NotEmpty(t, v.Problem.RecommendedAction)
	require.Empty(t, wouldMake(v))
}

func TestDryRun_ShowsTheBodiesOfAllUnsentCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const server = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/servers/providers/Microsoft.DBforPostgreSQL/flexibleServers/nosuchserver"
	v := r.validated(object{"flow": "protect-postgres", "parameters": object{
		"vaultId":  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault",
		"serverId": server, "location": "westus", "policy": "pgflexpol1",
	}})
	require.True(t, v.OK, "%+v", v.Problem)
	calls := wouldMake(v)
	require.Len(t, calls, 2)
	require.Contains(t, calls[0].Path, "/validateForBackup")
	require.Equal(t, http.MethodPut, calls[1].Method)
	require.Contains(t, string(calls[1].Body), server)
	require.Contains(t, v.Incomplete, "await-protection")
}

func TestDryRun_OfAnInvalidRequestIsAProblem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var p wire.Problem
	res := r.call(r.api, http.MethodPost, "/operations:validate", object{"flow": "backup-now", "parameters": object{}}, &p)
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	require.Equal(t, "invalid-request", problem(p))
}

// A dry run changes nothing, neither before the operation nor after it.
func TestDryRun_OfAnyFlowChangesNothing(t *testing.T) {
	t.Parallel()
	for name, request := range exampleRequests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.excluded = func() { require.Fail(t, "a dry run has recorded an exclusion") }
			r.validated(request)
		})
	}
	t.Run("protection stopped before", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		protect := object{"flow": "protect-file-share", "parameters": object{
			"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1",
		}}
		share := object{"fileShare": object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}}
		stop := object{"flow": "stop-protection", "parameters": share}
		r.ends(protect)
		r.ends(stop)
		r.excluded = func() { require.Fail(t, "a dry run has recorded an exclusion") }
		before := r.changes()
		var v wire.Validation
		r.call(r.api, http.MethodPost, "/operations:validate", stop, &v)
		require.True(t, v.OK)
		require.Empty(t, v.Incomplete)
		require.Empty(t, wouldMake(v))
		require.Equal(t, "exclude", v.DryRun[len(v.DryRun)-1].Step)
		require.Equal(t, before, r.changes())

		var backup wire.Validation
		r.call(r.api, http.MethodPost, "/operations:validate", object{"flow": "backup-now", "parameters": share}, &backup)
		require.False(t, backup.OK)
		require.Equal(t, "ProtectionStopped", backup.Problem.Code)
	})
	t.Run("protected before", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.ends(object{"flow": "protect-file-share", "parameters": object{
			"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1",
		}})
		var v wire.Validation
		r.call(r.api, http.MethodPost, "/operations:validate", backupRequest("b", "testshare"), &v)
		require.True(t, v.OK)
		require.Empty(t, v.Incomplete, "the dry run reaches the last step")
		calls := wouldMake(v)
		require.Len(t, calls, 1)
		require.Contains(t, calls[0].Path, "/backup")
		require.Contains(t, string(calls[0].Body), "AzureFileShareBackupRequest")
		require.Empty(t, r.sim.Backups())
	})
}

// ends runs an operation until it succeeds.
func (r *rig) ends(request object) {
	r.t.Helper()
	var v wire.Operation
	r.call(r.api, http.MethodPost, "/operations", request, &v)
	r.work()
	require.Equal(r.t, wire.Succeeded, r.view(v.ID).Status)
}

// view returns an operation.
func (r *rig) view(id string) (v wire.Operation) {
	r.t.Helper()
	require.Equal(r.t, http.StatusOK, r.call(r.api, http.MethodGet, "/operations/"+id, nil, &v).StatusCode)
	return v
}

// work delivers each step message at its due time, until none is left.
func (r *rig) work() {
	r.t.Helper()
	for n := 0; ; n++ {
		due, ok := r.steps.Next()
		if !ok {
			return
		}
		require.Less(r.t, n, 1000, "endless")
		if wait := due.Sub(r.clock()); wait > 0 {
			r.time.Advance(wait)
		}
		for _, m := range r.steps.Due(r.clock()) {
			require.NoError(r.t, r.engine.RunStep(r.t.Context(), operation.Delivery{Wakeup: m.Wakeup, Count: 1}))
		}
	}
}

// changes returns the calls to Azure that were not reads.
func (r *rig) changes() (changes []string) {
	for _, req := range r.sim.Requests() {
		if req.Method != http.MethodGet {
			changes = append(changes, req.Method+" "+req.Path)
		}
	}
	return changes
}

// exampleRequests returns the requests in examples/.
func exampleRequests(t *testing.T) map[string]object {
	t.Helper()
	files, err := filepath.Glob("../../examples/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]object{}
	for _, name := range files {
		var request object
		require.NoError(t, json.Unmarshal([]byte(file(t, name)), &request))
		all[filepath.Base(name)] = request
	}
	return all
}
