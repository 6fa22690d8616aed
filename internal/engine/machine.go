package engine

import (
	"fmt"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Env is everything that a Machine needs from outside, except for the results of
// its commands.
type Env struct {
	Now func() time.Time
	// Spread is Input.Spread.
	Spread func(due time.Time) time.Time
	// NewID returns an ID that was never used before.
	NewID func() string
	Waits operation.Waits
	// Broadcast reports that there is a receiver for the notices of all
	// operations.
	Broadcast bool
	Flow      func(name string, version int) (step.Flow, bool)
	// TraceParent is the W3C trace context for the messages that are sent.
	TraceParent string
}

// Machine handles one delivery of one message, from the first load to the
// acknowledgment. It does nothing itself. It is a plain value that turns the
// result of its last command into the next command, so that the model check
// explores the code that runs in production.
type Machine struct {
	Delivery operation.Delivery
	// Row is the operation as last loaded or saved.
	Row Row
	// Desired is the version that is being saved, Event its history line,
	// Reason the reason for the save.
	Desired operation.Operation
	Event   operation.Event
	Reason  saveReason
	// Phase is the purpose of the last command.
	Phase Phase
	// SaveRounds counts loads after failed saves. FailedLoads counts
	// consecutive loads for which storage was unavailable.
	SaveRounds, FailedLoads int
	// Broadcast is Env's. Attempted are the notices that this delivery tried to
	// send for the row's seq. Sent are the successful ones.
	Broadcast       bool
	Attempted, Sent []operation.Notice
	// Item is the protected item whose lock is requested. LockedItem is the one
	// whose lock this delivery acquired.
	Item, LockedItem string
	// TooLargeSaves counts saves that failed because they are too large.
	TooLargeSaves int
}

// saveReason is the reason for a save. It decides what follows the save.
type saveReason string

// The reasons.
const (
	reasonStep    saveReason = "step"    // the operation moved on: send the next message
	reasonClaim   saveReason = "claim"   // the call may be made now
	reasonRescue  saveReason = "rescue"  // the rescue is counted: continue
	reasonNotices saveReason = "notices" // notices were sent: finalize
)

// Phase is the state of a Machine between two commands.
type Phase string

// The phases.
const (
	loading     Phase = "loading"
	saving      Phase = "saving"
	verifying   Phase = "verifying" // loading the row after a save that failed or was not answered
	locking     Phase = "locking"   // acquiring the lock of the item that the step changes
	calling     Phase = "calling"
	reconciling Phase = "reconciling"
	sending     Phase = "sending"   // sending the message of a seq that this delivery saved
	waking      Phase = "waking"    // sending any other wake-up of the operation
	snoozing    Phase = "snoozing"  // sending a copy of this message for later
	notifying   Phase = "notifying" // sending a notice to other systems
	finalizing  Phase = "finalizing"
)

// Limits of one delivery.
const (
	maxSaveRounds  = 8 // saves that lost to other writers
	maxFailedLoads = 5 // consecutive loads without an answer, while an ARM answer is not saved
)

// NewMachine returns the machine for a delivery and its first command.
func NewMachine(d operation.Delivery) (Machine, Command) {
	return Machine{Delivery: d, Phase: loading}, Command{Action: Load}
}

// Next turns the result of the last command into the next command.
func (m Machine) Next(env Env, r Result) (Machine, Command) {
	m.Broadcast = env.Broadcast
	switch m.Phase {
	case loading:
		return m.loaded(env, r)
	case verifying:
		return m.verified(env, r)
	case saving:
		switch r.Storage {
		case OK:
		case TooLarge:
			return m.saveTooLarge(env, r)
		case NotFound, Conflict, Unavailable:
			return m.verify()
		}
		m.Row = Row{Operation: m.Desired, ETag: r.Row.ETag, Marker: m.Row.Marker}
		return m.saved(env)
	case locking:
		return m.locked(env, r)
	case calling:
		return m.called(env, r)
	case reconciling:
		return m.reconciled(env, r)
	case sending, waking, snoozing:
		if r.Storage != OK {
			return m.end(Abandon, fmt.Sprintf("%s: queue unavailable", m.Phase))
		}
		return m.end(Acknowledge, string(m.Phase))
	case notifying:
		return m.noticeSent(env, r)
	case finalizing:
		// If finalizing failed, the live marker still exists, and the sweep
		// finalizes the operation.
		return m.end(Acknowledge, "ended")
	}
	return m.end(Abandon, "unknown phase")
}

func (m Machine) loaded(env Env, r Result) (Machine, Command) {
	switch r.Storage {
	case OK:
		m.Row = r.Row
		return m.decide(env)
	case NotFound:
		return m.end(Acknowledge, "operation not found")
	case Conflict, Unavailable, TooLarge:
	}
	return m.snooze(env)
}

// decide applies the fence to the row.
func (m Machine) decide(env Env) (Machine, Command) {
	op := m.Row.Operation
	switch op.Fence(m.Delivery, env.Now()) {
	case operation.Ended, operation.Idle:
		return m.sendNotices(env)
	case operation.Stale:
		return m.end(Acknowledge, "stale message")
	case operation.Resend:
		return m.sendWakeup(m.stepMessage(env))
	case operation.Ahead:
		return m.sendWakeup(m.wakeup(env, env.Now(), "ahead"))
	case operation.Run:
	}
	// The operation continues even if its notices cannot be sent.
	if n, pending := op.NextNotice(m.Attempted); pending {
		return m.sendNotice(n)
	}
	// Rescues are counted only for a step that this program can run.
	if name := m.Delivery.Wakeup.Rescue; name != "" && hasStep(env, op) && !m.claimPending(env) {
		if next, ev, counted := op.Rescued(name, m.input(env)); counted {
			if next.Status == operation.Parked {
				return m.saveStep(next, ev)
			}
			return m.save(next, ev, reasonRescue)
		}
	}
	return m.proceed(env)
}

// hasStep reports whether this program has the operation's flow and step.
func hasStep(env Env, op operation.Operation) bool {
	flow, known := env.Flow(op.Flow, op.Version)
	_, has := flow.Step(op.Step)
	return known && has
}

// proceed reconciles an open claim, applies deadline and cancel, and otherwise
// makes the step's call.
func (m Machine) proceed(env Env) (Machine, Command) {
	op := m.Row.Operation
	if op.Status == operation.Parked {
		// The fence passes a parked operation only to be canceled.
		return m.saveStep(op.Canceled(m.stepInput(env)))
	}
	if m.claimPending(env) {
		return m.sendWakeup(m.wakeup(env, op.Claim.NotAfter.Add(env.Waits.ClaimGrace), "claim"))
	}
	if op.Claim == nil && !env.Now().Before(op.Deadline) {
		return m.saveStep(op.TimedOut(m.stepInput(env)))
	}

	flow, known := env.Flow(op.Flow, op.Version)
	s, has := flow.Step(op.Step)
	switch {
	case !known || !has:
		// A newer program wrote this row (rolling deployment). Check again
		// later. A rescue is not snoozed: that would start a second chain of
		// copies.
		if m.Delivery.Wakeup.Rescue != "" {
			return m.end(Acknowledge, "rescue of an unknown flow or step")
		}
		return m.snooze(env)
	case op.Claim == nil && op.CancelRequested && s.OnCancel == "":
		return m.saveStep(op.Canceled(m.stepInput(env)))
	case op.Claim == nil && op.CancelRequested && s.OnCancel != s.Name:
		return m.saveStep(op.Redirected(s.OnCancel, m.input(env)))
	case op.Claim != nil:
		m.Phase = reconciling
		return m, Command{Action: Reconcile, Row: m.Row, AttemptID: op.Claim.AttemptID}
	case m.neededLock(flow, s) != "":
		return m.lockItem(m.neededLock(flow, s))
	case s.Effect == step.Once:
		next, ev := op.Claimed(env.NewID(), m.input(env))
		return m.save(next, ev, reasonClaim)
	}
	return m.run(env.NewID(), time.Time{})
}

// claimPending reports whether a claim is open that must not be reconciled yet.
func (m Machine) claimPending(env Env) bool {
	claim := m.Row.Operation.Claim
	return claim != nil && env.Now().Before(claim.NotAfter.Add(env.Waits.ClaimGrace))
}

func (m Machine) end(a Action, reason string) (Machine, Command) {
	return m, Command{Action: a, Reason: reason}
}

// stepInput returns the input of a transition that may end the operation: it names
// the step that cleans up first.
func (m Machine) stepInput(env Env) operation.Input {
	in := m.input(env)
	op := m.Row.Operation
	flow, _ := env.Flow(op.Flow, op.Version)
	s, _ := flow.Step(op.Step)
	in.OnFailure, in.CleanUpTime = s.OnFailure, flow.CleanUpTime
	return in
}

func (m Machine) input(env Env) operation.Input {
	return operation.Input{Now: env.Now(), Waits: env.Waits, Spread: env.Spread, WriteID: env.NewID()}
}
