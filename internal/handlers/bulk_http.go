package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// BulkAnswer says what becomes of a bulk that came over HTTP.
type BulkAnswer struct {
	// Key is the bulk's; with it the same bulk can be sent again.
	Key      string        `json:"key"`
	Accepted []BulkTarget  `json:"accepted"`
	Refused  []BulkRefusal `json:"refused"`
}

// BulkTarget is a target whose operation will be there shortly.
type BulkTarget struct {
	// Target is its place in the list, from 0.
	Target int    `json:"target"`
	ID     string `json:"id"`
	Key    string `json:"key"`
}

// BulkRefusal is a target that can never work as it is. Nothing is recorded of
// it: its sender has read the answer.
type BulkRefusal struct {
	Target int               `json:"target"`
	Fields []step.FieldError `json:"fields"`
}

// bulk checks a bulk and sends those of its targets that are right to the queue
// `requests`: thousands of operations take longer to create than a caller waits.
func (a api) bulk(w http.ResponseWriter, r *http.Request) {
	b, err := a.readBulk(w, r)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	answer := BulkAnswer{Key: b.Key, Accepted: []BulkTarget{}, Refused: []BulkRefusal{}}
	var right []json.RawMessage
	for i := range b.Targets {
		req, err := b.Request(i)
		if err == nil {
			op, prepared := a.Control.Prepare(req)
			if err = prepared; err == nil {
				right = append(right, b.Targets[i])
				answer.Accepted = append(answer.Accepted, BulkTarget{Target: i, ID: op.ID, Key: op.Key})
				continue
			}
		}
		if !permanent(err) {
			writeProblem(w, r, err)
			return
		}
		answer.Refused = append(answer.Refused, BulkRefusal{Target: i, Fields: fieldsOf(err)})
	}
	if len(right) == 0 {
		writeProblem(w, r, noTargetRight(len(b.Targets), answer.Refused[0].Fields))
		return
	}
	b.Targets = right
	body, err := writeBulk(b)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	properties := map[string]any{}
	if trace := r.Header.Get("traceparent"); trace != "" {
		properties[traceProperty] = trace
	}
	// A new message id each time: the same key may come with other targets.
	if err := a.Publish(r.Context(), settings.RequestsQueue, a.NewID(), body, properties); err != nil {
		writeProblem(w, r, fmt.Errorf("send a bulk: %w", err))
		return
	}
	w.Header().Set("Retry-After", "1")
	writeJSON(w, http.StatusAccepted, answer)
}

func (a api) readBulk(w http.ResponseWriter, r *http.Request) (request.Bulk, error) {
	raw, err := readBody(w, r)
	if err != nil {
		return request.Bulk{}, err
	}
	b, err := request.ReadBulk(raw)
	if err != nil {
		return b, err
	}
	if b.Key == "" {
		b.Key = r.Header.Get("Idempotency-Key")
	}
	if b.Key == "" {
		b.Key = a.NewID()
	}
	if err := b.Check(); err != nil {
		return b, err
	}
	return b, a.requireName(r.Context(), b.Template.Flow)
}

// writeBulk writes a bulk as it is sent, no longer than it came: what a browser
// could mistake for a tag is not escaped.
func writeBulk(b request.Bulk) ([]byte, error) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		return nil, fmt.Errorf("write a bulk: %w", err)
	}
	if err := request.BulkFits(body.Len()); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}
