package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
)

// listFlows responds with the newest version of each flow.
func (a *API) listFlows(w http.ResponseWriter, _ *http.Request) error {
	list := api.FlowList{Flows: []api.Flow{}}
	for _, name := range a.cfg.Flows.Names() {
		f, _ := a.cfg.Flows.Newest(name)
		list.Flows = append(list.Flows, api.Flow{Name: f.Name, Version: f.Version, Summary: f.Summary, Steps: f.Plan()})
	}
	return writeJSON(w, http.StatusOK, list)
}
