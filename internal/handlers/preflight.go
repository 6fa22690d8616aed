package handlers

import (
	"context"
	"net/http"

	"azbackupflow/internal/preflight"
)

// Checker looks whether the app could do its work.
type Checker interface {
	Check(context.Context) preflight.Report
}

// preflight answers 200 with what was found, good or bad.
func (a api) preflight(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, a.Preflight.Check(r.Context()))
}
