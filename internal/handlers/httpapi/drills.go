package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/step"
)

// Evidence reads the archive of evidence.
type Evidence interface {
	List(ctx context.Context, q archive.Query) (archive.Page, error)
	Read(ctx context.Context, id string) (archive.Document, error)
	PublicKey(ctx context.Context) (evidence.PublicKey, error)
}

// maxResults limits the evidence that listDrills reads for the results of last runs.
const maxResults = 1000

// listDrills responds with the declared drills. If the archive cannot be read, it
// responds without results, and says why.
func (a *API) listDrills(w http.ResponseWriter, r *http.Request) error {
	all, incomplete, err := a.cfg.Drills.List(r.Context())
	if err != nil {
		return err
	}
	list := api.DrillList{Drills: []api.Drill{}, Incomplete: incomplete}
	results := map[string]*api.DrillResults{}
	if len(all) > 0 {
		if results, err = a.lastResults(r.Context()); err != nil {
			a.cfg.Log.WarnContext(r.Context(), "results of drills unavailable", "error", err)
			list.EvidenceError = err.Error()
		}
	}
	for _, s := range all {
		d := api.Drill{Schedule: publicSchedule(s), LastResults: results[s.Schedule.Name]}
		if from := s.Schedule.Select; from != nil {
			d.VaultID, d.ItemType = from.VaultID, from.Type
		}
		list.Drills = append(list.Drills, d)
	}
	return writeJSON(w, http.StatusOK, list)
}

// lastResults counts the results of the newest run of each drill.
func (a *API) lastResults(ctx context.Context) (map[string]*api.DrillResults, error) {
	page, err := a.cfg.Evidence.List(ctx, archive.Query{Limit: maxResults})
	if err != nil {
		return nil, err
	}
	results := map[string]*api.DrillResults{}
	for _, e := range page.Entries { // newest first
		of := results[e.Drill]
		if of == nil {
			of = &api.DrillResults{Run: e.Run, Started: e.Started}
			results[e.Drill] = of
		}
		if of.Run != e.Run {
			continue
		}
		switch e.Result {
		case evidence.Proven:
			of.Proven++
		case evidence.ObjectivesMissed:
			of.ObjectivesMissed++
		case evidence.NotValidated:
			of.NotValidated++
		case evidence.Failed:
			of.Failed++
		}
		if e.CleanUpFailed {
			of.CleanUpsFailed++
		}
	}
	return results, nil
}

// listEvidence responds with a page of evidence.
func (a *API) listEvidence(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "vault", "item", "drill", "result", "since", "until", "pageSize", "continue")
	if err != nil {
		return err
	}
	values := r.URL.Query()
	result := values.Get("result")
	if result != "" && !slices.Contains(api.DrillResultNames(), result) {
		return &step.Invalid{Fields: []step.FieldError{{Field: "result", Problem: fmt.Sprintf("%q is not a result", result), Want: fmt.Sprint(api.DrillResultNames())}}}
	}
	if q.PageSize == 0 {
		q.PageSize = operation.DefaultPageSize
	}
	page, err := a.cfg.Evidence.List(r.Context(), archive.Query{
		VaultID: values.Get("vault"), ItemID: values.Get("item"), Drill: values.Get("drill"), Result: evidence.Result(result),
		Since: q.Since, Before: q.Until, Limit: q.PageSize, After: q.Continue,
	})
	if err != nil {
		return err
	}
	list := api.EvidencePage{Evidence: []api.Evidence{}, Continue: page.Next}
	for _, e := range page.Entries {
		list.Evidence = append(list.Evidence, api.Evidence{
			ID: e.ID, Drill: e.Drill, Run: e.Run, VaultID: e.VaultID, ItemID: e.ItemID, ItemType: e.ItemType, ItemName: e.ItemName,
			Started: e.Started, Ended: e.Ended, Result: string(e.Result), RestoreTime: e.RestoreTime, PointAge: e.PointAge,
			CleanUpFailed: e.CleanUpFailed, KeepUntil: e.KeepUntil, Location: e.Location,
		})
	}
	return writeJSON(w, http.StatusOK, list)
}

// getEvidence responds with the signed file of a drill, byte for byte.
func (a *API) getEvidence(w http.ResponseWriter, r *http.Request) error {
	doc, err := a.cfg.Evidence.Read(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(doc.File)
	return err
}

// getEvidenceKey responds with the public key that verifies new evidence.
func (a *API) getEvidenceKey(w http.ResponseWriter, r *http.Request) error {
	key, err := a.cfg.Evidence.PublicKey(r.Context())
	if err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, api.EvidenceKey{ID: key.ID, Algorithm: "ES256", PublicKey: string(text)})
}

// drillProblem returns the problem of an error about drills.
func drillProblem(err error, p api.Problem) (api.Problem, bool) {
	var azure *operation.Error
	switch {
	case errors.Is(err, archive.ErrNotFound):
		p.Type, p.Title, p.Status = api.ProblemEvidenceNotFound, "Evidence not found", http.StatusNotFound
	case errors.Is(err, archive.ErrPosition):
		p.Type, p.Title, p.Status = api.ProblemInvalidRequest, "The request is not valid", http.StatusBadRequest
		p.Fields = []api.FieldError{{Field: "continue", Problem: "is not from an earlier page of this list", Want: "the value of continue on the page before"}}
	case errors.As(err, &azure) && azure.Code == archive.CodeChanged:
		p.Type, p.Title, p.Status = api.ProblemEvidenceChanged, "The stored document is not the evidence that the app wrote", http.StatusConflict
	case errors.As(err, &azure) && azure.Code == archive.CodeNoKey:
		p.Type, p.Title, p.Status = api.ProblemNoSigningKey, "The app has no key that signs evidence", http.StatusNotFound
	case errors.Is(err, schedule.ErrNotFound) && isDrill(err):
		p.Type, p.Title, p.Status = api.ProblemDrillNotFound, "Drill not found", http.StatusNotFound
	default:
		return p, false
	}
	return p, true
}

// isDrill reports whether a schedule that was not found is a drill.
func isDrill(err error) bool {
	var missing *schedule.NotFoundError
	return errors.As(err, &missing) && missing.Kind == schedule.Drills
}
