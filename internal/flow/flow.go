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
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Azure is what the flows call, and what they may do.
type Azure struct {
	ARM *arm.Client
	// RecoveryServices and DataProtection call through ARM.
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
	// Now is only used to refuse times that have passed.
	Now func() time.Time
	// ClockSkew is how wrong the comparison of Azure's clock with ours may be
	// after Date was taken into account: a claim may have been made by another
	// instance. A job that began so shortly before a request may be anyone's.
	ClockSkew time.Duration
	// Permit is what the configuration allows beyond the harmless.
	Permit Permit
	// Jobs lets operations that wait for jobs of one vault read them together;
	// nil reads each alone.
	Jobs *jobcache.Board
	// Exclude records that a resource is not to be protected automatically.
	Exclude func(ctx context.Context, resourceID, operationID string, at time.Time) error
	// Include forgets that.
	Include func(ctx context.Context, resourceID string) error
}

const defaultClockSkew = 30 * time.Second

// New makes the flows' view of Azure over one ARM client. What needs an
// operator's permission stays forbidden until Permit is set.
func New(client *arm.Client, now func() time.Time) Azure {
	return Azure{
		ARM: client, RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client), Now: now,
		ClockSkew: defaultClockSkew,
		Exclude:   func(context.Context, string, string, time.Time) error { return nil },
		Include:   func(context.Context, string) error { return nil },
	}
}

// Book binds every published version of every flow.
func (a Azure) Book() (*step.Book, error) {
	return step.NewBook(
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
func accepted(s arm.Submission, note string) operation.Outcome {
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
