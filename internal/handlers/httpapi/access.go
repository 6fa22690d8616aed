package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// Role is an app role of the Entra application that callers sign in to. No role
// implies another.
type Role string

// The roles.
const (
	// RoleRead allows every GET.
	RoleRead Role = "Operations.Read"
	// RoleStart allows starting and changing operations of flows that are not
	// guarded.
	RoleStart Role = "Operations.Start"
	// RoleRestore allows starting and changing operations of guarded flows, which
	// restore data or delete backups.
	RoleRestore Role = "Operations.Restore"
	// RoleValidate allows answering the validations of restore drills, and nothing
	// else.
	RoleValidate Role = "Operations.Validate"
)

// principalHeader is the header that App Service authentication sets after it
// has checked the caller's token. It removes the header from incoming requests.
// Source: learn.microsoft.com, "Work with user identities in Azure App Service
// authentication".
const principalHeader = "X-Ms-Client-Principal"

// Unauthorized is the error of a request without a known caller.
type Unauthorized struct{ Reason string }

// Error returns the reason.
func (e *Unauthorized) Error() string { return "caller unknown: " + e.Reason }

// SignInUnchecked is the error of every call while roles are required and the
// header that names the caller cannot be believed.
type SignInUnchecked struct{ Reason error }

// Error names the setting.
func (e *SignInUnchecked) Error() string { return "no caller can be believed: " + e.Reason.Error() }

// Forbidden is the error of a caller that has none of the wanted roles.
type Forbidden struct{ Want []Role }

// Error names the missing role.
func (e *Forbidden) Error() string {
	names := make([]string, len(e.Want))
	for i, role := range e.Want {
		names[i] = string(role)
	}
	return "caller lacks the app role " + strings.Join(names, " or ")
}

type rolesKey struct{}

// withRoles admits callers that App Service authentication has signed in and
// that have a role for the method: RoleRead for GET, RoleStart or RoleRestore
// otherwise, or RoleValidate for the answers of validators. The endpoint then checks the role that the flow needs. The server
// must use withRoles only behind App Service authentication; without it callers
// could set the header themselves.
func (a *API) withRoles(next http.Handler) http.Handler {
	return a.serve(func(w http.ResponseWriter, r *http.Request) error {
		if a.cfg.SignInUnchecked != nil {
			return &SignInUnchecked{Reason: a.cfg.SignInUnchecked}
		}
		caller, err := parsePrincipal(r.Header.Get(principalHeader))
		if err != nil {
			return err
		}
		ctx := context.WithValue(r.Context(), rolesKey{}, caller.roles())
		want := []Role{RoleStart, RoleRestore}
		if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) {
			want = []Role{RoleRead}
		} else if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/operations/") && strings.HasSuffix(r.URL.Path, "/validation") {
			want = append(want, RoleValidate)
		}
		if err := requireRole(ctx, want...); err != nil {
			return err
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		return nil
	})
}

// requireRole returns an error if roles are required and the caller has none of
// the wanted ones.
func requireRole(ctx context.Context, want ...Role) error {
	roles, required := ctx.Value(rolesKey{}).([]Role)
	if !required || slices.ContainsFunc(want, func(r Role) bool { return slices.Contains(roles, r) }) {
		return nil
	}
	return &Forbidden{Want: want}
}

// authorizeFlow returns an error if the caller may not start or change
// operations of the flow.
func authorizeFlow(ctx context.Context, f step.Flow) error {
	if f.Guarded {
		return requireRole(ctx, RoleRestore)
	}
	return requireRole(ctx, RoleStart)
}

// authorizeParameters is authorizeFlow for a request with these parameters.
func authorizeParameters(ctx context.Context, f step.Flow, parameters json.RawMessage) error {
	if _, required := ctx.Value(rolesKey{}).([]Role); required && f.GuardedFor != nil {
		guarded, err := f.GuardedFor(ctx, parameters)
		if err != nil {
			return err
		}
		f.Guarded = f.Guarded || guarded
	}
	return authorizeFlow(ctx, f)
}

// authorizeRequest is authorizeParameters for the flow that a request names. An
// unknown name passes, because the parser of the request rejects it with a
// better error.
func (a *API) authorizeRequest(ctx context.Context, r request.Request) error {
	f, _ := a.cfg.Flows.Newest(r.Flow)
	return authorizeParameters(ctx, f, r.Parameters)
}

// authorizeBulk authorizes each request of a bulk.
func (a *API) authorizeBulk(ctx context.Context, b request.Bulk) error {
	f, _ := a.cfg.Flows.Newest(b.Template.Flow)
	if f.GuardedFor == nil {
		return authorizeFlow(ctx, f)
	}
	for i := range b.Targets {
		r, err := b.Request(i)
		if err != nil {
			continue // it is rejected alone
		}
		if err := authorizeParameters(ctx, f, r.Parameters); err != nil {
			return err
		}
	}
	return nil
}

// authorizeOperation is authorizeFlow for the flow of an existing operation.
// Unknown flows are treated as guarded.
func (a *API) authorizeOperation(ctx context.Context, id string) error {
	if _, required := ctx.Value(rolesKey{}).([]Role); !required {
		return nil
	}
	row, err := a.cfg.Operations.Load(ctx, id)
	if err != nil {
		return err
	}
	f, known := a.cfg.Flows.Find(row.Operation.Flow, row.Operation.Version)
	if !known {
		f, known = a.cfg.Flows.Newest(row.Operation.Flow)
	}
	f.Guarded = f.Guarded || !known
	return authorizeParameters(ctx, f, row.Operation.Parameters)
}

// principal is the caller that App Service authentication has signed in.
type principal struct {
	AuthType string `json:"auth_typ"`
	RoleType string `json:"role_typ"`
	Claims   []struct {
		Type  string `json:"typ"`
		Value string `json:"val"`
	} `json:"claims"`
}

// claim returns the first claim of one of the types.
func (p principal) claim(types ...string) string {
	for _, claim := range p.Claims {
		if slices.Contains(types, claim.Type) {
			return claim.Value
		}
	}
	return ""
}

// roles returns the app roles of the caller.
func (p principal) roles() []Role {
	roles := []Role{}
	for _, claim := range p.Claims {
		if claim.Type == "roles" || claim.Type != "" && claim.Type == p.RoleType {
			roles = append(roles, Role(claim.Value))
		}
	}
	return roles
}

// parsePrincipal parses the header. Its error is *Unauthorized.
func parsePrincipal(header string) (p principal, err error) {
	if header == "" {
		return p, &Unauthorized{Reason: "no sign-in; sign in with Microsoft Entra"}
	}
	raw, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return p, &Unauthorized{Reason: principalHeader + " is not base64"}
	}
	if json.Unmarshal(raw, &p) != nil {
		return p, &Unauthorized{Reason: principalHeader + " is not JSON"}
	}
	if p.AuthType != "aad" {
		return p, &Unauthorized{Reason: fmt.Sprintf("sign-in provider %q is not Microsoft Entra (aad)", p.AuthType)}
	}
	return p, nil
}
