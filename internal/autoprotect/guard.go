package autoprotect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// Records keep what was decided, and what people decided.
type Records interface {
	Excluded(ctx context.Context, resourceID string) (x state.Exclusion, found bool, err error)
	RecordVerdict(ctx context.Context, v state.Verdict) error
	// Verdict reads the last verdict; state.ErrNoVerdict if there is none.
	Verdict(ctx context.Context, resourceID string) (state.Verdict, error)
	// Load reads an operation; engine.ErrNotFound if there is none.
	Load(ctx context.Context, id string) (engine.Row, error)
}

// Starter creates operations.
type Starter interface {
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
}

// Guard protects what rules say. All fields are needed but Broken.
type Guard struct {
	Rules []Rule
	// Broken is why there are no rules although there is a file: nothing is
	// decided then, and events are to come again.
	Broken      error
	Datasources *datasource.Client
	Vaults      Vaults
	Records     Records
	Engine      Starter
	Tenant      string
	Now         func() time.Time
	// Sleep waits until a quota has room; it ends early with the context's error.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// atOnce bounds how many resources are worked on at the same time.
const atOnce = 8

// Sources of verdicts.
const (
	sourceEvent = "event"
	sourceSweep = "sweep"
)

// Event handles one event: it reads what the event is about from Azure, decides
// by the rules, starts what they say and records the verdict. The same event
// may come many times. The error is a *step.Invalid for what is no event; after
// any other the event must come again.
func (g Guard) Event(ctx context.Context, raw []byte, trace string) error {
	if g.Broken != nil {
		return fmt.Errorf("the rules cannot be read, so nothing is decided: %w", g.Broken)
	}
	event, err := ReadEvent(raw)
	if err != nil {
		return err
	}
	log := g.Log.With("event", event.ID)
	subject, ok := subjectOf(event.ResourceID)
	switch {
	case event.Type != resourceWritten:
		log.InfoContext(ctx, "an event of another type is passed over", "type", shortened(event.Type))
		return nil
	case !ok:
		log.DebugContext(ctx, "an event about a resource that no rule is for is passed over", "resource", event.ResourceID)
		return nil
	case len(g.Rules) == 0:
		return nil
	}
	resources, err := g.read(ctx, subject)
	if gone(err) {
		log.InfoContext(ctx, "the resource of an event is gone already", "resource", subject.id)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", subject.id, err)
	}
	if len(resources) == 0 {
		return g.withoutShares(ctx, subject.account, event.ID)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, res := range resources {
		group.Go(func() error {
			return g.consider(ctx, res, occasion{source: sourceEvent, eventID: event.ID, trace: trace})
		})
	}
	return group.Wait()
}

// withoutShares records that a storage account was looked at, and had nothing
// to protect.
func (g Guard) withoutShares(ctx context.Context, account, eventID string) error {
	before, err := g.Records.Verdict(ctx, account)
	if err != nil && !errors.Is(err, state.ErrNoVerdict) {
		return err
	}
	return g.record(ctx, before, state.Verdict{
		ResourceID: account, Outcome: string(None), Reason: "it has no file shares yet", Source: sourceEvent, EventID: eventID,
	})
}

func shortened(text string) string { return text[:min(len(text), 200)] }

func gone(err error) bool {
	var azure *operation.Error
	return errors.As(err, &azure) && azure.HTTPStatus == http.StatusNotFound
}

// read reads what a subject is about: a server, one share, or all shares of a
// storage account.
func (g Guard) read(ctx context.Context, s subject) ([]Resource, error) {
	if s.kind == PostgresFlexibleServer {
		server, err := g.Datasources.GetFlexibleServer(ctx, s.id)
		return []Resource{base(s.kind, server)}, err
	}
	found, err := g.Datasources.GetStorageAccount(ctx, s.account)
	if err != nil {
		return nil, err
	}
	account := base(s.kind, found)
	if s.share != "" {
		return []Resource{account.withShare(s.share)}, nil
	}
	names, err := g.Datasources.ListFileShares(ctx, found.ID)
	if err != nil {
		return nil, err
	}
	resources := make([]Resource, len(names))
	for i, name := range names {
		resources[i] = account.withShare(name)
	}
	return resources, nil
}

// occasion is why a resource is looked at.
type occasion struct{ source, eventID, trace string }

// consider decides about one resource. What was decided before, and is decided
// so again, costs one read and changes nothing: a storage account's hundredth
// update starts nothing.
func (g Guard) consider(ctx context.Context, res Resource, why occasion) error {
	d := Decide(g.Rules, res)
	before, err := g.Records.Verdict(ctx, res.ID)
	if err != nil && !errors.Is(err, state.ErrNoVerdict) {
		return err
	}
	v := state.Verdict{
		ResourceID: res.ID, Outcome: string(d.Outcome), Reason: d.Reason, WouldBe: d.WouldBe, Source: why.source, EventID: why.eventID,
		Created: res.Created,
	}
	if d.Rule != nil {
		v.Rule = d.Rule.Name
	}
	if d.Outcome == Protect {
		if started(before, v) {
			if before.Outcome == string(Lost) {
				v.Outcome, v.Reason = before.Outcome, before.Reason
			}
			v.OperationID = before.OperationID
			return g.record(ctx, before, v)
		}
		if v, err = g.start(ctx, *d.Rule, res, "", v, why); err != nil {
			return err
		}
	}
	return g.record(ctx, before, v)
}

// started reports whether a verdict says that the rule of another one has
// started an operation for the same resource.
func started(before, v state.Verdict) bool {
	return (before.Outcome == string(Protect) || before.Outcome == string(Lost)) &&
		before.Rule == v.Rule && before.OperationID != "" && before.Created.Equal(v.Created)
}

// same reports whether two verdicts say the same.
func same(a, b state.Verdict) bool {
	return a.Outcome == b.Outcome && a.Rule == b.Rule && a.OperationID == b.OperationID && a.Reason == b.Reason &&
		strings.Join(a.WouldBe, "\n") == strings.Join(b.WouldBe, "\n")
}

// record writes a verdict that says something new.
func (g Guard) record(ctx context.Context, before, v state.Verdict) error {
	if same(before, v) {
		return nil
	}
	v.At = g.Now()
	g.Log.InfoContext(ctx, "verdict of automatic protection", "resource", v.ResourceID, "outcome", v.Outcome, "rule", v.Rule, "op", v.OperationID, "source", v.Source)
	return g.Records.RecordVerdict(ctx, v)
}

// start starts what a rule says, unless a person has excluded the resource, and
// gives the verdict that comes of it.
func (g Guard) start(ctx context.Context, r Rule, res Resource, again string, v state.Verdict, why occasion) (state.Verdict, error) {
	x, excluded, err := g.Records.Excluded(ctx, res.ID)
	if err != nil {
		return v, err
	}
	if excluded {
		return excludedBy(x, v), nil
	}
	req, err := r.request(res, g.key(r, res, again))
	if err != nil {
		return v, err
	}
	req.Labels = map[string]string{labelRule: r.Name, labelSource: why.source}
	op, _, err := g.Engine.Start(ctx, req, engine.Origin{Trace: why.trace})
	var conflict *engine.KeyConflict
	var invalid *step.Invalid
	switch {
	case errors.As(err, &conflict):
		// Started before the rule was changed.
		v.OperationID = conflict.ID
	case errors.As(err, &invalid):
		v.Outcome, v.OperationID, v.Reason = string(Refused), "", invalid.Error()
	case err != nil:
		return v, err
	default:
		v.OperationID = op.ID
	}
	return v, nil
}

// excludedBy is the verdict about a resource whose protection a person has
// ended.
func excludedBy(x state.Exclusion, v state.Verdict) state.Verdict {
	v.Outcome, v.OperationID = string(Excluded), x.OperationID
	v.Reason = "its protection was ended on purpose, by operation " + x.OperationID
	return v
}

// key is the same for the same resource, as long as it exists, under the same
// rule: an update changes nothing in it. again tells a later attempt apart.
func (g Guard) key(r Rule, res Resource, again string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(res.ID)))
	created := "unknown"
	if !res.Created.IsZero() {
		created = res.Created.UTC().Format("20060102T150405Z")
	}
	key := "protect:" + hex.EncodeToString(sum[:12]) + ":" + r.Name + ":" + created
	if again != "" {
		key += ":" + again
	}
	return key
}

// operationID is the id of the operation that a rule starts for a resource.
func (g Guard) operationID(r Rule, res Resource, again string) string {
	flow := "protect-file-share"
	if res.Kind == PostgresFlexibleServer {
		flow = "protect-postgres"
	}
	return operation.ID(g.Tenant, flow, g.key(r, res, again))
}
