// Package step is the contract between the flows, which know what Azure Backup
// can do, and the engine, which knows how to run one step without losing it or
// doing it twice. Neither knows the other.
package step

import (
	"context"
	"encoding/json"
	"fmt"
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

// Call is what a step is given: the operation as it stands, and the time.
type Call struct {
	Operation operation.Operation
	Now       time.Time
	// AttemptID goes to Azure as x-ms-client-request-id. For a Once step it is
	// the claim's: the job that the call starts carries it as its activityId.
	AttemptID string
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
	Look func(context.Context, Call) (operation.Finding, error)
	// Awaits says that the step follows what an earlier step began: a rehearsal,
	// which begins nothing, has nothing to read there. Ends says that the
	// operation ends with what is awaited.
	Awaits, Ends bool
}

// Unsent is a call that a rehearsal did not make, because it would have changed
// something.
type Unsent struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  string          `json:"query,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
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

// Book holds the flows that a program knows: every published version of each.
type Book struct {
	flows []Flow
}

// NewBook checks the flows and binds them into a book. A Once step without a
// Look is refused: nobody could tell what became of it.
func NewBook(flows ...Flow) (*Book, error) {
	for i, f := range flows {
		if len(f.Steps) == 0 {
			return nil, fmt.Errorf("flow %s version %d has no steps", f.Name, f.Version)
		}
		seen := map[string]bool{}
		for _, s := range f.Steps {
			if seen[s.Name] {
				return nil, fmt.Errorf("flow %s version %d has two steps named %s", f.Name, f.Version, s.Name)
			}
			seen[s.Name] = true
			if _, ok := f.Step(s.OnCancel); s.OnCancel != "" && !ok {
				return nil, fmt.Errorf("flow %s version %d: step %s goes to %s on cancel, which is no step", f.Name, f.Version, s.Name, s.OnCancel)
			}
			if s.Effect == Once && s.Look == nil {
				return nil, fmt.Errorf("flow %s version %d: step %s must not happen twice, so it needs a Look", f.Name, f.Version, s.Name)
			}
		}
		for _, other := range flows[:i] {
			if other.Name == f.Name && other.Version == f.Version {
				return nil, fmt.Errorf("flow %s version %d is defined twice", f.Name, f.Version)
			}
		}
	}
	return &Book{flows: flows}, nil
}

// Find gives one version of a flow.
func (b *Book) Find(name string, version int) (Flow, bool) {
	for _, f := range b.flows {
		if f.Name == name && f.Version == version {
			return f, true
		}
	}
	return Flow{}, false
}

// Newest gives the flow that a new request starts.
func (b *Book) Newest(name string) (newest Flow, ok bool) {
	for _, f := range b.flows {
		if f.Name == name && (!ok || f.Version > newest.Version) {
			newest, ok = f, true
		}
	}
	return newest, ok
}

// Names lists the flows that can be started, in the order they were given.
func (b *Book) Names() []string {
	var names []string
	for _, f := range b.flows {
		if newest, _ := b.Newest(f.Name); newest.Version == f.Version {
			names = append(names, f.Name)
		}
	}
	return names
}
