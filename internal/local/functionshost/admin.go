package functionshost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// maxAdminBody limits the body of an admin request, in bytes.
const maxAdminBody = 8 << 20

// adminFunction describes a function in the admin endpoint's JSON.
type adminFunction struct {
	Name              string          `json:"name"`
	Config            json.RawMessage `json:"config"`
	InvokeURLTemplate string          `json:"invoke_url_template,omitempty"`
	IsDisabled        bool            `json:"isDisabled"`
	Language          string          `json:"language"`
}

// adminRoutes registers the endpoints under /admin
// (https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http).
// They accept every key.
func (h *Host) adminRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/host/status", func(w http.ResponseWriter, _ *http.Request) {
		id, err := os.Hostname()
		if err != nil {
			id = "functionshost"
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"id":            strings.ToLower(id),
			"state":         h.state(),
			"version":       hostVersion,
			"processUptime": h.now().Sub(h.started).Milliseconds(),
		})
	})
	mux.HandleFunc("GET /admin/functions", func(w http.ResponseWriter, _ *http.Request) {
		list := []adminFunction{}
		for i := range h.app.Functions {
			list = append(list, h.describe(&h.app.Functions[i]))
		}
		writeJSON(w, http.StatusOK, list)
	})
	mux.HandleFunc("GET /admin/functions/{name}", func(w http.ResponseWriter, r *http.Request) {
		function := h.function(r.PathValue("name"))
		if function == nil {
			http.Error(w, "function not found", http.StatusNotFound)
			return
		}
		writeJSON(w, http.StatusOK, h.describe(function))
	})
	mux.HandleFunc("POST /admin/functions/{name}", h.serveAdminInvoke)
}

// describe returns the description of a function.
func (h *Host) describe(function *Function) adminFunction {
	shown := adminFunction{Name: function.Name, Config: function.Config, IsDisabled: function.Disabled, Language: "Custom"}
	if function.Trigger.is(typeHTTPTrigger) {
		template := function.Name
		if function.Trigger.Route != nil {
			template = *function.Trigger.Route
		}
		shown.InvokeURLTemplate = h.URL() + "/" + strings.Trim(h.app.Host.RoutePrefix+"/"+strings.Trim(template, "/"), "/")
	}
	return shown
}

// serveAdminInvoke queues a manual run of a function. It responds with 202 before
// the run starts.
func (h *Host) serveAdminInvoke(w http.ResponseWriter, r *http.Request) {
	function := h.function(r.PathValue("name"))
	if function == nil {
		http.Error(w, "function not found", http.StatusNotFound)
		return
	}
	var body struct{ Input string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody)).Decode(&body); err != nil {
		http.Error(w, `the body is not {"input": "…"}; send a text as input`, http.StatusBadRequest)
		return
	}
	i, err := h.manualInvocation(function, body.Input)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case h.manual.queue <- i:
		w.WriteHeader(http.StatusAccepted)
	case <-h.stopping:
		http.Error(w, "host is stopping", http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}

// manualTrigger runs the invocations of the admin endpoint.
type manualTrigger struct {
	host  *Host
	queue chan *invocation
}

// run runs queued invocations until ctx ends, then waits for those in progress.
func (t *manualTrigger) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	work := context.WithoutCancel(ctx)
	for {
		select {
		case i := <-t.queue:
			running.Go(func() { _, _ = t.host.invoke(work, i) }) // invoke logs a failure
		case <-ctx.Done():
			return
		}
	}
}

// manualInvocation returns an invocation whose trigger value is a text.
func (h *Host) manualInvocation(function *Function, input string) (*invocation, error) {
	trigger := function.Trigger
	switch {
	case trigger.is(typeHTTPTrigger):
		return nil, errors.New("function has an HTTP trigger; call its route")
	case trigger.is(typeEventGridTrigger):
		if !json.Valid([]byte(input)) {
			return nil, errors.New("input is not an event; send JSON")
		}
		return h.eventInvocation(function, json.RawMessage(input))
	}
	i, err := newInvocation(function, h.random)
	if err != nil {
		return nil, err
	}
	if trigger.is(typeTimerTrigger) {
		return i, fillTimer(i, nil, false)
	}
	now := h.now()
	message := &azservicebus.ReceivedMessage{Body: []byte(input), MessageID: i.id, DeliveryCount: 1, EnqueuedTime: &now}
	if err := fillMessage(i, busClient{}, message); err != nil {
		return nil, fmt.Errorf("create a message: %w", err)
	}
	return i, nil
}

// writeJSON responds with a value as JSON.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := encodeObject(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller has hung up
}
