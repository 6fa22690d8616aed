package httpapi

import (
	"net/http"
	"runtime"

	"azbackupflow/docs"
	"azbackupflow/internal/api"
)

// apiVersion is the version of the API in the OpenAPI document.
const apiVersion = "1"

func (a *API) version(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, api.Version{Version: a.cfg.Version, Go: runtime.Version(), API: apiVersion})
}

// openAPI responds with the description of the API.
func (a *API) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(docs.OpenAPI()) // fails only if the caller has closed the connection
	return nil
}

// health responds with 503 if the tables are unavailable, because nothing works
// without them. A preflight checks the rest.
func (a *API) health(w http.ResponseWriter, r *http.Request) error {
	if err := a.cfg.Healthy(r.Context()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, api.Health{Status: "ok", At: a.cfg.Now()})
}
