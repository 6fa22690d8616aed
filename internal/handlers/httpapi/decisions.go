package httpapi

import (
	"fmt"
	"net/http"
	"slices"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/step"
)

// listDecisions responds with the last decision of automatic protection about
// each resource.
func (a *API) listDecisions(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "outcome", "rule", "pageSize", "continue")
	if err != nil {
		return err
	}
	outcome := autoprotect.Outcome(r.URL.Query().Get("outcome"))
	if outcome != "" && !slices.Contains(autoprotect.Outcomes(), outcome) {
		return &step.Invalid{Fields: []step.FieldError{{
			Field: "outcome", Problem: fmt.Sprintf("%q is not an outcome", outcome), Want: fmt.Sprint(autoprotect.Outcomes()),
		}}}
	}
	page, err := a.cfg.Decisions.ListDecisions(r.Context(), decision.Query{
		Outcome: string(outcome), Rule: r.URL.Query().Get("rule"), PageSize: q.PageSize, Continue: q.Continue,
	})
	if err != nil {
		return err
	}
	list := api.DecisionPage{Decisions: []api.Decision{}, Unreadable: page.Unreadable, Continue: page.Continue}
	for _, d := range page.Decisions {
		list.Decisions = append(list.Decisions, api.Decision(d))
	}
	return writeJSON(w, http.StatusOK, list)
}
