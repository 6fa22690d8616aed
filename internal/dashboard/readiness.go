package dashboard

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/duration"
)

// readinessData is the content of the page of readiness.
type readinessData struct {
	// Report is set if the page was requested with it: it makes many calls. The page
	// requests it in the background, with Query.
	Report *api.Readiness
	Query  template.URL
	// State selects resources; empty selects all.
	State  api.ReadinessState
	States []api.ReadinessState
	// Total counts all resources of the report.
	Total  api.ReadinessScore
	Vaults []vaultReadiness
	// AllVaults is the number of vaults in the report. The page shows the first ones.
	AllVaults int
	// First reports that this is the first page of the report, which has the scores
	// and the vaults.
	First bool
	// Next is the query of the next page; empty on the last one.
	Next template.URL
}

// vaultReadiness joins the settings of a vault with the score of its resources.
type vaultReadiness struct {
	api.ReadinessVault
	Score api.ReadinessScore
}

// Count returns how many resources of the report are in a state.
func (d readinessData) Count(s api.ReadinessState) int {
	return map[api.ReadinessState]int{
		api.ReadinessProven: d.Total.Proven, api.ReadinessNotProven: d.Total.NotProven, api.ReadinessObjectivesMissed: d.Total.ObjectivesMissed,
		api.ReadinessNotProtected: d.Total.NotProtected, api.ReadinessExcluded: d.Total.Excluded,
	}[s]
}

// readiness is the page of readiness: which resources are proven to be restorable.
func (d *Dashboard) readiness(r *http.Request) (content, error) {
	query := r.URL.Query()
	data := readinessData{State: api.ReadinessState(query.Get("state")), States: api.ReadinessStates()}
	page := content{Title: "Readiness", Section: "readiness"}
	next := url.Values{"read": {"1"}}
	q := api.ReadinessQuery{PageSize: pageSize, Continue: query.Get("continue")}
	if data.State != "" {
		if !slices.Contains(data.States, data.State) {
			return page, &pageError{http.StatusBadRequest, "Filter not valid", "state: choose one of the states of the page"}
		}
		q.States = []api.ReadinessState{data.State}
		next.Set("state", string(data.State))
	}
	if data.First = q.Continue == ""; !data.First {
		next.Set("continue", q.Continue)
	}
	data.Query = template.URL(next.Encode()) //nolint:gosec // encoded
	if query.Get("read") != "1" {
		page.Data = data
		return page, nil
	}
	report, err := d.cfg.API(r).Readiness(r.Context(), q)
	if err != nil {
		return page, err
	}
	data.Report = &report
	data.join()
	if report.Continue != "" {
		next.Set("continue", report.Continue)
		data.Next = template.URL(next.Encode()) //nolint:gosec // encoded
	}
	page.Data = data
	return page, nil
}

// join fills the total and the vaults, those with the smallest share of proven
// resources first.
func (d *readinessData) join() {
	scores := map[string]api.ReadinessScore{}
	for _, s := range d.Report.Scores {
		switch s.Group {
		case "total":
			d.Total = s
		case "vault":
			scores[strings.ToLower(s.Name)] = s
		}
	}
	for _, v := range d.Report.Vaults {
		d.Vaults = append(d.Vaults, vaultReadiness{v, scores[strings.ToLower(v.ID)]})
	}
	slices.SortStableFunc(d.Vaults, func(a, b vaultReadiness) int {
		return cmp.Or(a.Score.ProvenPercent-b.Score.ProvenPercent, cmp.Compare(a.ID, b.ID))
	})
	d.AllVaults = len(d.Vaults)
	d.Vaults = d.Vaults[:min(len(d.Vaults), pageSize)]
}

// readinessName returns a state in words.
func readinessName(s api.ReadinessState) string {
	switch s {
	case api.ReadinessNotProven:
		return "Not proven"
	case api.ReadinessObjectivesMissed:
		return "Objectives missed"
	case api.ReadinessNotProtected:
		return "Not protected"
	case api.ReadinessProven, api.ReadinessExcluded:
	}
	return string(s)
}

// readinessClass returns the class of a state's color.
func readinessClass(s api.ReadinessState) string {
	switch s {
	case api.ReadinessProven:
		return "good"
	case api.ReadinessObjectivesMissed:
		return "warn"
	case api.ReadinessNotProtected:
		return "bad"
	case api.ReadinessNotProven, api.ReadinessExcluded:
	}
	return "plain"
}

// age returns a duration in words; the text itself if it is none.
func age(text string) string {
	d, ok := duration.Parse(text)
	switch {
	case !ok:
		return text
	case d%(24*time.Hour) == 0:
		return plural(int(d/(24*time.Hour)), "day")
	}
	return span(d)
}
