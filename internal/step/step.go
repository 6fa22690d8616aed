// Package step is the contract between the flows, which know what Azure Backup
// can do, and the engine, which runs each step crash-consistently. It may not
// know any flow, the engine, storage or ARM: it imports only the record of an
// operation.
package step

import (
	"context"
	"encoding/json"
	"time"

	"azbackupflow/internal/operation"
)

// Effect classifies a step's call by the effect of a second identical call.
type Effect string

// The effects.
const (
	// Read changes nothing.
	Read Effect = "Read"
	// Idempotent: a second call has no further effect, such as a PUT.
	Idempotent Effect = "Idempotent"
	// Repeatable: a second call repeats the work without harm, such as
	// refreshing containers.
	Repeatable Effect = "Repeatable"
	// Once: a second call does harm, such as a second backup. The step needs a
	// Reconcile.
	Once Effect = "Once"
)

// Call is the input of a step.
type Call struct {
	// Operation is the operation as last saved.
	Operation operation.Operation
	Now       time.Time
	// AttemptID is sent to Azure as x-ms-client-request-id. For a Once step it is
	// the claim's: the job that the call starts has it as its activityId.
	AttemptID string
	// Priority orders the step's calls while Azure's rate limits defer some.
	// Zero means operation.PriorityOther.
	Priority operation.Priority
	// Recorder records the exchanges of the step's calls. Nil discards them.
	Recorder *Recorder
	// DryRun is set in a dry run. The step then makes write calls only through a
	// client that adds them to DryRun, and changes nothing else.
	DryRun *DryRun
}

// Step is one ARM call of a flow and the interpretation of its answer.
type Step struct {
	Name   string
	Effect Effect
	// Run makes the call. An *operation.Error is handled by its class. Any other
	// error is treated as transient and ambiguous.
	Run func(context.Context, Call) (operation.Outcome, error)
	// OnCancel names the step that follows a cancel request, which cancels the
	// work that Azure has begun. Empty ends the operation at once. The step's
	// own name runs the step before the cancel is honored.
	OnCancel string
	// OnFailure names a later step that runs before the operation ends as Failed,
	// Canceled or TimedOut at this step, such as a clean-up. That step learns why
	// from Operation.Failures, and the flow decides how the operation ends. A cancel
	// request is not honored again at that step or after it: each has its own name
	// as OnCancel. Empty ends the operation.
	OnFailure string
	// Reconcile finds out whether a Once call that was not answered took effect.
	// It only reads.
	Reconcile func(context.Context, Call) (operation.Reconciliation, error)
	// AwaitsResult means that the step follows work that an earlier step began.
	// A dry run begins no work, so it skips the step. FinishesOperation means
	// that the operation ends with that work.
	AwaitsResult, FinishesOperation bool
	// Runs reports whether an operation can take the step, by its parameters and
	// whether it is being canceled. Nil means that only Azure's answers decide. It
	// serves only to tell users how many steps there can be.
	Runs func(operation.Operation) bool
	// Calls names the API operations that Run and Reconcile call, in the words
	// of the providers' API descriptions. Polls of URLs that Azure returned are
	// not listed. The custom roles are computed from them.
	Calls []string
	// Asks and Then document the step: its question to Azure, and what follows
	// the answer if that is not the next step.
	Asks, Then string
}

// Flow describes one kind of operation as a short list of steps.
type Flow struct {
	Name    string
	Version int
	// Summary describes the flow in one line.
	Summary string
	// Guarded means that the flow deletes backups or restores their data.
	// Callers need a permission of its own.
	Guarded bool
	// GuardedFor reports whether the parameters of a request make it a guarded one.
	// Nil means that Guarded alone decides.
	GuardedFor func(context.Context, json.RawMessage) (bool, error)
	// Deadline is the time limit of an operation whose request has none.
	Deadline time.Duration
	// CleanUpTime is how long an operation has from a failure on, for each step that
	// an OnFailure names.
	CleanUpTime time.Duration
	// Priority orders the operations while Azure's quotas have no room for all.
	// Zero means operation.PriorityOther.
	Priority operation.Priority
	// Check validates a request's parameters and returns them normalized. An
	// *Invalid names the wrong fields. If the parameters can be decoded, Check
	// returns them normalized even with an *Invalid, because a repeated request
	// that was valid at first is recognized by them.
	Check func(json.RawMessage) (json.RawMessage, error)
	// Item returns the protected item that an operation changes, in one
	// spelling for all its names. The engine calls it before the first step
	// that is not a Read. From then on no other operation changes the item
	// until this one ends. Nil, or an empty item, means that the operation
	// changes no item.
	Item func(operation.Operation) string
	// Lock returns what else than the Item an operation must use alone: the engine
	// locks it in place of the Item. Nil means the Item.
	Lock  func(operation.Operation) string
	Steps []Step
}

// Plan returns the names of the flow's steps in order.
func (f Flow) Plan() operation.Plan {
	plan := make(operation.Plan, len(f.Steps))
	for i, s := range f.Steps {
		plan[i] = s.Name
	}
	return plan
}

// StepsOf returns the names of the steps that the operation can take, in order.
// Azure's answers decide which of them it takes.
func (f Flow) StepsOf(op operation.Operation) []string {
	var names []string
	for _, s := range f.Steps {
		if s.Runs == nil || s.Runs(op) || s.Name == op.Step {
			names = append(names, s.Name)
		}
	}
	return names
}

// Step returns the step with the given name.
func (f Flow) Step(name string) (Step, bool) {
	for _, s := range f.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return Step{}, false
}
