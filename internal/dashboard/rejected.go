package dashboard

import (
	"context"
	"encoding/json"
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
	// Body is the body to edit: indented if it is JSON.
	Body string
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
	return rejectedPage(rejectedData{Request: req, Body: indentText(req.Body), Editable: req.BodyEncoding == "" && req.BodyType == ""}), nil
}

func rejectedPage(data rejectedData) content {
	return content{Title: "Rejected request", page: "rejected", Section: "attention", Data: data}
}

// changeRejected validates, replays or deletes a rejected request.
func (d *Dashboard) changeRejected(w http.ResponseWriter, r *http.Request) error {
	ctx, id, backend := r.Context(), r.PathValue("id"), d.cfg.API(r)
	body, reason := r.PostForm.Get("body"), r.PostForm.Get("reason")
	switch r.PathValue("action") {
	case "validate":
		req, err := backend.GetRejected(ctx, id)
		if err != nil {
			return err
		}
		data := rejectedData{Request: req, Body: body, Editable: true}
		data.Validation, data.Problems, err = validate(ctx, backend, req, body)
		if err != nil {
			return err
		}
		d.render(w, r, http.StatusOK, rejectedPage(data))
		return nil
	case "replay":
		var edited json.RawMessage
		if strings.TrimSpace(body) != "" {
			edited = json.RawMessage(body)
			if !json.Valid(edited) {
				return &pageError{http.StatusBadRequest, "Request not sent", "The body is not valid JSON. Correct it and send it again."}
			}
		}
		if _, err := backend.ReplayRejected(ctx, id, edited, reason); err != nil {
			return err
		}
		seeOther(w, "../"+url.PathEscape(id)+"?done=replay")
		return nil
	case "delete":
		if err := backend.DeleteRejected(ctx, id, reason); err != nil {
			return err
		}
		seeOther(w, "../../attention?done=delete")
		return nil
	}
	return &pageError{http.StatusNotFound, "Page not found", "There is no such action."}
}

// indentText indents a text if it is JSON.
func indentText(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return indent(v)
}

// validate checks the edited body of a rejected request against Azure, without
// changing anything. A replay makes the same checks, so a body that is valid here is
// not rejected there.
func validate(ctx context.Context, backend API, r api.RejectedRequest, body string) (*api.Validation, []string, error) {
	if !json.Valid([]byte(body)) {
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
	problems, err := rejectedFields(err)
	return nil, problems, err
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
