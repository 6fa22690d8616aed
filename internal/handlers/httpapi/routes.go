package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/api"
)

// endpoint handles one route. Its error becomes a problem; see serve.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// serve returns a handler that responds to an error of the endpoint with a
// problem.
func (a *API) serve(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := e(w, r); err != nil {
			a.writeProblem(w, r, err)
		}
	})
}

type route struct {
	// pattern is a pattern of http.ServeMux.
	pattern  string
	endpoint endpoint
}

// routes is the route table. docs/http-api.md and docs/openapi.yaml describe
// the same routes.
func (a *API) routes() []route {
	return []route{
		{"POST /api/operations", a.start},
		{"POST /api/operations:validate", a.validate},
		{"POST /api/operations:bulk", a.bulk},
		{"GET /api/operations", a.list},
		{"GET /api/operations/{id}", a.get},
		{"GET /api/operations/{id}/history", a.history},
		{"GET /api/bulks/{key}", a.getBulk},
		{"DELETE /api/operations/{id}", a.change(a.cfg.Engine.Cancel)},
		{"POST /api/operations/{id}/pause", a.change(a.cfg.Engine.Pause)},
		{"POST /api/operations/{id}/resume", a.change(a.cfg.Engine.Resume)},
		{"POST /api/operations/{id}/retry", a.change(a.cfg.Engine.Retry)},
		{"POST /api/operations/{id}/validation", a.answerValidation},
		{"GET /api/rejected", a.listRejected},
		{"DELETE /api/rejected", a.purgeRejected},
		{"GET /api/rejected/{id}", a.getRejected},
		{"DELETE /api/rejected/{id}", a.deleteRejected},
		{"POST /api/rejected/{id}/replay", a.replayRejected},
		{"GET /api/removals", a.listRemovals},
		{"GET /api/decisions", a.listDecisions},
		{"GET /api/explanations", a.explain},
		{"GET /api/flows", a.listFlows},
		{"GET /api/preflight", a.preflight},
		{"GET /api/items", a.inventoryOf("vault", a.cfg.Inventory.Items)},
		{"GET /api/recovery-points", a.inventoryOf("item", a.cfg.Inventory.RecoveryPoints)},
		{"GET /api/protectable", a.protectable()},
		{"GET /api/policies", a.inventoryOf("vault", a.cfg.Inventory.Policies)},
		{"GET /api/deleted", a.inventoryOf("vault", a.cfg.Inventory.Deleted)},
		{"GET /api/readiness", a.readiness},
		{"POST /api/rescue", a.rescue},
		{"GET /api/summary", a.summary},
		{"GET /api/schedules", a.listSchedules},
		{"POST /api/schedules/{name}/run", a.runSchedule(a.cfg.Schedules)},
		{"POST /api/schedules/{name}/pause", a.pauseSchedule(a.cfg.Schedules)},
		{"POST /api/schedules/{name}/resume", a.resumeSchedule(a.cfg.Schedules)},
		{"GET /api/drills", a.listDrills},
		{"POST /api/drills/declared/{name}/run", a.runSchedule(a.cfg.Drills)},
		{"POST /api/drills/declared/{name}/pause", a.pauseSchedule(a.cfg.Drills)},
		{"POST /api/drills/declared/{name}/resume", a.resumeSchedule(a.cfg.Drills)},
		{"GET /api/drills/evidence", a.listEvidence},
		{"GET /api/drills/evidence/{id}", a.getEvidence},
		{"GET /api/drills/key", a.getEvidenceKey},
		{"GET /api/limits", a.limits},
		{"GET /api/version", a.version},
		{"GET /api/openapi.json", a.openAPI},
		{"GET /api/health", a.health},
	}
}

// Routes returns the patterns of all routes, such as "GET /api/flows".
func (a *API) Routes() []string {
	var patterns []string
	for _, r := range a.routes() {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}

func (a *API) mux() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, r := range a.routes() {
		mux.Handle(r.pattern, a.serve(r.endpoint))
		method, path, _ := strings.Cut(r.pattern, " ")
		allowed[path] = append(allowed[path], method)
	}
	for path, methods := range allowed {
		mux.Handle(path, otherMethod(methods))
	}
	mux.HandleFunc("/", noSuchRoute)
	return mux
}

// otherMethod responds to OPTIONS, and to methods that a route does not have.
func otherMethod(methods []string) http.Handler {
	all := append(slices.Clone(methods), http.MethodOptions)
	if slices.Contains(methods, http.MethodGet) {
		all = append(all, http.MethodHead) // http.ServeMux serves it like GET
	}
	slices.Sort(all)
	allow := strings.Join(all, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		if r.Method == http.MethodOptions {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		write(w, http.StatusMethodNotAllowed, api.ContentTypeProblem, api.Problem{
			Type: api.ProblemMethod, Title: "Method not allowed", Status: http.StatusMethodNotAllowed,
			Detail: fmt.Sprintf("%s does not support %s; use %s", r.URL.Path, r.Method, allow),
		})
	})
}

func noSuchRoute(w http.ResponseWriter, r *http.Request) {
	write(w, http.StatusNotFound, api.ContentTypeProblem, api.Problem{
		Type: api.ProblemNoSuchRoute, Title: "Route not found", Status: http.StatusNotFound,
		Detail: fmt.Sprintf("%s %s is not a route of the API; see docs/http-api.md", r.Method, r.URL.Path),
	})
}
