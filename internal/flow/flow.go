// Package flow holds what Azure Backup can do, one file per flow: its
// parameters with their checks, and its steps in order. A step is one ARM call
// and what its answer means; how steps are run is not known here.
//
// Steps of a published version never change: rows of operations in flight name
// them. testdata/steps.golden freezes the lists; a changed flow is a new
// version beside the old.
package flow

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/step"
)

// Config holds what the flows call and what they may do.
type Config struct {
	// ARM calls Azure Resource Manager. Without it flows can check parameters,
	// and not run.
	ARM *arm.Client
	// Now rejects times in the past.
	Now func() time.Time
	// ClockSkew is the maximum error of the comparison between Azure's clock and
	// ours; zero means DefaultClockSkew. A job that started less than this before
	// a request may belong to any request.
	ClockSkew time.Duration
	// Guardrails are what an operator allows: deletions and restore targets.
	Guardrails Guardrails
	// Jobs lets operations that wait for jobs of one vault share one list; nil
	// reads each job alone.
	Jobs *jobcache.Cache
	// Exclude keeps automatic protection away from a resource; nil does nothing.
	Exclude func(ctx context.Context, resourceID, operationID string, at time.Time) error
	// Include ends the exclusion; nil does nothing.
	Include func(ctx context.Context, resourceID string) error
}

// DefaultClockSkew is the maximum clock error after Azure's Date header was
// taken into account: another instance may have made the claim.
const DefaultClockSkew = 30 * time.Second

// azure holds what the steps call. Steps reach Azure only through a client that
// is bound to the step's call: client, recoveryServices and dataProtection.
type azure struct {
	Config // without ARM
	// unbound is Config.ARM.
	unbound binder
}

// binder is the part of *arm.Client that needs no step.
type binder interface {
	With(arm.CallOptions) *arm.Client
	AzureTime(ours time.Time) time.Time
}

// client returns a client whose calls have the step's priority and recorder. In
// a dry run it is read-only.
func (a azure) client(c step.Call) *arm.Client { return a.recordingClient(c, c.Recorder.Record) }

// recordingClient is client with a recorder of its own.
func (a azure) recordingClient(c step.Call, record func(operation.Exchange)) *arm.Client {
	return a.unbound.With(arm.CallOptions{
		Caller: ratelimit.Caller{Priority: c.Priority, Reservation: c.Operation.Reservation},
		Record: record, DryRun: c.DryRun,
	})
}

// recoveryServices returns a bound client; see client.
func (a azure) recoveryServices(c step.Call) *recoveryservices.Client {
	return recoveryservices.New(a.client(c))
}

// dataProtection returns a bound client; see client.
func (a azure) dataProtection(c step.Call) *dataprotection.Client {
	return dataprotection.New(a.client(c))
}

// New returns a registry of every version of every flow.
func New(cfg Config) (*Registry, error) {
	if cfg.Now == nil {
		return nil, errors.New("flows: Config.Now is missing; pass a clock such as time.Now")
	}
	if cfg.ClockSkew == 0 {
		cfg.ClockSkew = DefaultClockSkew
	}
	if cfg.Exclude == nil {
		cfg.Exclude = func(context.Context, string, string, time.Time) error { return nil }
	}
	if cfg.Include == nil {
		cfg.Include = func(context.Context, string) error { return nil }
	}
	a := azure{Config: cfg, unbound: cfg.ARM}
	a.ARM = nil
	return NewRegistry(
		a.protectFileShare(),
		a.backupNow(),
		a.protectPostgres(),
		a.restorePostgres(),
		a.stopProtection(),
		a.resumeProtection(),
		a.deleteProtection(),
		a.trackJob(),
	)
}

// next goes on with the following step at once.
func next(note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: note}
}

// skipTo goes on with the named step at once.
func skipTo(name, note string) operation.Outcome {
	return operation.Outcome{Kind: operation.Advance, Next: name, Pace: operation.PaceNow, Note: note}
}

// accepted goes on with the step that awaits what Azure has accepted, when
// Azure said to look.
func accepted(s lro.Submission, note string) operation.Outcome {
	out := operation.Outcome{Kind: operation.Advance, Tracking: &s.Tracking, After: s.RetryAfter, Note: note}
	if s.Done {
		out.Pace = operation.PaceNow
	}
	return out
}

// backTo asks an earlier step again, within the bounds of the error's class.
func backTo(name string, err *operation.Error) operation.Outcome {
	return operation.Outcome{Kind: operation.Back, Next: name, Err: err, Note: err.Message}
}

// learn adds a fact to an outcome.
func learn(out operation.Outcome, facts map[string]string) operation.Outcome {
	out.Learned = facts
	return out
}
