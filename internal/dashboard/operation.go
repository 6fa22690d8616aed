package dashboard

import (
	"net/http"
	"net/url"
	"time"

	"azbackupflow/internal/api"
)

// watchFor is how long a request for a live operation waits for a change.
const watchFor = 20 * time.Second

// operationLive is the trigger of an operation's page. A request is answered as soon
// as the operation changes, and after 20 s at the latest; while one is under way, no
// other is sent.
const operationLive = "every 1s"

// operationData is the content of an operation's page.
type operationData struct {
	Operation api.Operation
	// ETag is the state that the page shows.
	ETag     string
	Timeline timeline
	History  api.History
	Actions  []operationAction
	// Do describes the next action, as text and as a command.
	Do       string
	Duration string
	Portal   string
}

// operationAction is a form that changes the operation.
type operationAction struct{ Name, Label, Explanation string }

// operation is the page of one operation.
func (d *Dashboard) operation(r *http.Request) (content, error) {
	ctx, id, backend := r.Context(), r.PathValue("id"), d.cfg.API(r)
	etag, wait := "", time.Duration(0)
	if isLive(r) {
		etag, wait = r.URL.Query().Get("etag"), watchFor
	}
	got, err := backend.GetChanged(ctx, id, etag, wait)
	if err != nil {
		return content{}, err
	}
	if !got.Changed {
		return content{unchanged: true}, nil
	}
	history, err := backend.History(ctx, id)
	if err != nil {
		return content{}, err
	}
	op := got.Operation
	data := operationData{
		Operation: op, ETag: got.ETag, History: history, Timeline: newTimeline(op, history.Events, d.cfg.Now()),
		Actions: actionsFor(op), Do: whatToDo(op), Portal: portal(op.Vault),
	}
	end := op.EndedAt
	if end.IsZero() {
		end = d.cfg.Now()
	}
	data.Duration = between(op.CreatedAt, end)
	c := content{Title: op.Flow, page: "operation", Section: "operations", Data: data}
	if !op.Status.Terminal() {
		c.Live = live{Every: operationLive, Query: "etag=" + url.QueryEscape(got.ETag)}
	}
	return c, nil
}

// actionsFor returns the changes that the API accepts in an operation's status.
func actionsFor(op api.Operation) (all []operationAction) {
	if op.Status.Terminal() {
		if !op.Status.Successful() && op.Status != api.Canceled {
			all = append(all, operationAction{"retry", "Retry", "Starts again at the step that failed."})
		}
		return all
	}
	if op.Paused {
		all = append(all, operationAction{"resume", "Resume", "Continues with the next step."})
	} else if op.Status != api.Parked {
		all = append(all, operationAction{"pause", "Pause", "Makes no further calls until it is resumed. Azure's own job continues."})
	}
	if op.Status == api.Parked {
		all = append(all, operationAction{"retry", "Retry", "Continues at the step that is parked. Check in Azure first that this does no harm."})
	}
	if !op.CancelRequested {
		all = append(all, operationAction{"cancel", "Cancel", "Ends the operation. The job of a Recovery Services backup is canceled in Azure; nothing else in Azure is undone."})
	}
	return all
}

// whatToDo returns what an operator should do now; empty if nothing.
func whatToDo(op api.Operation) string {
	switch {
	case op.Status == api.Parked:
		return "Continuing could do harm, so an operator must decide. Look at the error and at Azure, then retry or cancel."
	case op.Status == api.Failed && op.Error != nil && op.Error.Class == "UserAction":
		return "Put right what the error names, then retry."
	case op.Status == api.Failed, op.Status == api.TimedOut:
		return "Read the error. Retry if its cause is gone; else start a new operation with another request."
	case op.Paused:
		return "Resume it when it may continue."
	}
	return ""
}

// changeOperation cancels, pauses, resumes or retries.
func (d *Dashboard) changeOperation(w http.ResponseWriter, r *http.Request) error {
	ctx, id, action, reason := r.Context(), r.PathValue("id"), r.PathValue("action"), r.PostForm.Get("reason")
	backend := d.cfg.API(r)
	var err error
	switch action {
	case "cancel":
		_, err = backend.Cancel(ctx, id, reason)
	case "pause":
		_, err = backend.Pause(ctx, id, reason)
	case "resume":
		_, err = backend.Resume(ctx, id, reason)
	case "retry":
		_, err = backend.Retry(ctx, id, reason)
	default:
		return &pageError{http.StatusNotFound, "Page not found", "There is no such action."}
	}
	if err != nil {
		return err
	}
	seeOther(w, "../"+url.PathEscape(id)+"?done="+action)
	return nil
}
