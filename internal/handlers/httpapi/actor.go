package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// functionKeyHeader may hold the function key.
const functionKeyHeader = "X-Functions-Key"

// keyDigits is the number of digits of a function key's digest that name the key.
// They do not help to guess a key.
const keyDigits = 8

// cause returns the caller and the reason in the query.
func (a *API) cause(r *http.Request) (operation.Cause, error) {
	reason := r.URL.Query().Get("reason")
	return operation.Cause{Actor: a.actor(r), Reason: reason}, request.CheckReason(reason)
}

// actor returns who makes a call. It uses the header of App Service
// authentication only if that can be believed.
func (a *API) actor(r *http.Request) operation.Actor {
	if header := r.Header.Get(principalHeader); header != "" && a.cfg.RequireRoles {
		if p, err := parsePrincipal(header); err == nil {
			return p.actor()
		}
	}
	key := r.Header.Get(functionKeyHeader)
	if key == "" {
		key = r.URL.Query().Get(functionKeyParameter)
	}
	if key == "" {
		return operation.Actor{Kind: operation.ActorAnonymous}
	}
	sum := sha256.Sum256([]byte(key))
	return operation.Actor{Kind: operation.ActorKey, ID: hex.EncodeToString(sum[:])[:keyDigits]}
}

// guid matches object ids and application ids, so that nothing else of a token,
// such as a name, is recorded.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// actor returns the user or the app that a token was issued to. The token of an
// app has no scope; its application id is appid (version 1) or azp (version 2).
// Source: learn.microsoft.com, "Access token claims reference".
func (p principal) actor() operation.Actor {
	const scope, object = "http://schemas.microsoft.com/identity/claims/scope", "http://schemas.microsoft.com/identity/claims/objectidentifier"
	app := p.claim("azp", "appid")
	if p.claim("idtyp") == "app" || app != "" && p.claim("scp", scope) == "" {
		return operation.Actor{Kind: operation.ActorApp, ID: guid.FindString(app)}
	}
	return operation.Actor{Kind: operation.ActorUser, ID: guid.FindString(p.claim("oid", object))}
}
