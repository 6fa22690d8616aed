package operation

import (
	"fmt"
	"strings"
)

// Status is the status of an operation. Azure's own words are used where Azure
// has one.
type Status string

// The statuses. Succeeded, SucceededWithWarnings, Failed, Canceled and
// TimedOut are terminal. Parked waits for an operator.
const (
	Pending               Status = "Pending"
	Running               Status = "Running"
	Parked                Status = "Parked"
	Succeeded             Status = "Succeeded"
	SucceededWithWarnings Status = "SucceededWithWarnings"
	Failed                Status = "Failed"
	Canceled              Status = "Canceled"
	TimedOut              Status = "TimedOut"
)

// Statuses lists every status, live ones first.
func Statuses() []Status {
	return []Status{Pending, Running, Parked, Succeeded, SucceededWithWarnings, Failed, Canceled, TimedOut}
}

// Terminal reports whether the operation has ended: nothing happens to it unless
// an operator retries it.
func (s Status) Terminal() bool {
	switch s {
	case Succeeded, SucceededWithWarnings, Failed, Canceled, TimedOut:
		return true
	case Pending, Running, Parked:
	}
	return false
}

// Successful reports whether the operation did what was requested.
func (s Status) Successful() bool { return s == Succeeded || s == SucceededWithWarnings }

// Trigger moves an operation from one status to another.
type Trigger string

// The triggers.
const (
	StepAnswered     Trigger = "a step was answered"
	LastStepDone     Trigger = "the last step is done"
	DoneWithWarnings Trigger = "the last step is done with warnings"
	FailedForGood    Trigger = "an error that is not retried"
	CancelHonored    Trigger = "cancel was requested"
	DeadlinePassed   Trigger = "the deadline passed"
	NeedsAttention   Trigger = "ambiguous result, panic, or five rescues without progress"
	Retried          Trigger = "an operator retried it"
	Corrected        Trigger = "a corrected request arrived before anything was changed"
	CleanUpBegan     Trigger = "an error, a cancel request or the deadline, in a flow that cleans up"
)

// Transition is one arrow of the state machine.
type Transition struct {
	From    Status
	Trigger Trigger
	To      Status
}

// Transitions returns the whole state machine. Nothing else changes a status:
// every transition in this package goes through move, which uses this table.
func Transitions() []Transition {
	return []Transition{
		{Pending, StepAnswered, Running},
		{Pending, LastStepDone, Succeeded},
		{Pending, DoneWithWarnings, SucceededWithWarnings},
		{Pending, FailedForGood, Failed},
		{Pending, CancelHonored, Canceled},
		{Pending, DeadlinePassed, TimedOut},
		{Pending, NeedsAttention, Parked},
		{Pending, CleanUpBegan, Running},
		{Running, StepAnswered, Running},
		{Running, LastStepDone, Succeeded},
		{Running, DoneWithWarnings, SucceededWithWarnings},
		{Running, FailedForGood, Failed},
		{Running, CancelHonored, Canceled},
		{Running, DeadlinePassed, TimedOut},
		{Running, NeedsAttention, Parked},
		{Running, CleanUpBegan, Running},
		{Parked, CancelHonored, Canceled},
		{Parked, CleanUpBegan, Running},
		{Parked, Retried, Running},
		{Failed, Retried, Running},
		{TimedOut, Retried, Running},
		{Failed, Corrected, Pending},
		{TimedOut, Corrected, Pending},
	}
}

// To returns the status that the trigger leads to. A pair that the table does
// not hold is a bug of the caller and returns an error.
func (s Status) To(trigger Trigger) (Status, error) {
	for _, t := range Transitions() {
		if t.From == s && t.Trigger == trigger {
			return t.To, nil
		}
	}
	return s, fmt.Errorf("no transition: trigger %q does not apply to status %s", trigger, s)
}

// Mermaid returns the state machine as a Mermaid diagram for
// docs/state-machine.md.
func Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> Pending: request accepted\n")
	for _, t := range Transitions() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", t.From, t.To, t.Trigger)
	}
	for _, s := range Statuses() {
		if s.Successful() || s == Canceled {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	return b.String()
}
