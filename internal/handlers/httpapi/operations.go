package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// maxBody limits the body of a request, in bytes. A Service Bus message has the
// same limit.
const maxBody = 256 << 10

// maxRetryAfter limits the Retry-After of an operation that waits for hours.
const maxRetryAfter = 10 * time.Minute

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read the request body: %w", err)
	}
	return raw, nil
}

// readRequest parses a request and checks that the caller may start its flow.
func (a *API) readRequest(w http.ResponseWriter, r *http.Request) (request.Request, error) {
	raw, err := readBody(w, r)
	if err != nil {
		return request.Request{}, err
	}
	req, err := request.Read(raw)
	if err == nil && req.Key == "" {
		req.Key = r.Header.Get("Idempotency-Key")
		err = req.Check()
	}
	if err == nil {
		err = request.Reserved(req.Key)
	}
	if err != nil {
		_, further := a.cfg.Engine.Prepare(req)
		return req, step.JoinInvalid(err, further)
	}
	return req, a.authorizeRequest(r.Context(), req)
}

func (a *API) start(w http.ResponseWriter, r *http.Request) error {
	req, err := a.readRequest(w, r)
	if err != nil {
		return err
	}
	if req.DryRun {
		return a.plan(w, req)
	}
	op, created, err := a.cfg.Engine.Start(r.Context(), req, engine.Origin{
		TraceParent: r.Header.Get("traceparent"), Cause: operation.Cause{Actor: a.actor(r), Reason: req.Reason},
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusAccepted
	}
	a.setLocation(w, op)
	return writeJSON(w, status, api.Started{Operation: a.singleOperation(op), Created: created})
}

func (a *API) plan(w http.ResponseWriter, req request.Request) error {
	op, err := a.cfg.Engine.Prepare(req)
	if err != nil {
		return err
	}
	flow, _ := a.cfg.Flows.Find(op.Flow, op.Version)
	return writeJSON(w, http.StatusOK, api.Plan{Valid: true, Flow: op.Flow, Version: op.Version, Parameters: op.Parameters, Steps: flow.Plan()})
}

// validate responds with the result of a dry run against Azure. It stores and
// sends nothing.
func (a *API) validate(w http.ResponseWriter, r *http.Request) error {
	req, err := a.readRequest(w, r)
	if err != nil {
		return err
	}
	if err := a.validations.take(r.Context()); err != nil {
		return err
	}
	defer a.validations.release()
	run, err := a.cfg.Engine.DryRun(r.Context(), req)
	if err != nil {
		return err
	}
	flow, _ := a.cfg.Flows.Find(run.Operation.Flow, run.Operation.Version)
	return writeJSON(w, http.StatusOK, validation(run, flow.Plan()))
}

// change returns the endpoint of a command on an operation.
func (a *API) change(command func(context.Context, string, operation.Cause) (operation.Operation, error)) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("id")
		by, err := a.cause(r)
		if err != nil {
			return err
		}
		if err := a.authorizeOperation(r.Context(), id); err != nil {
			return err
		}
		op, err := command(r.Context(), id, by)
		if err != nil {
			return err
		}
		status := http.StatusAccepted
		if op.Status.Terminal() {
			status = http.StatusOK
		}
		return a.writeOperation(w, status, op)
	}
}

func (a *API) writeOperation(w http.ResponseWriter, status int, op operation.Operation) error {
	a.setLocation(w, op)
	return writeJSON(w, status, a.singleOperation(op))
}

// setLocation sets the headers that say where and when to poll.
func (a *API) setLocation(w http.ResponseWriter, op operation.Operation) {
	w.Header().Set("Location", "/api/operations/"+op.ID)
	a.setRetryAfter(w, op)
}

// setRetryAfter sets Retry-After to the time until the operation's next check.
// An earlier request would see no change.
func (a *API) setRetryAfter(w http.ResponseWriter, op operation.Operation) {
	if op.Status.Terminal() || op.DueAt.IsZero() {
		return
	}
	wait := min(max(op.DueAt.Sub(a.cfg.Now()), time.Second), maxRetryAfter)
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

func (a *API) history(w http.ResponseWriter, r *http.Request) error {
	history := api.History{Events: []api.Event{}}
	for ev, err := range a.cfg.Operations.History(r.Context(), r.PathValue("id")) {
		var unreadable *operation.Unreadable
		if errors.As(err, &unreadable) {
			history.Unreadable = append(history.Unreadable, unreadable.Record)
			continue
		}
		if err != nil {
			return err
		}
		history.Events = append(history.Events, publicEvent(ev))
	}
	if len(history.Events)+len(history.Unreadable) == 0 {
		return engine.ErrNotFound
	}
	return writeJSON(w, http.StatusOK, history)
}
