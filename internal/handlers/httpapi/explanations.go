package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/step"
)

// explain responds with what the rules of automatic protection decide about a
// resource, which it reads from Azure. It starts nothing. Only few resources are
// read at a time.
func (a *API) explain(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("resource")
	if id == "" {
		return &step.Invalid{Fields: []step.FieldError{{Field: "resource", Problem: "is missing", Want: "the query parameter resource"}}}
	}
	if err := a.inventories.take(r.Context()); err != nil {
		return err
	}
	defer a.inventories.release()
	found, err := a.cfg.Explain(r.Context(), id)
	if err != nil {
		return err
	}
	list := api.ExplanationList{Resources: []api.Explanation{}}
	for _, e := range found {
		list.Resources = append(list.Resources, publicExplanation(e))
	}
	return writeJSON(w, http.StatusOK, list)
}

func publicExplanation(e autoprotect.Explanation) api.Explanation {
	x := api.Explanation{
		ResourceID: e.ResourceID, Type: string(e.Type), Outcome: string(e.Decision.Outcome), Reason: e.Decision.Reason,
		DryRunMatches: e.Decision.DryRunMatches, PolicyGaps: e.PolicyGaps, Rules: []api.RuleResult{},
	}
	if e.Decision.Rule != nil {
		x.Rule = e.Decision.Rule.Name
	}
	for _, r := range e.Decision.Results {
		x.Rules = append(x.Rules, api.RuleResult(r))
	}
	return x
}
