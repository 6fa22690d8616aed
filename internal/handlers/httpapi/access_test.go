package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// one is a set of operations and flows: an operation whose flow may be unknown.
type one struct {
	Operations
	Flows
	op   operation.Operation
	flow step.Flow
}

func (o one) Load(context.Context, string) (engine.Row, error) {
	return engine.Row{Operation: o.op}, nil
}

func (o one) Find(name string, version int) (step.Flow, bool) {
	return o.flow, name == o.flow.Name && version == o.flow.Version
}

func (o one) Newest(name string) (step.Flow, bool) { return o.flow, name == o.flow.Name }

func with(roles ...Role) context.Context {
	return context.WithValue(context.Background(), rolesKey{}, roles)
}

func TestAuthorize_GuardedFlowsNeedTheirOwnRole(t *testing.T) {
	t.Parallel()
	guards := func(guarded bool, err error) func(context.Context, json.RawMessage) (bool, error) {
		return func(context.Context, json.RawMessage) (bool, error) { return guarded, err }
	}
	for name, c := range map[string]struct {
		flow step.Flow
		want Role
	}{
		"a plain flow":           {step.Flow{}, RoleStart},
		"a guarded flow":         {step.Flow{Guarded: true}, RoleRestore},
		"by its parameters":      {step.Flow{GuardedFor: guards(true, nil)}, RoleRestore},
		"not by its parameters":  {step.Flow{GuardedFor: guards(false, nil)}, RoleStart},
		"guarded in either case": {step.Flow{Guarded: true, GuardedFor: guards(false, nil)}, RoleRestore},
	} {
		for _, role := range []Role{RoleRead, RoleStart, RoleRestore} {
			err := authorizeParameters(with(role), c.flow, nil)
			require.Equal(t, role == c.want, err == nil, "%s with %s", name, role)
		}
		require.Error(t, authorizeParameters(with(), c.flow, nil), "no role")
		require.NoError(t, authorizeParameters(context.Background(), c.flow, nil), "roles are off")
	}
	away := errors.New("the table is unavailable")
	require.ErrorIs(t, authorizeParameters(with(RoleStart), step.Flow{GuardedFor: guards(false, away)}, nil), away)
}

func TestAuthorize_OperationOfAnUnknownFlowIsGuarded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flow    string
		version int
		want    Role
	}{
		"known":           {"backup-now", 1, RoleStart},
		"another version": {"backup-now", 7, RoleStart},
		"unknown":         {"backup-later", 1, RoleRestore},
	} {
		o := one{flow: step.Flow{Name: "backup-now", Version: 1}, op: operation.Operation{Identity: operation.Identity{Flow: c.flow, Version: c.version}}}
		a := &API{cfg: Config{Operations: o, Flows: o}}
		for _, role := range []Role{RoleRead, RoleStart, RoleRestore} {
			require.Equal(t, role == c.want, a.authorizeOperation(with(role), "id") == nil, "%s with %s", name, role)
		}
	}
}

func TestWithRoles_EachMethodHasItsRole(t *testing.T) {
	t.Parallel()
	a := &API{}
	handler := a.withRoles(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
		for role, admitted := range map[Role]bool{
			RoleRead: method == http.MethodGet || method == http.MethodHead, RoleStart: method == http.MethodPost || method == http.MethodDelete,
			RoleRestore: method == http.MethodPost || method == http.MethodDelete, "Something.Else": false,
		} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/api/operations", nil)
			r.Header.Set(principalHeader, claims(t, "aad", "roles", string(role)))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			require.Equal(t, admitted, w.Code == http.StatusNoContent, "%s with %s: %d", method, role, w.Code)
		}
	}
}

// claims returns the header of a caller with one claim.
func claims(t *testing.T, provider, kind, value string) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"auth_typ": provider, "role_typ": "", "claims": []map[string]string{{"typ": kind, "val": value}}})
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestParsePrincipal_AcceptsRolesOfEntraOnly(t *testing.T) {
	t.Parallel()
	p, err := parsePrincipal(claims(t, "aad", "roles", "Operations.Read"))
	require.NoError(t, err)
	require.Equal(t, []Role{RoleRead}, p.roles())
	p, err = parsePrincipal(claims(t, "aad", "", "Operations.Read"))
	require.NoError(t, err)
	require.Empty(t, p.roles(), "a claim without a type is not a role")
	for _, header := range []string{"", "{}", claims(t, "github", "roles", "Operations.Read"), base64.StdEncoding.EncodeToString([]byte("x"))} {
		_, err := parsePrincipal(header)
		var unknown *Unauthorized
		require.ErrorAs(t, err, &unknown, header)
	}
}
