package httpapi

import (
	"context"
	"net/http"

	"azbackupflow/internal/preflight"
)

// preflight responds with 200 whatever the preflight finds, because its findings
// are not errors of the request.
func (a *API) preflight(w http.ResponseWriter, r *http.Request) error {
	report, err := a.preflights.run(r.Context(), func(ctx context.Context) (preflight.Report, error) {
		return a.cfg.Preflight.Check(ctx), nil
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, publicPreflight(report))
}
