package httpapi

import (
	"context"
	"net/http"

	"azbackupflow/internal/api"
	"azbackupflow/internal/rejected"
)

// removalSource takes the place of the source in the ID of a removal.
const removalSource rejected.Source = "removal"

// remove removes rejected requests. It records who does it and why before it
// removes anything, because the removed records could not say so afterwards. A
// crash in between leaves a record that is not finished.
func (a *API) remove(
	ctx context.Context, record rejected.Removal, removal func(context.Context) (removed int, more bool, err error),
) (purged api.Purged, err error) {
	record.At = a.cfg.Now()
	record.ID = rejected.NewID(record.At, removalSource, a.cfg.NewID(), nil)
	if err := a.cfg.Rejected.SaveRemoval(ctx, record); err != nil {
		return purged, err
	}
	if purged.Removed, purged.More, err = removal(ctx); err != nil {
		return purged, err
	}
	record.Removed, record.Finished = purged.Removed, true
	// The requests are removed, so the call has succeeded. The first record remains.
	if err := a.cfg.Rejected.SaveRemoval(ctx, record); err != nil {
		a.cfg.Log.WarnContext(ctx, "result of a removal not recorded", "removal", record.ID, "removed", record.Removed, "error", err)
	}
	return purged, nil
}

func (a *API) listRemovals(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "since", "pageSize", "continue")
	if err != nil {
		return err
	}
	page, err := a.cfg.Rejected.ListRemovals(r.Context(), rejected.Query{Since: q.Since, PageSize: q.PageSize, Continue: q.Continue})
	if err != nil {
		return err
	}
	list := api.RemovalPage{Removals: []api.Removal{}, Unreadable: page.Unreadable, Continue: page.Continue}
	for _, record := range page.Removals {
		list.Removals = append(list.Removals, api.Removal{
			ID: record.ID, At: record.At, Request: record.Request, Before: record.Before, Removed: record.Removed, Finished: record.Finished,
			RemovedBy: publicActor(record.By), Reason: record.By.Reason,
		})
	}
	return writeJSON(w, http.StatusOK, list)
}
