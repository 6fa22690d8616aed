// Package step is the contract between the flows, which know what Azure Backup
// can do, and the engine, which knows how to run one step without losing it or
// doing it twice. Neither knows the other.
package step

import (
	"context"
	"encoding/json"
	"time"

	"azbackupflow/internal/operation"
)

// Effect says what happens when a step's call is made twice.
type Effect string

// The effects.
const (
	// Read changes nothing.
	Read Effect = "Read"
	// Idempotent: a second call leaves things as the first did, such as a PUT.
	Idempotent Effect = "Idempotent"
	// Repeatable: a second call does the same work again and does no harm,
	// such as refreshing containers.
	Repeatable Effect = "Repeatable"
	// Once: a second call does harm, such as a second backup. Such a step
	// needs a Look.
	Once Effect = "Once"
)

// Call is the input of a step.
type Call struct {
	// Operation is the operation as it stands.
	Operation operation.Operation
	Now       time.Time
	// AttemptID is sent to Azure as x-ms-client-request-id. For a Once step it is
	// the claim's: the job that the call starts has it as its activityId.
	AttemptID string
	// Priority orders the step's calls where Azure's rate limits defer some;
	// zero means operation.PriorityOther.
	Priority operation.Priority
	// Recorder receives the exchanges of the step's calls; nil discards them.
	Recorder *Recorder
	// DryRun is set in a dry run. The step must then make calls that write only
	// through a client that adds them to DryRun instead, and must not change
	// anything else.
	DryRun *DryRun
}

// Step is one ARM call of a flow, and what its answer means.
type Step struct {
	Name   string
	Effect Effect
	// Run makes the call. An error that is an *operation.Error is handled by
	// its class; any other counts as Transient with an unknown effect.
	Run func(context.Context, Call) (operation.Outcome, error)
	// OnCancel names the step to go to when a cancel was requested: one that
	// cancels what Azure has begun. Empty ends the operation at once; the
	// step's own name goes on with it first.
	OnCancel string
	// Look finds out what became of a Once call that was never answered. It
	// only reads.
	Reconcile func(context.Context, Call) (operation.Reconciliation, error)
	// Awaits says that the step follows what an earlier step began: a rehearsal,
	// which begins nothing, has nothing to read there. Ends says that the
	// operation ends with what is awaited.
	AwaitsResult, FinishesOperation bool
	// Calls names the API operations that Run and Reconcile call, as the
	// providers' API descriptions name them; polls of URLs that Azure returned
	// are not listed. The custom roles follow from them.
	Calls []string
	// Asks and Then document the step: what it asks Azure, and what follows from
	// the answer where that is not the next step.
	Asks, Then string
}

// Flow is what one kind of operation does, as a short list of steps.
type Flow struct {
	Name    string
	Version int
	// Summary says in one line what the flow does.
	Summary string
	// Guarded says that the flow deletes backups or writes their data somewhere:
	// callers need a permission of its own.
	Guarded bool
	// Deadline is how long an operation may take when the request names no
	// deadline.
	Deadline time.Duration
	// Priority says which operations go first where Azure's quotas have no
	// room for all; zero means operation.PriorityOther.
	Priority operation.Priority
	// Check reads a request's parameters, refuses what is wrong with a
	// *Invalid that names the fields, and returns them normalised; beside an
	// *Invalid too, where they could be read: a request that was right when it
	// was first made is known again by them.
	Check func(json.RawMessage) (json.RawMessage, error)
	// Item gives the protected item that an operation changes, in one spelling
	// however its request named it. It is asked before the first step that is
	// not a Read; from then on no other operation changes the item until this
	// one ends. Nil, or an empty item, is for what changes none.
	Item  func(operation.Operation) string
	Steps []Step
}

// Plan lists the flow's steps by name.
func (f Flow) Plan() operation.Plan {
	plan := make(operation.Plan, len(f.Steps))
	for i, s := range f.Steps {
		plan[i] = s.Name
	}
	return plan
}

// Step finds a step by name.
func (f Flow) Step(name string) (Step, bool) {
	for _, s := range f.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return Step{}, false
}
