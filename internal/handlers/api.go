package handlers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// Controller is what people may do to operations.
type Controller interface {
	Starter
	DryRun(context.Context, request.Request) (engine.DryRunResult, error)
	Cancel(ctx context.Context, id string) (operation.Operation, error)
	Pause(ctx context.Context, id string) (operation.Operation, error)
	Resume(ctx context.Context, id string) (operation.Operation, error)
	Retry(ctx context.Context, id string) (operation.Operation, error)
}

// Reader reads operations.
type Reader interface {
	Load(ctx context.Context, id string) (engine.Row, error)
	List(ctx context.Context, q operation.Query) (operation.Page, error)
	History(ctx context.Context, id string) iter.Seq2[operation.Event, error]
	ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error)
	ListDecisions(ctx context.Context, q decision.Query) (decision.Page, error)
}

// longestRequest is the longest body of a request over HTTP in bytes, the same
// as a Service Bus message may have.
const longestRequest = 256 << 10

// APIConfig is what the HTTP API works with.
type APIConfig struct {
	Control Controller
	Read    Reader
	Flows   engine.Flows
	// Publish sends a message to a queue at once.
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	Now     func() time.Time
	// NewID gives a UUID that was never used before.
	NewID func() string
	// Roles asks each caller for an app role; see Role. Without it whom the
	// Functions host lets through may do everything.
	Roles bool
	// Preflight looks whether the app could do its work; nil serves none.
	Preflight Checker
}

// API is the HTTP API below /api, by the Asynchronous Request-Reply pattern:
// 202 with Location and Retry-After, then a status that is answered with 200.
func API(c APIConfig) http.Handler {
	a := api{c}
	control := c.Control
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/operations", a.start)
	mux.HandleFunc("POST /api/operations:validate", a.validate)
	mux.HandleFunc("POST /api/operations:bulk", a.bulk)
	mux.HandleFunc("GET /api/operations", a.list)
	mux.HandleFunc("GET /api/operations/{id}", a.get)
	mux.HandleFunc("GET /api/operations/{id}/history", a.history)
	mux.HandleFunc("DELETE /api/operations/{id}", a.change(control.Cancel))
	mux.HandleFunc("POST /api/operations/{id}/pause", a.change(control.Pause))
	mux.HandleFunc("POST /api/operations/{id}/resume", a.change(control.Resume))
	mux.HandleFunc("POST /api/operations/{id}/retry", a.change(control.Retry))
	mux.HandleFunc("GET /api/refusals", a.refusals)
	mux.HandleFunc("GET /api/verdicts", a.verdicts)
	mux.HandleFunc("GET /api/flows", a.flows)
	if c.Preflight != nil {
		mux.HandleFunc("GET /api/preflight", a.preflight)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusNotFound, "application/problem+json", Problem{
			Type: noSuchRoute, Title: "There is no such route", Status: http.StatusNotFound,
			Detail: fmt.Sprintf("%s %s; see docs/http-api.md", r.Method, r.URL.Path),
		})
	})
	if c.Roles {
		return withRoles(mux)
	}
	return mux
}

type api struct{ APIConfig }

// readBody reads a body that is no longer than a message may be.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return raw, nil
}

// readRequest reads a request that its caller may make.
func (a api) readRequest(w http.ResponseWriter, r *http.Request) (request.Request, error) {
	raw, err := readBody(w, r)
	if err != nil {
		return request.Request{}, err
	}
	req, err := request.Read(raw)
	if err == nil && req.Key == "" {
		req.Key = r.Header.Get("Idempotency-Key")
		err = req.Check()
	}
	if err != nil {
		return req, err
	}
	return req, a.requireName(r.Context(), req.Flow)
}

func (a api) start(w http.ResponseWriter, r *http.Request) {
	req, err := a.readRequest(w, r)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	if req.DryRun {
		op, err := a.Control.Prepare(req)
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		flow, _ := a.Flows.Find(op.Flow, op.Version)
		writeJSON(w, http.StatusOK, map[string]any{"valid": true, "flow": op.Flow, "version": op.Version, "parameters": op.Parameters, "steps": flow.Plan()})
		return
	}
	op, created, err := a.Control.Start(r.Context(), req, engine.Origin{TraceParent: r.Header.Get("traceparent")})
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	status := http.StatusOK
	if created || !op.Status.Terminal() {
		status = http.StatusAccepted
	}
	w.Header().Set("Location", "/api/operations/"+op.ID)
	a.retryAfter(w, op)
	writeJSON(w, status, Show(op))
}

func (a api) get(w http.ResponseWriter, r *http.Request) {
	row, err := a.Read.Load(r.Context(), r.PathValue("id"))
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	a.retryAfter(w, row.Operation)
	etag := fmt.Sprintf(`"%s"`, row.Operation.WriteID)
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, Show(row.Operation))
}

// retryAfter says when it is worth asking again: not before the next look.
func (a api) retryAfter(w http.ResponseWriter, op operation.Operation) {
	if op.Status.Terminal() || op.DueAt.IsZero() {
		return
	}
	wait := min(max(op.DueAt.Sub(a.Now()), time.Second), 10*time.Minute)
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

func (a api) change(how func(context.Context, string) (operation.Operation, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := a.requireFor(r.Context(), r.PathValue("id"))
		var op operation.Operation
		if err == nil {
			op, err = how(r.Context(), r.PathValue("id"))
		}
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		status := http.StatusAccepted
		if op.Status.Terminal() {
			status = http.StatusOK
		}
		w.Header().Set("Location", "/api/operations/"+op.ID)
		a.retryAfter(w, op)
		writeJSON(w, status, Show(op))
	}
}

func (a api) history(w http.ResponseWriter, r *http.Request) {
	events := []operation.Event{}
	for ev, err := range a.Read.History(r.Context(), r.PathValue("id")) {
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		events = append(events, ev)
	}
	if len(events) == 0 {
		writeProblem(w, r, engine.ErrNotFound)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"events": events})
}

func (a api) list(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r, "status", "flow", "label", "since", "until", "pageSize", "continue")
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	page, err := a.Read.List(r.Context(), q)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	list := List{Operations: []View{}, Continue: page.Continue}
	for _, op := range page.Operations {
		list.Operations = append(list.Operations, Show(op))
	}
	writeJSON(w, http.StatusOK, list)
}

func (a api) refusals(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r, "since", "pageSize", "continue")
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	page, err := a.Read.ListRejected(r.Context(), rejected.Query{Since: q.Since, PageSize: q.PageSize, Continue: q.Continue})
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"refusals": append([]rejected.Request{}, page.Requests...), "continue": page.Continue})
}

func (a api) flows(w http.ResponseWriter, _ *http.Request) {
	var flows []FlowView
	for _, name := range a.Flows.Names() {
		f, _ := a.Flows.Newest(name)
		flows = append(flows, FlowView{Name: f.Name, Version: f.Version, Summary: f.Summary, Steps: f.Plan()})
	}
	writeJSON(w, http.StatusOK, map[string]any{"flows": flows})
}
