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

// maxEvents limits a delivery of events, in bytes. Event Grid sends at most 1 MB.
const maxEvents = 2 << 20

// serveEventGrid responds to Event Grid's webhook as the host's extension does. The
// handler receives events only, no handshakes.
func (h *Host) serveEventGrid(w http.ResponseWriter, r *http.Request) {
	function := h.function(r.URL.Query().Get("functionName"))
	if function == nil || !function.Trigger.is(typeEventGridTrigger) || function.Disabled {
		http.Error(w, "Event Grid function not found", http.StatusNotFound)
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
		http.Error(w, "events not readable", http.StatusBadRequest)
		return
	}
	switch kind := r.Header.Get("aeg-event-type"); {
	case strings.EqualFold(kind, "SubscriptionValidation"):
		respondToValidation(w, body)
	case strings.EqualFold(kind, "Notification"):
		h.deliverEvents(w, r, function, body)
	case strings.EqualFold(kind, "Unsubscribe"):
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "not an Event Grid request", http.StatusBadRequest)
	}
}

// respondToValidation responds to Event Grid's validation of the endpoint.
func respondToValidation(w http.ResponseWriter, body []byte) {
	var events []struct {
		Data struct{ ValidationCode string }
	}
	if err := json.Unmarshal(body, &events); err != nil || len(events) == 0 || events[0].Data.ValidationCode == "" {
		http.Error(w, "validation event has no validationCode", http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"validationResponse": events[0].Data.ValidationCode})
}

// deliverEvents invokes the function for each event, in parallel, and responds for
// the batch. Event Grid sends the whole batch again if one event failed.
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
		http.Error(w, "an event failed", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// splitEvents returns the events of an array, or one CloudEvent.
func splitEvents(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '{' {
		if !json.Valid(body) {
			return nil, errors.New("event is not JSON")
		}
		return []json.RawMessage{body}, nil
	}
	var events []json.RawMessage
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, errors.New("events are not a JSON array")
	}
	return events, nil
}

// eventInvocation returns the invocation for one event.
func (h *Host) eventInvocation(function *Function, event json.RawMessage) (*invocation, error) {
	var parsed struct {
		ID   string
		Data json.RawMessage
	}
	if err := json.Unmarshal(event, &parsed); err != nil {
		return nil, fmt.Errorf("event is not an object: %w", err)
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
