// Package notify sends notifications about operations and rejected requests to
// other systems. Each is a CloudEvent 1.0 in structured mode: one JSON object in
// a Service Bus message. docs/notifications.md describes the events, docs/schemas
// holds their schema.
//
// Each event is sent at least once, always with the same ID. Events contain no
// secrets: no parameters and no status URLs of Azure.
//
// The package must not know when a notification is due; the engine's outbox
// decides that.
package notify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// Event is a CloudEvent in structured mode.
// Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
type Event struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// ContentType is the content type of a CloudEvent in structured mode.
const ContentType = "application/cloudevents+json; charset=utf-8"

const (
	typeOfOperation = "azbackupflow.operation."
	// TypeRejected is the type of the event about a rejected request.
	TypeRejected = "azbackupflow.request.rejected"
)

// TypeOf returns the event type of a kind of notice.
func TypeOf(kind operation.NoticeKind) string { return typeOfOperation + string(kind) }

// Operation is the data of an event about an operation.
type Operation struct {
	OperationID string            `json:"operationId"`
	Flow        string            `json:"flow"`
	Version     int               `json:"version"`
	Key         string            `json:"key"`
	Labels      map[string]string `json:"labels,omitempty"`
	CreatedAt   time.Time         `json:"createdAt"`
	// Seq orders the events of one operation: a later event has a higher seq.
	// Round counts the retries of the operation by an operator.
	Seq   int64 `json:"seq"`
	Round int   `json:"round"`
	// Status and Step are those of the operation at the time of the event.
	Status operation.Status `json:"status"`
	Step   string           `json:"step"`
	// JobID is the last known backup job.
	JobID string `json:"jobId,omitempty"`
	// Actor is the caller that started, retried, canceled, paused or resumed the
	// operation, Reason their own text. They are set in the events about that.
	Actor    *operation.Actor `json:"actor,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
	Error    *Error           `json:"error,omitempty"`
}

// Error is the error that made an operation fail or park.
type Error struct {
	Code              string   `json:"code"`
	Message           string   `json:"message"`
	Class             string   `json:"class"`
	RecommendedAction []string `json:"recommendedAction,omitempty"`
	HTTPStatus        int      `json:"httpStatus,omitempty"`
	CorrelationID     string   `json:"correlationId,omitempty"`
	// Target names the resource or field that Azure blames. ActivityID is Azure
	// Backup's ID of the failed activity.
	Target     string `json:"target,omitempty"`
	ActivityID string `json:"activityId,omitempty"`
}

// Request is the data of an event about a rejected request.
type Request struct {
	MessageID string            `json:"messageId,omitempty"`
	Source    string            `json:"source"`
	Flow      string            `json:"flow,omitempty"`
	Key       string            `json:"key,omitempty"`
	Reason    string            `json:"reason"`
	Fields    []step.FieldError `json:"fields,omitempty"`
}

// ofOperation returns the event of a notice.
func ofOperation(op operation.Operation, n operation.Notice) (Event, error) {
	data := Operation{
		OperationID: op.ID, Flow: op.Flow, Version: op.Version, Key: op.Key, Labels: op.Labels, CreatedAt: op.CreatedAt,
		Seq: n.Seq, Round: n.Round, Status: n.Status, Step: n.Step, JobID: n.JobID,
	}
	if n.Cause != nil {
		data.Actor, data.Reason = &n.Cause.Actor, n.Cause.Reason
	}
	for _, w := range n.Warnings {
		data.Warnings = append(data.Warnings, unsigned(w))
	}
	if e := n.Error; e != nil {
		data.Error = &Error{
			Code: e.Code, Message: unsigned(e.Message), Class: string(e.Class),
			HTTPStatus: e.HTTPStatus, CorrelationID: e.CorrelationID, Target: unsigned(e.Target), ActivityID: e.ActivityID,
		}
		for _, a := range e.RecommendedAction {
			data.Error.RecommendedAction = append(data.Error.RecommendedAction, unsigned(a))
		}
	}
	return event(n.ID(op.ID), op.Tenant, TypeOf(n.Kind), "operations/"+op.ID, n.At, data)
}

// ofRejected returns the event of a rejected request.
func ofRejected(tenant string, r rejected.Request) (Event, error) {
	data := Request{MessageID: r.MessageID, Source: string(r.Source), Flow: r.Flow, Key: r.Key, Reason: r.Reason, Fields: r.Fields}
	return event("rejected:"+r.ID, tenant, TypeRejected, "", r.At, data)
}

func event(id, tenant, kind, subject string, at time.Time, data any) (Event, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("encode event %s: %w", id, err)
	}
	return Event{
		SpecVersion: "1.0", ID: id, Source: "/azbackupflow/" + url.PathEscape(tenant), Type: kind, Subject: subject,
		Time: at.UTC(), DataContentType: "application/json", Data: raw,
	}, nil
}

var urlQuery = regexp.MustCompile(`(https?://[^\s?"'<>]*)\?[^\s"'<>]*`)

// unsigned removes the queries of all URLs in a text, because the signature of a
// status URL grants access to the status.
func unsigned(text string) string { return urlQuery.ReplaceAllString(text, "$1") }
