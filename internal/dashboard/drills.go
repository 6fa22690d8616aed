package dashboard

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"azbackupflow/internal/api"
)

// drillsData is the content of the page of restore drills.
type drillsData struct {
	List api.DrillList
	// Drills are those of the page.
	Drills []api.Drill
	Pager  pager
	// Evidence is a page of the evidence, newest drill first. Result selects it.
	Evidence api.EvidencePage
	Result   string
	Results  []string
	// First and Next report whether there are pages of evidence before and after this
	// one.
	First, Next bool
	// RunID identifies a run that may be requested, so that a form that is sent twice
	// starts one run.
	RunID string
	query url.Values
}

// With returns the query of the page with another value of one parameter.
func (d drillsData) With(name, value string) template.URL { return with(d.query, name, value) }

// drills is the page of the restore drills: what is declared, the next runs, the last
// results, and the evidence.
func (d *Dashboard) drills(r *http.Request) (content, error) {
	ctx, backend, query := r.Context(), d.cfg.API(r), r.URL.Query()
	data := drillsData{Result: query.Get("result"), Results: api.DrillResultNames(), RunID: d.cfg.NewID(), query: query}
	var err error
	if data.List, err = backend.Drills(ctx); err != nil {
		return content{}, err
	}
	data.Drills, data.Pager = onePage(query, data.List.Drills, declaredSize)
	// An app without drills may have no archive.
	if len(data.List.Drills) > 0 && data.List.EvidenceError == "" {
		q := api.EvidenceQuery{Result: data.Result, PageSize: pageSize, Continue: query.Get("continue")}
		if data.Evidence, err = backend.ListEvidence(ctx, q); err != nil {
			return content{}, err
		}
		data.First, data.Next = q.Continue != "", data.Evidence.Continue != ""
	}
	return content{Title: "Drills", Section: "drills", Data: data}, nil
}

// changeDrill runs, pauses or continues a declared drill.
func (d *Dashboard) changeDrill(w http.ResponseWriter, r *http.Request) error {
	b := d.cfg.API(r)
	return runCalls{b.RunDrill, b.PauseDrill, b.ResumeDrill}.change(w, r, "drills")
}

// evidence sends the signed evidence of a drill as a file.
func (d *Dashboard) evidence(w http.ResponseWriter, r *http.Request) {
	document, err := d.cfg.API(r).Evidence(r.Context(), r.PathValue("id"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="evidence.json"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", fmt.Sprint(len(document)))
	if _, err := w.Write(document); err != nil { //nolint:gosec // G705: a file to save, with its content type
		d.cfg.Log.DebugContext(r.Context(), "evidence not sent", "error", err)
	}
}

// resultClass returns the class of a result's color.
func resultClass(result string) string {
	switch result {
	case api.DrillProven:
		return "good"
	case api.DrillFailed:
		return "bad"
	case api.DrillObjectivesMissed, api.DrillNotValidated:
		return "warn"
	}
	return "plain"
}
