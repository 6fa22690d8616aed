package autoprotect

import (
	"context"
	"errors"
	"slices"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
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
	rec := decision.Record{
		ResourceID: res.ID, Outcome: string(d.Outcome), Reason: d.Reason, DryRunMatches: d.DryRunMatches, Source: t.source, EventID: t.eventID,
		Created: res.Created,
	}
	if d.Rule != nil {
		rec.Rule = d.Rule.Name
	}
	if d.Outcome == Protect {
		if alreadyStarted(previous, rec) {
			// The rule may have been changed since. The record keeps what was done.
			rec.Outcome, rec.Reason, rec.OperationID = previous.Outcome, previous.Reason, previous.OperationID
			return e.record(ctx, previous, rec)
		}
		if rec, err = e.start(ctx, *d.Rule, res, "", rec, t); err != nil {
			return err
		}
	}
	return e.record(ctx, previous, rec)
}

// previous returns the last decision about a resource; the zero value if there
// is none, or none that can be read. The next decision replaces it, and the key
// of the request keeps a second operation from starting.
func (e *Evaluator) previous(ctx context.Context, resourceID string) (decision.Record, error) {
	rec, err := e.c.Records.LoadDecision(ctx, resourceID)
	if operation.IsUnreadable(err) {
		e.c.Log.ErrorContext(ctx, "decision unreadable, made again", "resource", resourceID, "error", err)
		return decision.Record{}, nil
	}
	if errors.Is(err, decision.ErrNotFound) {
		return decision.Record{}, nil
	}
	return rec, err
}

// alreadyStarted reports whether the previous decision started an operation by
// the same rule for the same resource.
func alreadyStarted(previous, rec decision.Record) bool {
	return (previous.Outcome == string(Protect) || previous.Outcome == string(Lost)) &&
		previous.Rule == rec.Rule && previous.OperationID != "" && previous.Created.Equal(rec.Created)
}

// same reports whether two decisions differ only in when and why they were made.
func same(a, b decision.Record) bool {
	return a.Outcome == b.Outcome && a.Rule == b.Rule && a.OperationID == b.OperationID && a.Reason == b.Reason &&
		slices.Equal(a.DryRunMatches, b.DryRunMatches)
}

// record stores a decision that differs from the previous one.
func (e *Evaluator) record(ctx context.Context, previous, rec decision.Record) error {
	if same(previous, rec) {
		return nil
	}
	rec.At = e.c.Now()
	e.c.Log.InfoContext(ctx, "protection decided", "resource", rec.ResourceID, "outcome", rec.Outcome, "rule", rec.Rule, "op", rec.OperationID, "source", rec.Source)
	return e.c.Records.SaveDecision(ctx, rec)
}

// start starts the operation that protects a resource, unless the resource is
// excluded. It returns the resulting decision. retry is part of the request's
// key; it is empty for the first attempt.
func (e *Evaluator) start(ctx context.Context, r Rule, res Resource, retry string, rec decision.Record, t trigger) (decision.Record, error) {
	x, excluded, err := e.exclusion(ctx, res)
	if err != nil {
		return rec, err
	}
	if excluded {
		return excludedBy(x, rec), nil
	}
	var conflict *engine.KeyConflict
	var invalid *step.Invalid
	req, err := r.request(res, r.requestKey(res, retry))
	if errors.As(err, &invalid) {
		return rejectedBy(invalid, rec), nil
	}
	if err != nil {
		return rec, err
	}
	req.Labels = map[string]string{labelRule: r.Name, labelSource: t.source}
	op, _, err := e.c.Engine.Start(ctx, req, engine.Origin{
		TraceParent: t.trace, Cause: operation.Cause{Actor: operation.Actor{Kind: operation.ActorRule, ID: r.Name}},
	})
	switch {
	case errors.As(err, &conflict):
		// The operation was started before the rule was changed. The decision
		// reports it, because the new parameters have no effect.
		rec.OperationID = conflict.ID
		rec.Reason = "operation " + conflict.ID + " has other parameters than the rule has now; the rule starts nothing for this resource"
		e.c.Log.WarnContext(ctx, "protection started with other parameters", "resource", rec.ResourceID, "rule", r.Name, "op", conflict.ID)
	case errors.As(err, &invalid):
		return rejectedBy(invalid, rec), nil
	case err != nil:
		return rec, err
	default:
		rec.OperationID = op.ID
	}
	return rec, nil
}

// rejectedBy returns the decision about a resource for which no request is valid.
func rejectedBy(invalid *step.Invalid, rec decision.Record) decision.Record {
	rec.Outcome, rec.OperationID, rec.Reason = string(Rejected), "", invalid.Error()
	return rec
}

// exclusion returns the exclusion of a resource and whether there is one. One that
// cannot be read counts: a user ended the protection. One of an earlier resource of
// the same name does not.
func (e *Evaluator) exclusion(ctx context.Context, res Resource) (x decision.Exclusion, excluded bool, err error) {
	resourceID := res.protectedID()
	x, excluded, err = e.c.Records.LoadExclusion(ctx, resourceID)
	if operation.IsUnreadable(err) {
		e.c.Log.ErrorContext(ctx, "exclusion unreadable, resource stays excluded", "resource", resourceID, "error", err)
		return decision.Exclusion{ResourceID: resourceID}, true, nil
	}
	return x, excluded && !x.Outdated(res.Created), err
}

// excludedBy returns the decision about a resource whose protection a user
// ended.
func excludedBy(x decision.Exclusion, rec decision.Record) decision.Record {
	rec.Outcome, rec.OperationID = string(Excluded), x.OperationID
	rec.Reason = "operation " + x.OperationID + " ended the protection on request of a user"
	if x.OperationID == "" {
		rec.Reason = "a user ended the protection; the record of it cannot be read"
	}
	return rec
}
