package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// rejectedData is the content of the page of a rejected request.
type rejectedData struct {
	Request api.RejectedRequest
	// Body is the body to edit: indented if it is JSON. Reason is the reason as written.
	Body, Reason string
	// Editable reports that the body is text.
	Editable bool
	// Validation is the result of a check of the edited body.
	Validation *api.Validation
	Problems   []string
}

// rejected is the page of one rejected request.
func (d *Dashboard) rejected(r *http.Request) (content, error) {
	req, err := d.cfg.API(r).GetRejected(r.Context(), r.PathValue("id"))
	if err != nil {
		return content{}, err
	}
	data := rejectedData{Request: req, Editable: req.BodyEncoding == "" && req.BodyType == ""}
	if data.Editable {
		data.Body = indentText(req.Body)
	}
	return rejectedPage(data), nil
}

func rejectedPage(data rejectedData) content {
	return content{Title: "Rejected request", page: "rejected", Section: "attention", Data: data}
}

// changeRejected validates, replays or deletes a rejected request.
func (d *Dashboard) changeRejected(w http.ResponseWriter, r *http.Request) error {
	ctx, id, backend := r.Context(), r.PathValue("id"), d.cfg.API(r)
	data := rejectedData{Body: r.PostForm.Get("body"), Reason: r.PostForm.Get("reason"), Editable: true}
	var done string
	var err error
	switch r.PathValue("action") {
	case "validate":
		if data.Request, err = backend.GetRejected(ctx, id); err == nil {
			data.Validation, data.Problems, err = validate(ctx, backend, data.Request, data.Body)
		}
	case "replay":
		done = "../" + url.PathEscape(id) + "?done=replay"
		err = replay(ctx, backend, id, data)
	case "delete":
		done = "../../attention?done=delete"
		err = backend.DeleteRejected(ctx, id, data.Reason)
	default:
		return &pageError{http.StatusNotFound, "Page not found", "There is no such action."}
	}
	if err == nil && done != "" {
		seeOther(w, done)
		return nil
	}
	status := http.StatusOK
	if err != nil {
		status, data.Problems = d.formProblem(r, err)
	}
	if data.Request.ID == "" {
		if data.Request, err = backend.GetRejected(ctx, id); err != nil {
			data.Request = api.RejectedRequest{ID: id} // what was written must not be lost
		}
	}
	d.render(w, r, status, rejectedPage(data))
	return nil
}

// replay sends a rejected request again, with the edited body unless that is empty.
func replay(ctx context.Context, backend API, id string, data rejectedData) error {
	var edited json.RawMessage
	if strings.TrimSpace(data.Body) != "" {
		edited = json.RawMessage(data.Body)
		if !json.Valid(edited) {
			return &pageError{http.StatusBadRequest, "Request not sent", notJSON}
		}
	}
	_, err := backend.ReplayRejected(ctx, id, edited, data.Reason)
	return err
}

// indentText indents a text if it is JSON. It changes nothing else.
func indentText(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// validate checks the edited body of a rejected request against Azure, without
// changing anything. A replay makes the same checks, so a body that is valid here is
// not rejected there.
func validate(ctx context.Context, backend API, r api.RejectedRequest, body string) (*api.Validation, []string, error) {
	switch {
	case r.Source == string(rejected.Steps) || r.Source == string(rejected.StepsDeadLetters):
		return nil, []string{"The message came through the queue steps, so it is not a request and cannot be replayed. Run azbackupflow rescue: it wakes operations whose message was lost."}, nil
	case !json.Valid([]byte(body)):
		return nil, []string{notJSON}, nil
	}
	content, err := request.Unwrap([]byte(body))
	if err != nil {
		return nil, invalidLines(err), nil
	}
	raw := content.Body
	if request.IsBulk(raw) {
		if _, err := request.ReadBulk(raw); err != nil {
			return nil, invalidLines(err), nil
		}
		return nil, []string{"A bulk cannot be validated here. Replay checks its targets, and sends nothing if none of them is valid."}, nil
	}
	// The app names the fields of a request that cannot be read.
	if req, err := request.Read(raw); err == nil {
		if req.DryRun {
			return nil, problemLines(&client.Problem{Problem: api.Problem{Title: invalidTitle, Fields: []api.FieldError{
				{Field: "dryRun", Problem: "is not supported on a queue, because a message has no response", Want: "a request without it"},
			}}}), nil
		}
		if r.Source == string(rejected.Schedules) && req.Key == r.Key { // reserved for the app, except in a replay
			req.Key = ""
			if raw, err = json.Marshal(req); err != nil {
				return nil, nil, fmt.Errorf("write the request: %w", err)
			}
		}
	}
	validation, err := backend.ValidateJSON(ctx, raw)
	if err == nil {
		return &validation, nil, nil
	}
	var p *client.Problem
	if errors.As(err, &p) && p.Status == http.StatusBadRequest {
		return nil, problemLines(p), nil
	}
	return nil, nil, err
}

const (
	// notJSON is the problem of a body that is not one JSON value.
	notJSON = "The body is not valid JSON. Correct it, and send it again."
	// invalidTitle is the title that the API has for a request with wrong fields.
	invalidTitle = "The request is not valid"
)

// invalidLines returns the wrong fields that an error names, as problemLines does.
func invalidLines(err error) []string {
	p := client.Problem{Problem: api.Problem{Title: invalidTitle}}
	for _, f := range step.FieldsOf(err) {
		p.Fields = append(p.Fields, api.FieldError(f))
	}
	return problemLines(&p)
}
