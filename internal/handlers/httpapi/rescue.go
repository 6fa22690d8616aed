package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
)

// rescue runs a sweep now.
func (a *API) rescue(w http.ResponseWriter, r *http.Request) error {
	swept, err := a.cfg.Sweeper.Sweep(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, api.SweepResult(swept))
}
