package httpapi

import (
	"net/http"
)

// preflight responds with 200 whatever the preflight finds, because its findings
// are not errors of the request.
func (a *API) preflight(w http.ResponseWriter, r *http.Request) error {
	return writeJSON(w, http.StatusOK, publicPreflight(a.cfg.Preflight.Check(r.Context())))
}
