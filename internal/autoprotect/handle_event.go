package autoprotect

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/parallel"
)

// maxParallel bounds how many resources are handled at the same time.
const maxParallel = 8

// maxLoggedBytes bounds the text of an event that is logged.
const maxLoggedBytes = 200

// HandleEvent handles one event. It reads the resource from Azure, evaluates the
// rules, starts the operation that protects the resource, and records the
// decision. If one share of an account fails, the others continue. It is idempotent: an event may be delivered many times. The error is
// a *step.Invalid if the payload is not an event; after any other error the
// event must be redelivered.
func (e *Evaluator) HandleEvent(ctx context.Context, raw []byte, trace string) error {
	if e.c.RulesErr != nil {
		return fmt.Errorf("protection rules cannot be parsed, event not handled: %w", e.c.RulesErr)
	}
	event, err := ParseEvent(raw)
	if err != nil {
		return err
	}
	log := e.c.Log.With("event", event.ID)
	t, ok := parseTarget(event.ResourceID)
	switch {
	case event.Type != resourceWritten:
		log.InfoContext(ctx, "event ignored: type is not handled", "type", event.Type[:min(len(event.Type), maxLoggedBytes)])
		return nil
	case !ok:
		log.DebugContext(ctx, "event ignored: resource type cannot be protected", "resource", event.ResourceID)
		return nil
	}
	t, ok = t.of(e.c.Rules)
	if !ok {
		return nil
	}
	resources, err := read(ctx, e.c.Datasources, t)
	if azerr.IsNotFound(err) {
		log.InfoContext(ctx, "event ignored: resource was deleted", "resource", t.id)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", t.id, err)
	}
	if len(resources) == 0 && t.kinds[0].shares {
		return e.recordEmptyAccount(ctx, t.id, event.ID)
	}
	group := parallel.New()
	group.SetLimit(maxParallel)
	failures := make([]error, len(resources))
	for i, res := range resources {
		group.Go(func() error {
			failures[i] = e.decide(ctx, res, trigger{source: sourceEvent, eventID: event.ID, trace: trace})
			return nil
		})
	}
	return errors.Join(append(failures, group.Wait())...) // Wait returns the error of a panic
}

// recordEmptyAccount records that a storage account has no share to protect.
func (e *Evaluator) recordEmptyAccount(ctx context.Context, account, eventID string) error {
	previous, err := e.previous(ctx, account)
	if err != nil {
		return err
	}
	return e.record(ctx, previous, decision.Record{
		ResourceID: account, Outcome: string(None), Reason: "the storage account has no file shares yet", Source: sourceEvent, EventID: eventID,
	})
}

// read returns the target's resources from Azure: a resource, one share, or all
// shares of a storage account.
func read(ctx context.Context, azure *datasource.Client, t target) ([]Resource, error) {
	source, err := azure.Get(ctx, t.id)
	if err != nil {
		return nil, err
	}
	var resources []Resource
	for _, e := range t.kinds {
		res := t.resource(e.kind, source)
		res.Read = true
		switch {
		case e.accepts != nil && !e.accepts(source):
		case e.shares && t.share == "":
			names, err := azure.ListFileShares(ctx, source.ID)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				resources = append(resources, res.withShare(name))
			}
		default:
			resources = append(resources, res)
		}
	}
	return resources, nil
}
