package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"azbackupflow/internal/api"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// maxPurged limits the rejected requests that one call deletes.
const maxPurged = 1000

func (a *API) listRejected(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(a.cfg.Now(), r, "since", "pageSize", "continue")
	if err != nil {
		return err
	}
	page, err := a.cfg.Rejected.ListRejected(r.Context(), rejected.Query{Since: q.Since, PageSize: q.PageSize, Continue: q.Continue})
	if err != nil {
		return err
	}
	list := api.RejectedPage{Rejected: []api.RejectedRequest{}, Unreadable: page.Unreadable, Continue: page.Continue}
	for _, record := range page.Requests {
		list.Rejected = append(list.Rejected, publicRejected(record))
	}
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) getRejected(w http.ResponseWriter, r *http.Request) error {
	record, err := a.cfg.Rejected.LoadRejected(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, publicRejected(record))
}

func (a *API) deleteRejected(w http.ResponseWriter, r *http.Request) error {
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	// A record that cannot be read can be deleted too. Its flow is not known.
	record, err := a.cfg.Rejected.LoadRejected(r.Context(), id)
	if err != nil && !operation.IsUnreadable(err) {
		return err
	}
	if err := a.authorizeDeletion(r.Context(), record); err != nil {
		return err
	}
	removed, err := a.remove(r.Context(), rejected.Removal{Request: id, By: by}, func(ctx context.Context) (int, bool, error) {
		return 1, false, a.cfg.Rejected.DeleteRejected(ctx, id)
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, removed)
}

// authorizeDeletion returns an error if the caller may not delete the record. It
// may be all that remains of a request for a guarded flow, so a record of an
// unknown flow counts as one.
func (a *API) authorizeDeletion(ctx context.Context, record rejected.Request) error {
	f, known := a.cfg.Flows.Newest(record.Flow)
	f.Guarded = f.Guarded || !known
	return authorizeFlow(ctx, f)
}

// purgeRejected deletes old records, those of guarded flows among them.
func (a *API) purgeRejected(w http.ResponseWriter, r *http.Request) error {
	if err := requireRole(r.Context(), RoleRestore); err != nil {
		return err
	}
	q, err := parseQuery(a.cfg.Now(), r, "until", "reason")
	if err != nil {
		return err
	}
	if q.Until.IsZero() { // a forgotten filter must not delete everything
		return &step.Invalid{Fields: []step.FieldError{{Field: "until", Problem: "is missing", Want: "an RFC 3339 time; older rejected requests are deleted"}}}
	}
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	purged, err := a.remove(r.Context(), rejected.Removal{Before: q.Until, By: by}, func(ctx context.Context) (int, bool, error) {
		return a.cfg.Rejected.PurgeRejected(ctx, q.Until, maxPurged)
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, purged)
}

// replayRejected sends a rejected request again, as it was or with the body of
// the call.
func (a *API) replayRejected(w http.ResponseWriter, r *http.Request) error {
	edited, err := readBody(w, r)
	if err != nil {
		return err
	}
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	record, err := a.cfg.Rejected.LoadRejected(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	replay := intake.Replay{
		Request: record, Edited: edited, Prepare: a.cfg.Engine.Prepare,
		Authorize:     func(req request.Request) error { return a.authorizeRequest(r.Context(), req) },
		AuthorizeBulk: func(b request.Bulk) error { return a.authorizeBulk(r.Context(), b) },
	}
	body, err := replay.Body(r.Context())
	if err != nil {
		return err
	}
	id := a.cfg.NewID()
	properties, err := replay.Properties(r.Context(), a.cfg.Sealer, id, body, by)
	if err != nil {
		return err
	}
	if err := a.cfg.Publish(r.Context(), settings.RequestsQueue, id, body, properties); err != nil {
		return fmt.Errorf("replay a rejected request: %w", err)
	}
	a.markReplayed(r.Context(), record, id, by)
	return writeJSON(w, http.StatusAccepted, api.Replayed{MessageID: id})
}

// markReplayed records the replay. A failure is only logged, because the message
// is sent already.
func (a *API) markReplayed(ctx context.Context, record rejected.Request, messageID string, by operation.Cause) {
	record.ReplayedAt, record.ReplayedAs, record.ReplayedBy = a.cfg.Now(), messageID, by
	if err := a.cfg.Rejected.SaveRejected(ctx, record); err != nil {
		a.cfg.Log.WarnContext(ctx, "replay not recorded", "messageId", messageID, "error", err)
	}
}
