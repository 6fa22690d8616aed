package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
)

// bulk validates a bulk and sends its valid targets to the queue requests,
// because creating thousands of operations takes longer than a caller waits.
func (a *API) bulk(w http.ResponseWriter, r *http.Request) error {
	b, err := a.readBulk(w, r)
	if err != nil {
		return err
	}
	result, valid, err := a.validateTargets(r.Context(), b)
	if err != nil {
		return err
	}
	b.Targets = valid
	body, err := encodeBulk(b)
	if err != nil {
		return err
	}
	// Each bulk gets a new message id: the same key may come with other targets,
	// and duplicate detection would drop them.
	id, by := a.cfg.NewID(), operation.Cause{Actor: a.actor(r), Reason: b.Reason}
	properties, err := intake.BulkProperties(r.Context(), a.cfg.Sealer, id, body, r.Header.Get("traceparent"), by)
	if err != nil {
		return err
	}
	if err := a.cfg.Bulks.Record(r.Context(), b, by, b.Keys(), nil); err != nil {
		return err
	}
	if err := a.cfg.Publish(r.Context(), settings.RequestsQueue, id, body, properties); err != nil {
		return fmt.Errorf("send a bulk: %w", err)
	}
	w.Header().Set("Location", "/api/bulks/"+url.PathEscape(b.Key))
	w.Header().Set("Retry-After", "1")
	return writeJSON(w, http.StatusAccepted, result)
}

// validateTargets separates valid targets from invalid ones. It fails if none is
// valid.
func (a *API) validateTargets(ctx context.Context, b request.Bulk) (result api.BulkResult, valid []json.RawMessage, err error) {
	result = api.BulkResult{Key: b.Key, Accepted: []api.BulkTarget{}, Rejected: []api.BulkRejected{}}
	err = intake.CheckBulk(ctx, b, a.cfg.Engine.Prepare, func(i int, op operation.Operation, err error) bool {
		if err != nil {
			result.Rejected = append(result.Rejected, api.BulkRejected{Target: i, Fields: fieldErrors(intake.Fields(err))})
			return true
		}
		valid = append(valid, b.Targets[i])
		result.Accepted = append(result.Accepted, api.BulkTarget{Target: i, ID: op.ID, Key: op.Key})
		return true
	})
	return result, valid, err
}

func (a *API) readBulk(w http.ResponseWriter, r *http.Request) (request.Bulk, error) {
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
		b.Key = a.cfg.NewID()
	}
	if err := b.Check(); err != nil {
		return b, err
	}
	if err := request.Reserved(b.Key); err != nil {
		return b, err
	}
	return b, a.authorizeBulk(r.Context(), b)
}

// encodeBulk encodes a bulk without HTML escapes, so that it is not longer than
// the bulk that arrived.
func encodeBulk(b request.Bulk) ([]byte, error) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		return nil, fmt.Errorf("encode a bulk: %w", err)
	}
	if err := request.BulkFits(body.Len()); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

// errBulkNotFound means that no bulk with the key is known.
var errBulkNotFound = errors.New("no bulk has this key; bulks are kept as long as their operations")

// getBulk responds with how far a bulk has come.
func (a *API) getBulk(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	record, found, err := a.cfg.Bulks.Load(r.Context(), key)
	if err != nil {
		return err
	}
	members, err := a.cfg.Operations.ListBulk(r.Context(), key)
	if err != nil {
		return err
	}
	if !found && len(members) == 0 {
		return fmt.Errorf("bulk %q: %w", key, errBulkNotFound)
	}
	status := api.BulkStatus{
		Key: key, Flow: record.Flow, CreatedAt: record.CreatedAt, StartedBy: publicActor(record.Cause), Reason: record.Cause.Reason,
		Rejected: a.stillRejected(record, members), Status: zeroStatus(), Problems: []api.BulkProblem{}, Truncated: record.Truncated,
	}
	status.Targets = max(len(record.Targets), len(members))
	status.Waiting = max(len(record.Targets)-status.Rejected-len(members), 0)
	status.Done = status.Waiting == 0
	for _, m := range members {
		status.Status[api.Status(m.Status)]++
		status.Done = status.Done && m.Status.Terminal()
	}
	if status.Problems, err = a.bulkProblems(r.Context(), members); err != nil {
		return err
	}
	if !status.Done {
		w.Header().Set("Retry-After", "2")
	}
	return writeJSON(w, http.StatusOK, status)
}

// stillRejected returns how many of the rejected targets of a bulk have no operation. A
// rejected target may start later.
func (a *API) stillRejected(record request.BulkRecord, members []operation.Member) int {
	started := map[string]bool{}
	for _, m := range members {
		started[m.ID] = true
	}
	rejected := 0
	for _, digest := range record.Rejected {
		if !started[operation.ID(a.cfg.Tenant, record.Flow, request.TargetKey(record.Key, digest))] {
			rejected++
		}
	}
	return rejected
}

// bulkProblems returns the first operations that did not succeed.
func (a *API) bulkProblems(ctx context.Context, members []operation.Member) ([]api.BulkProblem, error) {
	problems := []api.BulkProblem{}
	for _, m := range members {
		if !slices.Contains([]operation.Status{operation.Failed, operation.TimedOut, operation.Parked}, m.Status) {
			continue
		}
		if len(problems) == api.MaxBulkProblems {
			break
		}
		row, err := a.cfg.Operations.Load(ctx, m.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound), operation.IsUnreadable(err):
			problems = append(problems, api.BulkProblem{ID: m.ID, Status: api.Status(m.Status)})
		case err != nil:
			return nil, err
		default:
			op := row.Operation
			problems = append(problems, api.BulkProblem{ID: op.ID, Key: op.Key, Status: api.Status(op.Status), Error: publicError(op.LastError)})
		}
	}
	return problems, nil
}
