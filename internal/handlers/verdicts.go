package handlers

import (
	"fmt"
	"net/http"
	"slices"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/step"
)

// VerdictList is one page of what automatic protection last decided, in the
// order of the resources.
type VerdictList struct {
	Verdicts []decision.Record `json:"verdicts"`
	// Continue asks for the next page; empty after the last.
	Continue string `json:"continue,omitempty"`
}

// verdicts lists what automatic protection last decided about each resource.
func (a api) verdicts(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r, "outcome", "rule", "pageSize", "continue")
	outcome := autoprotect.Outcome(r.URL.Query().Get("outcome"))
	if err == nil && outcome != "" && !slices.Contains(autoprotect.Outcomes(), outcome) {
		err = &step.Invalid{Fields: []step.FieldError{{
			Field: "outcome", Problem: fmt.Sprintf("%q is not an outcome", outcome), Want: fmt.Sprint(autoprotect.Outcomes()),
		}}}
	}
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	page, err := a.Read.ListDecisions(r.Context(), decision.Query{
		Outcome: string(outcome), Rule: r.URL.Query().Get("rule"), PageSize: q.PageSize, Continue: q.Continue,
	})
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, VerdictList{append([]decision.Record{}, page.Decisions...), page.Continue})
}
