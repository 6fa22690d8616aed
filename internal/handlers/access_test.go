package handlers_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/rejected"
)

const principalHeader = "X-MS-CLIENT-PRINCIPAL"

// deletion returns a request to delete the backups of an item.
func deletion(key string) object {
	return object{"flow": "delete-protection", "key": key, "parameters": object{
		"itemId": demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i",
	}}
}

// rejectedOf stores a rejected request for a flow and returns its path.
func (r *rig) rejectedOf(flow string) string {
	r.t.Helper()
	record := rejected.Request{ID: rejected.NewID(r.clock(), "", flow, nil), At: r.clock(), Source: rejected.Requests, Flow: flow, Reason: "x"}
	require.NoError(r.t, r.store.SaveRejected(r.t.Context(), record))
	return "/rejected/" + record.ID
}

func TestAccess_WithoutRolesIgnoresThePrincipalHeader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for key, header := range map[string]string{"d": "", "e": "nonsense", "f": signedIn()} {
		require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, "/operations", nil, nil, principalHeader, header).StatusCode)
		require.Equal(t, http.StatusAccepted, r.call(r.api, http.MethodPost, "/operations", deletion(key), nil, principalHeader, header).StatusCode)
	}
}

func TestAccess_RolesAreSeparate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.newAPI(true)
	var backup, deleted wire.Operation
	r.call(r.api, http.MethodPost, "/operations", backupRequest("b", "testshare"), &backup)
	r.call(r.api, http.MethodPost, "/operations", deletion("d"), &deleted)
	bulk := func(request object) object {
		return object{"template": object{"flow": request["flow"], "parameters": object{}}, "targets": []any{request["parameters"]}}
	}
	itemID := deletion("d")["parameters"].(object)["itemId"] //nolint:errcheck // built above
	resumption := object{"flow": "resume-protection", "key": "r", "parameters": object{"itemId": itemID}}
	otherPolicy := object{"flow": "resume-protection", "key": "p", "parameters": object{"itemId": itemID, "policy": "shorter"}}
	var resumed wire.Operation
	r.call(r.api, http.MethodPost, "/operations", otherPolicy, &resumed)
	const read, start, restore = "Operations.Read", "Operations.Start", "Operations.Restore"
	for _, c := range []struct {
		method, target string
		body           any
		want           string
	}{
		{http.MethodGet, "/operations", nil, read},
		{http.MethodGet, "/operations/" + backup.ID, nil, read},
		{http.MethodGet, "/operations/" + deleted.ID, nil, read},
		{http.MethodGet, "/operations/" + backup.ID + "/history", nil, read},
		{http.MethodGet, "/rejected", nil, read},
		{http.MethodGet, "/decisions", nil, read},
		{http.MethodGet, "/explanations?resource=r", nil, read},
		{http.MethodGet, "/flows", nil, read},
		{http.MethodGet, "/preflight", nil, read},
		{http.MethodGet, "/items?vault=v", nil, read},
		{http.MethodGet, "/recovery-points?item=i", nil, read},
		{http.MethodGet, "/protectable?vault=v&type=VM", nil, read},
		{http.MethodGet, "/policies?vault=v", nil, read},
		{http.MethodGet, "/deleted?vault=v", nil, read},
		{http.MethodGet, "/summary", nil, read},
		{http.MethodGet, "/bulks/b", nil, read},
		{http.MethodGet, "/schedules", nil, read},
		{http.MethodGet, "/limits", nil, read},
		{http.MethodGet, "/version", nil, read},
		{http.MethodGet, "/openapi.json", nil, read},
		{http.MethodGet, "/health", nil, read},
		{http.MethodPost, "/schedules/nightly/run", nil, start},
		{http.MethodPost, "/schedules/nightly/pause", nil, start},
		{http.MethodPost, "/schedules/nightly/resume", nil, start},
		{http.MethodPost, "/schedules/cleanup/run", nil, restore},
		{http.MethodPost, "/schedules/cleanup/pause", nil, restore},
		{http.MethodPost, "/schedules/cleanup/resume", nil, restore},
		{http.MethodDelete, "/rejected?until=2020-01-01T00:00:00Z", nil, restore},
		{http.MethodDelete, r.rejectedOf("delete-protection"), nil, restore},
		{http.MethodDelete, r.rejectedOf("nope"), nil, restore},
		{http.MethodPost, "/operations", backupRequest("b", "testshare"), start},
		{http.MethodPost, "/operations", deletion("d"), restore},
		{http.MethodPost, "/operations", resumption, start},
		{http.MethodPost, "/operations", otherPolicy, restore},
		{http.MethodPost, "/operations:bulk", bulk(resumption), start},
		{http.MethodPost, "/operations:bulk", bulk(otherPolicy), restore},
		{http.MethodPost, "/operations/" + resumed.ID + "/pause", nil, restore},
		{http.MethodPost, "/operations:validate", backupRequest("b", "testshare"), start},
		{http.MethodPost, "/operations:validate", deletion("d"), restore},
		{http.MethodPost, "/operations:bulk", bulk(backupRequest("b", "testshare")), start},
		{http.MethodPost, "/operations:bulk", bulk(deletion("d")), restore},
		{http.MethodPost, "/operations/" + backup.ID + "/pause", nil, start},
		{http.MethodPost, "/operations/" + deleted.ID + "/pause", nil, restore},
		{http.MethodPost, "/operations/" + backup.ID + "/resume", nil, start},
		{http.MethodPost, "/operations/" + deleted.ID + "/resume", nil, restore},
		{http.MethodPost, "/operations/" + backup.ID + "/retry", nil, start},
		{http.MethodPost, "/operations/" + deleted.ID + "/retry", nil, restore},
		{http.MethodDelete, "/operations/" + backup.ID, nil, start},
		{http.MethodDelete, "/operations/" + deleted.ID, nil, restore},
	} {
		what := c.method + " " + c.target
		for _, role := range []string{"", "Something.Else", read, start, restore} {
			res := r.call(api, c.method, c.target, c.body, nil, principalHeader, signedIn(role))
			if role == c.want {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, res.StatusCode, what)
				continue
			}
			var p wire.Problem
			require.NoError(t, json.Unmarshal(res.Body, &p))
			require.Equal(t, http.StatusForbidden, res.StatusCode, "%s with %q", what, role)
			require.Equal(t, "forbidden", problem(p))
			require.Contains(t, p.Detail, "app role")
		}
	}
	ofStart := r.rejectedOf("backup-now")
	require.Equal(t, http.StatusForbidden, r.call(api, http.MethodDelete, ofStart, nil, nil, principalHeader, signedIn(restore)).StatusCode)
	require.Equal(t, http.StatusOK, r.call(api, http.MethodDelete, ofStart, nil, nil, principalHeader, signedIn(start)).StatusCode)
	for role, status := range map[string]int{read: http.StatusForbidden, "": http.StatusForbidden, start: http.StatusOK, restore: http.StatusOK} {
		require.Equal(t, status, r.call(api, http.MethodPost, "/rescue", nil, nil, principalHeader, signedIn(role)).StatusCode, "rescue with %q", role)
	}
	require.Equal(t, http.StatusOK, r.call(api, http.MethodGet, "/operations", nil, nil, principalHeader, signedIn(start, read)).StatusCode)
	require.Equal(t, http.StatusNotFound, r.call(api, http.MethodDelete, "/operations/nobody", nil, nil, principalHeader, signedIn(start)).StatusCode)
	require.Equal(t, http.StatusBadRequest, r.call(api, http.MethodPost, "/operations", object{"flow": "x", "parameters": object{}}, nil, principalHeader, signedIn(start)).StatusCode)
}

func TestAccess_WithoutSignInIsUnauthorized(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.newAPI(true)
	for name, header := range map[string]string{
		"nobody":           "",
		"no base64":        "{}",
		"no JSON":          principal("x")[:3],
		"no object":        principal("x"),
		"another provider": principal(object{"auth_typ": "github", "claims": []object{{"typ": "roles", "val": "Operations.Read"}}}),
	} {
		var p wire.Problem
		res := r.call(api, http.MethodGet, "/operations", nil, &p, principalHeader, header)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, name)
		require.Equal(t, "unauthorized", problem(p))
		require.Equal(t, "Bearer", res.Header.Get("WWW-Authenticate"))
	}
	// Tokens of version 1 use another claim type for roles.
	long := "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
	header := principal(object{"auth_typ": "aad", "role_typ": long, "claims": []object{{"typ": long, "val": "Operations.Read"}}})
	require.Equal(t, http.StatusOK, r.call(api, http.MethodGet, "/operations", nil, nil, principalHeader, header).StatusCode)
	empty := principal(object{"auth_typ": "aad", "role_typ": "", "claims": []object{{"typ": "", "val": "Operations.Read"}}})
	require.Equal(t, http.StatusForbidden, r.call(api, http.MethodGet, "/operations", nil, nil, principalHeader, empty).StatusCode)
}

// Without App Service authentication, callers send its headers themselves.
func TestAccess_ForgedHeadersAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api := r.newAPI(true, errors.New("AZBACKUPFLOW_API_ROLES is true, but App Service authentication is off"))
	for _, target := range []string{"GET /operations", "POST /operations", "GET /health", "GET /preflight", "POST /rescue", "DELETE /rejected?until=2026-01-01T00:00:00Z"} {
		method, path, _ := strings.Cut(target, " ")
		var p wire.Problem
		res := r.call(api, method, path, nil, &p, principalHeader, signedIn("Operations.Read", "Operations.Start", "Operations.Restore"))
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, target)
		require.Equal(t, "sign-in-unchecked", problem(p))
		require.Contains(t, p.Detail, "AZBACKUPFLOW_API_ROLES")
		require.Empty(t, res.Header.Get("Retry-After"), "a retry does not help")
	}
	require.Zero(t, r.store.creations)
	open := r.newAPI(false, nil)
	require.Equal(t, http.StatusOK, r.call(open, http.MethodGet, "/operations", nil, nil).StatusCode, "without roles nothing is believed")
}
