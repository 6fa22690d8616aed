package handlers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"azbackupflow/internal/step"
)

// Role is an app role of the Entra application that people and programs sign in
// to. No role implies another.
type Role string

// The roles.
const (
	// RoleRead allows reading operations, their history and refusals.
	RoleRead Role = "Operations.Read"
	// RoleStart allows starting and changing the operations of all flows but
	// those that RoleRestore is for.
	RoleStart Role = "Operations.Start"
	// RoleRestore allows starting and changing those that restore data or
	// delete backups.
	RoleRestore Role = "Operations.Restore"
)

// principalHeader is what App Service authentication adds to a request after it
// has checked the caller's token; it takes away any that the caller sent.
// Source: learn.microsoft.com, "Work with user identities in Azure App Service
// authentication".
const principalHeader = "X-Ms-Client-Principal"

// Unauthorized is a request whose caller is not known.
type Unauthorized struct{ Why string }

// Error says why.
func (e *Unauthorized) Error() string { return "the caller is not known: " + e.Why }

// Forbidden is a request that the caller may not make.
type Forbidden struct{ Want []Role }

// Error names the role that is missing.
func (e *Forbidden) Error() string {
	return fmt.Sprintf("the caller does not have the app role %s", orOf(e.Want))
}

func orOf(roles []Role) string {
	text := ""
	for i, role := range roles {
		if i > 0 {
			text += " or "
		}
		text += string(role)
	}
	return text
}

type rolesKey struct{}

// withRoles lets through whom App Service authentication has signed in and who
// has a role for this kind of request: reading for GET; for anything else one
// that changes something, of which the route then asks for the right one. It
// must only be used where App Service authentication is on: without it a caller
// could write the header.
func withRoles(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		roles, err := rolesOf(r.Header.Get(principalHeader))
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		ctx := context.WithValue(r.Context(), rolesKey{}, roles)
		want := []Role{RoleStart, RoleRestore}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			want = []Role{RoleRead}
		}
		if err := demand(ctx, want...); err != nil {
			writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// demand asks for one of the roles, where roles are asked for at all.
func demand(ctx context.Context, want ...Role) error {
	roles, asked := ctx.Value(rolesKey{}).([]Role)
	if !asked || slices.ContainsFunc(want, func(r Role) bool { return slices.Contains(roles, r) }) {
		return nil
	}
	return &Forbidden{Want: want}
}

// requireFlow asks for the role that a flow's operations are started and
// changed with.
func requireFlow(ctx context.Context, f step.Flow) error {
	if f.Guarded {
		return demand(ctx, RoleRestore)
	}
	return demand(ctx, RoleStart)
}

// requireFor is requireFlow for an operation that is there.
func (a api) requireFor(ctx context.Context, id string) error {
	if _, asked := ctx.Value(rolesKey{}).([]Role); !asked {
		return nil
	}
	row, err := a.Read.Load(ctx, id)
	if err != nil {
		return err
	}
	f, known := a.Flows.Find(row.Operation.Flow, row.Operation.Version)
	if !known {
		f, known = a.Flows.Newest(row.Operation.Flow)
	}
	f.Guarded = f.Guarded || !known // of what is not known the worst is thought
	return requireFlow(ctx, f)
}

// requireName is requireFlow for a flow that a request names. What is no flow is
// refused by whoever reads the request.
func (a api) requireName(ctx context.Context, name string) error {
	f, _ := a.Flows.Newest(name)
	return requireFlow(ctx, f)
}

// rolesOf reads the app roles out of the header. Nothing else of it is kept: it
// names a person.
func rolesOf(header string) ([]Role, error) {
	if header == "" {
		return nil, &Unauthorized{Why: "nobody is signed in"}
	}
	raw, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return nil, &Unauthorized{Why: principalHeader + " is not base64"}
	}
	var principal struct {
		AuthType string `json:"auth_typ"`
		RoleType string `json:"role_typ"`
		Claims   []struct {
			Type  string `json:"typ"`
			Value string `json:"val"`
		} `json:"claims"`
	}
	if err := json.Unmarshal(raw, &principal); err != nil {
		return nil, &Unauthorized{Why: principalHeader + " is not JSON"}
	}
	if principal.AuthType != "aad" {
		return nil, &Unauthorized{Why: "the sign-in is not Microsoft Entra's"}
	}
	roles := []Role{}
	for _, claim := range principal.Claims {
		if claim.Type == "roles" || claim.Type != "" && claim.Type == principal.RoleType {
			roles = append(roles, Role(claim.Value))
		}
	}
	return roles, nil
}
