package engine

import (
	"fmt"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// Env is what an invocation needs of the world beside its commands' results.
type Env struct {
	Now    func() time.Time
	Jitter func() float64
	// NewID gives an id that was never used before.
	NewID func() string
	Waits operation.Waits
	// Notices says that there is a receiver for the notices of all operations.
	Broadcast bool
	Flow      func(name string, version int) (step.Flow, bool)
	// Trace is the W3C trace context that sent messages carry on.
	TraceParent string
}

// Invocation works on one delivery of one message, from the first load to the
// acknowledgement. It does nothing itself: it is a plain value that turns the
// result of its last command into the next command, so that the model check
// explores the very code that runs.
type Machine struct {
	Delivery operation.Delivery
	// Row is the operation as last loaded or saved.
	Row Row
	// Want is what is being saved, Event its history line, For what the save
	// is made.
	Desired operation.Operation
	Event   operation.Event
	Reason  saveReason
	// Phase is what the last command was for.
	Phase Phase
	// Rounds counts loads after failed saves, Aways the loads in a row that
	// found the table out of reach.
	SaveRounds, FailedLoads int
	// Notices is Env's. Tried are the notices that this invocation tried to
	// send for the row's seq, Told those of them that were sent.
	Broadcast       bool
	Attempted, Sent []operation.Notice
	// Item is the protected item whose lock is wanted, LockedItem the one whose
	// lock this invocation took.
	Item, LockedItem string
	// Overgrown counts saves that were refused because they are too large.
	TooLargeSaves int
}

// Purpose is what a save is made for, and so what comes after it.
type saveReason string

// The purposes.
const (
	reasonStep    saveReason = "step"   // the operation moved on: send the next message
	reasonClaim   saveReason = "claim"  // the call may be made now
	reasonRescue  saveReason = "rescue" // the rescue is counted: go on
	reasonNotices saveReason = "told"   // notices were sent: nothing else is owed
)

// Phase is where an invocation stands.
type Phase string

// The phases.
const (
	loading     Phase = "loading"
	saving      Phase = "saving"
	verifying   Phase = "verifying" // a save failed or went unanswered: what does the row say?
	locking     Phase = "locking"   // the item that the step changes
	calling     Phase = "calling"
	reconciling Phase = "looking"
	sending     Phase = "sending"  // the message of a seq that this invocation saved
	waking      Phase = "passing"  // a message on behalf of someone else
	snoozing    Phase = "snoozing" // a copy of this message, for later
	notifying   Phase = "telling"  // a notice to other systems
	finalizing  Phase = "closing"
)

// Bounds of one invocation.
const (
	maxSaveRounds  = 8 // saves contested by others
	maxFailedLoads = 5 // loads in a row without an answer, after an ARM answer that must not be lost
)

// Begin starts working on a delivery.
func NewMachine(d operation.Delivery) (Machine, Command) {
	return Machine{Delivery: d, Phase: loading}, Command{Action: Load}
}

// Next turns the result of the last command into the next one.
func (i Machine) Next(env Env, r Result) (Machine, Command) {
	i.Broadcast = env.Broadcast
	switch i.Phase {
	case loading:
		return i.loaded(env, r)
	case verifying:
		return i.verified(env, r)
	case saving:
		switch r.Storage {
		case OK:
		case TooLarge:
			return i.saveTooLarge(env, r)
		case NotFound, Conflict, Unavailable:
			return i.verify()
		}
		i.Row = Row{Operation: i.Desired, ETag: r.Row.ETag, Marker: i.Row.Marker}
		return i.saved(env)
	case locking:
		return i.locked(env, r)
	case calling:
		return i.called(env, r)
	case reconciling:
		return i.reconciled(env, r)
	case sending, waking, snoozing:
		if r.Storage != OK {
			return i.end(Abandon, fmt.Sprintf("%s: the bus is away", i.Phase))
		}
		return i.end(Acknowledge, string(i.Phase))
	case notifying:
		return i.noticeSent(env, r)
	case finalizing:
		// What failed here is repaired by the sweep: the live marker is still
		// there.
		return i.end(Acknowledge, "ended")
	}
	return i.end(Abandon, "unknown phase")
}

func (i Machine) loaded(env Env, r Result) (Machine, Command) {
	switch r.Storage {
	case OK:
		i.Row = r.Row
		return i.decide(env)
	case NotFound:
		return i.end(Acknowledge, "no such operation")
	case Conflict, Unavailable, TooLarge:
	}
	return i.snooze(env)
}

// decide passes the row through the fence.
func (i Machine) decide(env Env) (Machine, Command) {
	op := i.Row.Operation
	switch op.Fence(i.Delivery, env.Now()) {
	case operation.Ended, operation.Idle:
		return i.sendNotices(env)
	case operation.Stale:
		return i.end(Acknowledge, "an old copy")
	case operation.Resend:
		return i.sendWakeup(i.stepMessage(env))
	case operation.Ahead:
		return i.sendWakeup(i.wakeup(env, env.Now(), "ahead"))
	case operation.Run:
	}
	// A notice that cannot be sent does not keep its operation waiting.
	if n, owed := op.NextNotice(i.Attempted); owed {
		return i.sendNotice(n)
	}
	// Only a step that can be run can fail to make progress.
	if name := i.Delivery.Wakeup.Rescue; name != "" && knows(env, op) && !i.claimPending(env) {
		if next, ev, counted := op.Rescued(name, i.input(env)); counted {
			if next.Status == operation.Parked {
				return i.saveStep(next, ev)
			}
			return i.save(next, ev, reasonRescue)
		}
	}
	return i.proceed(env)
}

// knows reports whether this program has the operation's flow and step.
func knows(env Env, op operation.Operation) bool {
	flow, known := env.Flow(op.Flow, op.Version)
	_, has := flow.Step(op.Step)
	return known && has
}

// proceed resolves an open claim, honours deadline and cancel, and otherwise
// makes the step's call.
func (i Machine) proceed(env Env) (Machine, Command) {
	op := i.Row.Operation
	if op.Status == operation.Parked {
		// The fence lets a parked operation through only to be canceled.
		return i.saveStep(op.Canceled(i.input(env)))
	}
	if i.claimPending(env) {
		return i.sendWakeup(i.wakeup(env, op.Claim.NotAfter.Add(env.Waits.ClaimGrace), "claim"))
	}
	if op.Claim == nil && !env.Now().Before(op.Deadline) {
		return i.saveStep(op.TimedOut(i.input(env)))
	}

	flow, known := env.Flow(op.Flow, op.Version)
	s, has := flow.Step(op.Step)
	switch {
	case !known || !has:
		// A rolling deployment: a newer instance wrote this. Look again later;
		// the sweep, which finds it overdue, begins no second row of copies.
		if i.Delivery.Wakeup.Rescue != "" {
			return i.end(Acknowledge, "a rescue of what a newer program wrote")
		}
		return i.snooze(env)
	case op.Claim == nil && op.CancelRequested && s.OnCancel == "":
		return i.saveStep(op.Canceled(i.input(env)))
	case op.Claim == nil && op.CancelRequested && s.OnCancel != s.Name:
		return i.saveStep(op.Redirected(s.OnCancel, i.input(env)))
	case op.Claim != nil:
		i.Phase = reconciling
		return i, Command{Action: Reconcile, Row: i.Row, AttemptID: op.Claim.AttemptID}
	case i.neededLock(flow, s) != "":
		return i.lockItem(i.neededLock(flow, s))
	case s.Effect == step.Once:
		next, ev := op.Claimed(env.NewID(), i.input(env))
		return i.save(next, ev, reasonClaim)
	}
	return i.run(env.NewID(), time.Time{})
}

func (i Machine) run(attemptID string, notAfter time.Time) (Machine, Command) {
	i.Phase = calling
	return i, Command{Action: Run, Row: i.Row, AttemptID: attemptID, NotAfter: notAfter}
}

func (i Machine) called(env Env, r Result) (Machine, Command) {
	op, in := i.Row.Operation, i.input(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.TooLate:
		next, ev = op.ClaimExpired(in)
	case r.Panicked:
		next, ev = op.Parked(r.Err, in)
	case r.Deferral != nil:
		next, ev = op.Defer(r.Deferral, false, in)
	case r.Err != nil:
		next, ev = op.StepFailed(r.Err, in)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Answered(flow.Plan(), r.Outcome, in)
	}
	ev.Exchanges = r.Exchanges
	return i.saveStep(next, ev)
}

func (i Machine) reconciled(env Env, r Result) (Machine, Command) {
	op, in := i.Row.Operation, i.input(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.Panicked:
		next, ev = op.Parked(r.Err, in)
	case r.Deferral != nil:
		next, ev = op.Defer(r.Deferral, true, in)
	case r.Err != nil:
		next, ev = op.ReconcileFailed(r.Err, in)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Reconciled(flow.Plan(), r.Reconciliation, in)
	}
	ev.Exchanges = r.Exchanges
	return i.saveStep(next, ev)
}

func (i Machine) saveStep(next operation.Operation, ev operation.Event) (Machine, Command) {
	return i.save(next.QueueNotice(i.Row.Operation.Status, i.Broadcast), ev, reasonStep)
}

func (i Machine) save(next operation.Operation, ev operation.Event, why saveReason) (Machine, Command) {
	next = next.WithoutNotices(i.Sent)
	if i.LockedItem != "" {
		next.LockedItem = i.LockedItem
	}
	i.Phase, i.Reason, i.Desired, i.Event = saving, why, next, ev
	return i, Command{Action: Save, Row: i.Row.With(next), Event: ev}
}

// verify reads the row after a save that was refused or went unanswered.
func (i Machine) verify() (Machine, Command) {
	i.Phase = verifying
	i.SaveRounds++
	if i.SaveRounds > maxSaveRounds {
		return i.end(Abandon, "too many others save this operation")
	}
	return i, Command{Action: Load}
}

// verified decides what became of a save: done after all, to be merged with
// flags that someone set meanwhile, or overtaken.
func (i Machine) verified(env Env, r Result) (Machine, Command) {
	switch r.Storage {
	case NotFound:
		return i.end(Acknowledge, "no such operation")
	case Conflict, Unavailable, TooLarge:
		i.FailedLoads++
		if i.FailedLoads >= maxFailedLoads {
			return i.snooze(env)
		}
		return i, Command{Action: Load, Pause: time.Second << i.FailedLoads}
	case OK:
	}
	i.FailedLoads = 0
	was := i.Row.Operation
	row := r.Row.Operation
	switch {
	case row.WriteID == i.Desired.WriteID:
		i.Row = r.Row
		return i.saved(env)
	case row.Seq == was.Seq && was.SameClaim(row):
		i.Row = r.Row
		want := i.Desired.MergeFlags(row)
		return i.save(want, i.Event, i.Reason)
	}
	i.Row = r.Row
	i.Item, i.LockedItem = "", ""
	return i.decide(env)
}

// saved goes on after a save that is known to have happened.
func (i Machine) saved(env Env) (Machine, Command) {
	op := i.Row.Operation
	switch i.Reason {
	case reasonClaim:
		return i.run(op.Claim.AttemptID, op.Claim.NotAfter)
	case reasonRescue:
		return i.proceed(env)
	case reasonNotices:
		return i.sendNotices(env)
	case reasonStep:
	}
	i.Attempted, i.Sent = nil, nil
	if op.Status.Terminal() || op.Status == operation.Parked {
		return i.sendNotices(env)
	}
	i.Phase = sending
	return i, Command{Action: Send, Message: i.stepMessage(env)}
}

func (i Machine) end(a Action, reason string) (Machine, Command) {
	return i, Command{Action: a, Reason: reason}
}

// pass sends a message that this invocation did not create a seq for.
func (i Machine) sendWakeup(m Message) (Machine, Command) {
	i.Phase = waking
	return i, Command{Action: Send, Message: m}
}

// snooze puts this message off: a copy of it comes later. Redelivery would
// come at once and be used up in a second.
func (i Machine) snooze(env Env) (Machine, Command) {
	i.Phase = snoozing
	return i, Command{Action: Send, Message: snoozeMessage(i.Delivery.Wakeup, env.Now(), env.Waits, env.NewID())}
}

// ownMessage is the one message of the row's seq: only the save that created
// the seq, or its heal, sends it.
func (i Machine) stepMessage(env Env) Message { return StepMessage(i.Row.Operation, env.TraceParent) }

// wake names the row's seq under a message id that was never used: anything
// else would be eaten by duplicate detection.
func (i Machine) wakeup(env Env, due time.Time, why string) Message {
	return WakeMessage(i.Row.Operation, due, why+":"+env.NewID(), env.TraceParent)
}

func (i Machine) input(env Env) operation.Input {
	return operation.Input{Now: env.Now(), Waits: env.Waits, Jitter: env.Jitter(), WriteID: env.NewID()}
}
