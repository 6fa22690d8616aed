package autoprotect

import (
	"context"
	"errors"
	"slices"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/step"
)

// Sources of decisions.
const (
	sourceEvent = "event"
	sourceSweep = "sweep"
)

// trigger is why a resource is evaluated.
type trigger struct{ source, eventID, trace string }

// decide evaluates one resource and acts on the decision. A decision that has
// not changed costs one read and writes nothing, so that repeated updates of a
// storage account start nothing.
func (e *Evaluator) decide(ctx context.Context, res Resource, t trigger) error {
	d := Decide(e.c.Rules, res)
	previous, err := e.previous(ctx, res.ID)
	if err != nil {
		return err
	}
	v := decision.Record{
		ResourceID: res.ID, Outcome: string(d.Outcome), Reason: d.Reason, DryRunMatches: d.DryRunMatches, Source: t.source, EventID: t.eventID,
		Created: res.Created,
	}
	if d.Rule != nil {
		v.Rule = d.Rule.Name
	}
	if d.Outcome == Protect {
		if alreadyStarted(previous, v) {
			if previous.Outcome == string(Lost) {
				v.Outcome, v.Reason = previous.Outcome, previous.Reason
			}
			v.OperationID = previous.OperationID
			return e.record(ctx, previous, v)
		}
		if v, err = e.start(ctx, *d.Rule, res, "", v, t); err != nil {
			return err
		}
	}
	return e.record(ctx, previous, v)
}

// previous returns the last decision about a resource; the zero value if there
// is none.
func (e *Evaluator) previous(ctx context.Context, resourceID string) (decision.Record, error) {
	v, err := e.c.Records.LoadDecision(ctx, resourceID)
	if errors.Is(err, decision.ErrNotFound) {
		return decision.Record{}, nil
	}
	return v, err
}

// alreadyStarted reports whether the previous decision started an operation by
// the same rule for the same resource.
func alreadyStarted(previous, v decision.Record) bool {
	return (previous.Outcome == string(Protect) || previous.Outcome == string(Lost)) &&
		previous.Rule == v.Rule && previous.OperationID != "" && previous.Created.Equal(v.Created)
}

// same reports whether two decisions differ only in when and why they were made.
func same(a, b decision.Record) bool {
	return a.Outcome == b.Outcome && a.Rule == b.Rule && a.OperationID == b.OperationID && a.Reason == b.Reason &&
		slices.Equal(a.DryRunMatches, b.DryRunMatches)
}

// record stores a decision that differs from the previous one.
func (e *Evaluator) record(ctx context.Context, previous, v decision.Record) error {
	if same(previous, v) {
		return nil
	}
	v.At = e.c.Now()
	e.c.Log.InfoContext(ctx, "protection decided", "resource", v.ResourceID, "outcome", v.Outcome, "rule", v.Rule, "op", v.OperationID, "source", v.Source)
	return e.c.Records.SaveDecision(ctx, v)
}

// start starts the operation that protects a resource, unless the resource is
// excluded. It returns the resulting decision. retry is part of the request's
// key; it is empty for the first attempt.
func (e *Evaluator) start(ctx context.Context, r Rule, res Resource, retry string, v decision.Record, t trigger) (decision.Record, error) {
	x, excluded, err := e.c.Records.LoadExclusion(ctx, res.ID)
	if err != nil {
		return v, err
	}
	if excluded {
		return excludedBy(x, v), nil
	}
	req, err := r.request(res, r.requestKey(res, retry))
	if err != nil {
		return v, err
	}
	req.Labels = map[string]string{labelRule: r.Name, labelSource: t.source}
	op, _, err := e.c.Engine.Start(ctx, req, engine.Origin{TraceParent: t.trace})
	var conflict *engine.KeyConflict
	var invalid *step.Invalid
	switch {
	case errors.As(err, &conflict):
		// The operation was started before the rule was changed.
		v.OperationID = conflict.ID
	case errors.As(err, &invalid):
		v.Outcome, v.OperationID, v.Reason = string(Rejected), "", invalid.Error()
	case err != nil:
		return v, err
	default:
		v.OperationID = op.ID
	}
	return v, nil
}

// excludedBy returns the decision about a resource whose protection a user
// ended.
func excludedBy(x decision.Exclusion, v decision.Record) decision.Record {
	v.Outcome, v.OperationID = string(Excluded), x.OperationID
	v.Reason = "operation " + x.OperationID + " ended the protection on request of a user"
	return v
}
