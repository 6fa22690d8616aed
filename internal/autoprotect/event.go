package autoprotect

import (
	"encoding/json"
	"fmt"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/step"
)

// resourceWritten is the type of the events that announce resources. ARM raises
// it for creations and for every update.
// Source: learn.microsoft.com, "Azure subscription as an Event Grid source".
const resourceWritten = "Microsoft.Resources.ResourceWriteSuccess"

// Limits in bytes. Azure's own IDs are far shorter than maxResourceIDBytes.
const (
	maxResourceIDBytes = 2048
	maxEventIDBytes    = 256
)

// Event holds the parts of an Event Grid event that are used. An event also
// names the caller, the client's address and the caller's rights; these are
// personal data and are not decoded.
type Event struct {
	ID, Type   string
	ResourceID string
	// Time is when the event happened; zero if it is not known.
	Time time.Time
}

// ParseEvent parses an event in the Event Grid schema or in CloudEvents 1.0. The
// error is a *step.Invalid.
func ParseEvent(raw []byte) (Event, error) {
	var e struct {
		ID          string `json:"id"`
		SpecVersion string `json:"specversion"`
		Type        string `json:"type"`
		EventType   string `json:"eventType"`
		Time        any    `json:"time"`
		EventTime   any    `json:"eventTime"`
		Data        struct {
			ResourceURI string `json:"resourceUri"`
		} `json:"data"`
	}
	invalid := func(field, problem, want string) error {
		return &step.Invalid{Fields: []step.FieldError{{Field: field, Problem: problem, Want: want}}}
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, invalid("event", "is not an Event Grid event", "one event in the Event Grid schema or CloudEvents 1.0")
	}
	event := Event{ID: e.ID, Type: e.EventType, ResourceID: e.Data.ResourceURI}
	happened := e.EventTime
	if e.SpecVersion != "" {
		event.Type, happened = e.Type, e.Time
	}
	text, _ := happened.(string)
	event.Time, _ = time.Parse(time.RFC3339Nano, text) // zero if it is not a time
	switch {
	case event.ID == "" || len(event.ID) > maxEventIDBytes:
		event.ID = ""
		return event, invalid("event.id", "is missing or too long", fmt.Sprintf("an event ID of at most %d bytes", maxEventIDBytes))
	case event.Type == "":
		return event, invalid("event.type", "is missing, and eventType is missing too", resourceWritten)
	case event.Type != resourceWritten:
		return event, nil
	case event.ResourceID == "":
		return event, invalid("event.data.resourceUri", "is missing", "a resource ID")
	case len(event.ResourceID) > maxResourceIDBytes:
		return event, invalid("event.data.resourceUri", fmt.Sprintf("is %d bytes long", len(event.ResourceID)), fmt.Sprintf("a resource ID of at most %d bytes", maxResourceIDBytes))
	}
	if _, err := resourceid.Parse(event.ResourceID); err != nil {
		return event, invalid("event.data.resourceUri", "is not a resource ID: "+err.Error(), "a resource ID")
	}
	return event, nil
}
