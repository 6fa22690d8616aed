package functionshost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// maxEvents bounds a delivery of events in bytes; Event Grid sends 1 MB at most.
const maxEvents = 2 << 20

// serveEventGrid answers Event Grid's webhook as the host's extension does: the
// handler sees events only, never handshakes.
func (h *Host) serveEventGrid(w http.ResponseWriter, r *http.Request) {
	function := h.function(r.URL.Query().Get("functionName"))
	if function == nil || !function.Trigger.is(typeEventGridTrigger) || function.Disabled {
		http.Error(w, "there is no such Event Grid function", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodOptions {
		if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
			w.Header().Set("Webhook-Allowed-Origin", origin)
			w.WriteHeader(http.StatusOK)
			return
		}
	}
	if r.Method != http.MethodPost {
		http.Error(w, "not an Event Grid request", http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvents))
	if err != nil {
		http.Error(w, "the events cannot be read", http.StatusBadRequest)
		return
	}
	switch kind := r.Header.Get("aeg-event-type"); {
	case strings.EqualFold(kind, "SubscriptionValidation"):
		answerValidation(w, body)
	case strings.EqualFold(kind, "Notification"):
		h.deliverEvents(w, r, function, body)
	case strings.EqualFold(kind, "Unsubscribe"):
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "not an Event Grid request", http.StatusBadRequest)
	}
}

// answerValidation proves that the endpoint wants the events.
func answerValidation(w http.ResponseWriter, body []byte) {
	var events []struct {
		Data struct{ ValidationCode string }
	}
	if err := json.Unmarshal(body, &events); err != nil || len(events) == 0 || events[0].Data.ValidationCode == "" {
		http.Error(w, "the validation event has no code", http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"validationResponse": events[0].Data.ValidationCode})
}

// deliverEvents invokes the function once per event, all at the same time, and
// answers for the batch: Event Grid sends all of it again if one failed.
func (h *Host) deliverEvents(w http.ResponseWriter, r *http.Request, function *Function, body []byte) {
	events, err := splitEvents(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var failed atomic.Bool
	var deliveries sync.WaitGroup
	for _, event := range events {
		deliveries.Go(func() {
			i, err := h.eventInvocation(function, event)
			if err == nil {
				_, err = h.invoke(r.Context(), i)
			}
			if err != nil {
				failed.Store(true)
			}
		})
	}
	deliveries.Wait()
	if failed.Load() {
		http.Error(w, "an event could not be handled", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// splitEvents reads an array of events, or one CloudEvent.
func splitEvents(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '{' {
		if !json.Valid(body) {
			return nil, errors.New("the event is not JSON")
		}
		return []json.RawMessage{body}, nil
	}
	var events []json.RawMessage
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, errors.New("the events are not a JSON array")
	}
	return events, nil
}

// eventInvocation is the invocation for one event.
func (h *Host) eventInvocation(function *Function, event json.RawMessage) (*invocation, error) {
	var parsed struct {
		ID   string
		Data json.RawMessage
	}
	if err := json.Unmarshal(event, &parsed); err != nil {
		return nil, fmt.Errorf("an event is not an object: %w", err)
	}
	i, err := newInvocation(function, h.random)
	if err != nil {
		return nil, err
	}
	if i.trace, err = newTraceParent(h.random); err != nil {
		return nil, err
	}
	i.detail = parsed.ID
	i.data.set(function.Trigger.Name, event)
	if len(parsed.Data) > 0 && string(parsed.Data) != "null" {
		i.metadata.set("data", parsed.Data)
	}
	return i, nil
}
