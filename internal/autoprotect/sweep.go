package autoprotect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// listDelay is how long after an operation ended the vault's list is trusted.
// Azure updates the list with a delay.
const listDelay = time.Hour

// Sweep finds resources that the rules protect but no vault protects yet: file
// shares created over the data plane, which raises no event, resources whose
// event was lost, and resources that lost their protection. It lists what the
// vaults protect and what exists in the subscriptions of the rules and vaults.
// If a part cannot be read, it continues with the rest and returns the errors.
func (e *Evaluator) Sweep(ctx context.Context) error {
	if e.c.RulesErr != nil {
		return fmt.Errorf("protection rules cannot be parsed, sweep skipped: %w", e.c.RulesErr)
	}
	s := &sweep{Evaluator: e, deadline: e.c.Now().Add(maxSweepTime)}
	for _, kind := range rotated(e.c.Now(), usedKinds(e.c.Rules)) {
		if kind.workload != "" {
			s.sweepDatabases(ctx, kind)
		} else {
			s.sweepKind(ctx, kind)
		}
	}
	if s.expired() {
		e.c.Log.WarnContext(ctx, "resource sweep ran out of time; the next sweep starts elsewhere")
	}
	return s.err()
}

// sweepKind evaluates the resources of one kind that a rule may protect.
func (s *sweep) sweepKind(ctx context.Context, kind entry) {
	evaluate := (*Evaluator).sweepResource
	if kind.shares {
		evaluate = (*Evaluator).sweepShares
	}
	vaults, subscriptions := vaultsAndSubscriptions(s.c.Rules, kind.kind)
	var protected map[string]bool
	known := s.try(ctx, func(ctx context.Context, e *Evaluator) (err error) {
		protected, err = e.c.Vaults.protectedByAny(ctx, kind, vaults)
		return err
	})
	if !known {
		return
	}
	for _, subscription := range rotated(s.c.Now(), subscriptions) {
		var found []datasource.Resource
		s.try(ctx, func(ctx context.Context, e *Evaluator) (err error) {
			found, err = e.c.Datasources.List(ctx, subscription, kind.source)
			return err
		})
		var resources []Resource
		for _, r := range found {
			if kind.accepts != nil && !kind.accepts(r) {
				continue
			}
			if res := newResource(kind.kind, r); mayProtect(s.c.Rules, res) {
				resources = append(resources, res)
			}
		}
		sweepEach(ctx, s, rotated(s.c.Now(), resources), func(ctx context.Context, e *Evaluator, res Resource) error {
			return evaluate(e, ctx, res, protected)
		})
	}
}

// sweepShares evaluates the file shares of a storage account.
func (e *Evaluator) sweepShares(ctx context.Context, account Resource, protected map[string]bool) error {
	names, err := e.c.Datasources.ListFileShares(ctx, account.SourceID)
	if azerr.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range names {
		failures = append(failures, e.sweepResource(ctx, account.withShare(name), protected))
	}
	return errors.Join(failures...)
}

// rotated returns the list starting at another element each hour, so that
// sweeps that run out of time reach every element in the end.
func rotated[T any](now time.Time, all []T) []T {
	if len(all) == 0 {
		return nil
	}
	hours := now.Unix() / int64(time.Hour/time.Second)
	n := int(hours * 7919 % int64(len(all)))
	return slices.Concat(all[n:], all[:n])
}

// sweepResource evaluates a resource that may be unprotected.
func (e *Evaluator) sweepResource(ctx context.Context, res Resource, protected map[string]bool) error {
	d := Decide(e.c.Rules, res)
	switch {
	case protected[strings.ToLower(res.protectedID())]:
		return nil
	case d.Outcome != Protect && len(d.DryRunMatches) == 0:
		return nil
	case d.Outcome != Protect:
		return e.decide(ctx, res, trigger{source: sourceSweep}) // records what a dry run would do
	}
	previous, err := e.previous(ctx, res.ID)
	if err != nil {
		return err
	}
	rec := decision.Record{
		ResourceID: res.ID, Outcome: string(Protect), Rule: d.Rule.Name, Reason: d.Reason, DryRunMatches: d.DryRunMatches,
		OperationID: d.Rule.operationID(e.c.Tenant, res), Created: res.Created, Source: sourceSweep,
	}
	started := alreadyStarted(previous, rec)
	if started {
		rec.OperationID = previous.OperationID
	}
	x, excluded, err := e.exclusion(ctx, res)
	if err != nil {
		return err
	}
	if excluded {
		return e.record(ctx, previous, excludedBy(x, rec))
	}
	retry := ""
	row, err := e.c.Records.Load(ctx, rec.OperationID)
	switch op := row.Operation; {
	case errors.Is(err, engine.ErrNotFound) && !started:
	case errors.Is(err, engine.ErrNotFound):
		// The operation ended so long ago that retention has deleted it.
		return e.recordLost(ctx, previous, rec)
	case err != nil:
		return err
	case op.Status.Successful() && e.c.Now().Sub(op.EndedAt) < listDelay, !op.Status.Terminal(), op.Status == operation.Canceled:
		return nil
	case op.Status.Successful():
		return e.recordLost(ctx, previous, rec)
	default:
		// The operation failed or timed out. Retry it once a day.
		retry = e.c.Now().UTC().Format("20060102")
	}
	if rec, err = e.start(ctx, *d.Rule, res, retry, rec, trigger{source: sourceSweep}); err != nil {
		return err
	}
	return e.record(ctx, previous, rec)
}

// recordLost records that a resource lost its protection. It does not protect
// the resource again: someone may have ended the protection on purpose, by means
// that leave no record here.
func (e *Evaluator) recordLost(ctx context.Context, previous, rec decision.Record) error {
	rec.Outcome = string(Lost)
	rec.Reason = "the resource was protected but the vault no longer lists it; protect it again, or add a rule that excludes it"
	if !same(previous, rec) {
		e.c.Log.WarnContext(ctx, "resource lost its protection", "resource", rec.ResourceID, "rule", rec.Rule, "op", rec.OperationID)
	}
	return e.record(ctx, previous, rec)
}
