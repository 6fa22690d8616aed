package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"azbackupflow/internal/api"
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
	properties := map[string]any{}
	if trace := r.Header.Get("traceparent"); trace != "" {
		properties[intake.PropertyTrace] = trace
	}
	// Each bulk gets a new message id: the same key may come with other targets,
	// and duplicate detection would drop them.
	if err := a.cfg.Publish(r.Context(), settings.RequestsQueue, a.cfg.NewID(), body, properties); err != nil {
		return fmt.Errorf("send a bulk: %w", err)
	}
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
