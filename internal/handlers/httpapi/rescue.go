package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
)

// rescue runs a sweep now. Any role that may change operations allows it.
func (a *API) rescue(w http.ResponseWriter, r *http.Request) error {
	swept, err := a.rescues.run(r.Context(), a.cfg.Sweeper.Sweep)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, api.SweepResult(swept))
}
