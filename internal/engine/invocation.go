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
	Notices bool
	Flow    func(name string, version int) (step.Flow, bool)
	// Trace is the W3C trace context that sent messages carry on.
	Trace string
}

// Invocation works on one delivery of one message, from the first load to the
// acknowledgement. It does nothing itself: it is a plain value that turns the
// result of its last command into the next command, so that the model check
// explores the very code that runs.
type Invocation struct {
	Delivery operation.Delivery
	// Row is the operation as last loaded or saved.
	Row Row
	// Want is what is being saved, Event its history line, For what the save
	// is made.
	Want  operation.Operation
	Event operation.Event
	For   Purpose
	// Phase is what the last command was for.
	Phase Phase
	// Rounds counts loads after failed saves, Aways the loads in a row that
	// found the table out of reach.
	Rounds, Aways int
	// Notices is Env's. Tried are the notices that this invocation tried to
	// send for the row's seq, Told those of them that were sent.
	Notices     bool
	Tried, Told []operation.Notice
	// Item is the protected item whose lock is wanted, LockedItem the one whose
	// lock this invocation took.
	Item, LockedItem string
	// Overgrown counts saves that were refused because they are too large.
	Overgrown int
}

// Purpose is what a save is made for, and so what comes after it.
type Purpose string

// The purposes.
const (
	forStep   Purpose = "step"   // the operation moved on: send the next message
	forClaim  Purpose = "claim"  // the call may be made now
	forRescue Purpose = "rescue" // the rescue is counted: go on
	forTold   Purpose = "told"   // notices were sent: nothing else is owed
)

// Phase is where an invocation stands.
type Phase string

// The phases.
const (
	loading   Phase = "loading"
	saving    Phase = "saving"
	verifying Phase = "verifying" // a save failed or went unanswered: what does the row say?
	locking   Phase = "locking"   // the item that the step changes
	calling   Phase = "calling"
	looking   Phase = "looking"
	sending   Phase = "sending"  // the message of a seq that this invocation saved
	passing   Phase = "passing"  // a message on behalf of someone else
	snoozing  Phase = "snoozing" // a copy of this message, for later
	telling   Phase = "telling"  // a notice to other systems
	closing   Phase = "closing"
)

// Bounds of one invocation.
const (
	mostRounds = 8 // saves contested by others
	mostAways  = 5 // loads in a row without an answer, after an ARM answer that must not be lost
)

// Begin starts working on a delivery.
func Begin(d operation.Delivery) (Invocation, Command) {
	return Invocation{Delivery: d, Phase: loading}, Command{Action: Load}
}

// Next turns the result of the last command into the next one.
func (i Invocation) Next(env Env, r Result) (Invocation, Command) {
	i.Notices = env.Notices
	switch i.Phase {
	case loading:
		return i.loaded(env, r)
	case verifying:
		return i.verified(env, r)
	case saving:
		switch r.Reach {
		case Fine:
		case TooLarge:
			return i.overgrown(env, r)
		case Missing, Changed, Away:
			return i.verify()
		}
		i.Row = Row{Operation: i.Want, ETag: r.Row.ETag, Marker: i.Row.Marker}
		return i.saved(env)
	case locking:
		return i.locked(env, r)
	case calling:
		return i.called(env, r)
	case looking:
		return i.looked(env, r)
	case sending, passing, snoozing:
		if r.Reach != Fine {
			return i.end(Abandon, fmt.Sprintf("%s: the bus is away", i.Phase))
		}
		return i.end(Acknowledge, string(i.Phase))
	case telling:
		return i.told(env, r)
	case closing:
		// What failed here is repaired by the sweep: the live marker is still
		// there.
		return i.end(Acknowledge, "ended")
	}
	return i.end(Abandon, "unknown phase")
}

func (i Invocation) loaded(env Env, r Result) (Invocation, Command) {
	switch r.Reach {
	case Fine:
		i.Row = r.Row
		return i.decide(env)
	case Missing:
		return i.end(Acknowledge, "no such operation")
	case Changed, Away, TooLarge:
	}
	return i.snooze(env)
}

// decide passes the row through the fence.
func (i Invocation) decide(env Env) (Invocation, Command) {
	op := i.Row.Operation
	switch op.Fence(i.Delivery, env.Now()) {
	case operation.Ended, operation.Idle:
		return i.settle(env)
	case operation.Stale:
		return i.end(Acknowledge, "an old copy")
	case operation.Heal:
		return i.pass(i.ownMessage(env))
	case operation.Ahead:
		return i.pass(i.wake(env, env.Now(), "ahead"))
	case operation.Run:
	}
	// A notice that cannot be sent does not keep its operation waiting.
	if n, owed := op.NextOwed(i.Tried); owed {
		return i.tell(n)
	}
	// Only a step that can be run can fail to make progress.
	if name := i.Delivery.Wakeup.Rescue; name != "" && knows(env, op) && !i.claimed(env) {
		if next, ev, counted := op.Rescued(name, i.at(env)); counted {
			if next.Status == operation.Parked {
				return i.saveStep(next, ev)
			}
			return i.save(next, ev, forRescue)
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
func (i Invocation) proceed(env Env) (Invocation, Command) {
	op := i.Row.Operation
	if op.Status == operation.Parked {
		// The fence lets a parked operation through only to be canceled.
		return i.saveStep(op.Canceled(i.at(env)))
	}
	if i.claimed(env) {
		return i.pass(i.wake(env, op.Claim.NotAfter.Add(env.Waits.ClaimGrace), "claim"))
	}
	if op.Claim == nil && !env.Now().Before(op.Deadline) {
		return i.saveStep(op.TimedOut(i.at(env)))
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
		return i.saveStep(op.Canceled(i.at(env)))
	case op.Claim == nil && op.CancelRequested && s.OnCancel != s.Name:
		return i.saveStep(op.Diverted(s.OnCancel, i.at(env)))
	case op.Claim != nil:
		i.Phase = looking
		return i, Command{Action: Look, Row: i.Row, AttemptID: op.Claim.AttemptID}
	case i.item(flow, s) != "":
		return i.takeLock(i.item(flow, s))
	case s.Effect == step.Once:
		next, ev := op.Claimed(env.NewID(), i.at(env))
		return i.save(next, ev, forClaim)
	}
	return i.run(env.NewID(), time.Time{})
}

func (i Invocation) run(attemptID string, notAfter time.Time) (Invocation, Command) {
	i.Phase = calling
	return i, Command{Action: Run, Row: i.Row, AttemptID: attemptID, NotAfter: notAfter}
}

func (i Invocation) called(env Env, r Result) (Invocation, Command) {
	op, at := i.Row.Operation, i.at(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.TooLate:
		next, ev = op.ClaimMissed(at)
	case r.Panicked:
		next, ev = op.ParkedBecause(r.Err, at)
	case r.PutOff != nil:
		next, ev = op.PutOff(r.PutOff, false, at)
	case r.Err != nil:
		next, ev = op.StepFailed(r.Err, at)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Answered(flow.Plan(), r.Outcome, at)
	}
	ev.Exchanges = r.Exchanges
	return i.saveStep(next, ev)
}

func (i Invocation) looked(env Env, r Result) (Invocation, Command) {
	op, at := i.Row.Operation, i.at(env)
	var next operation.Operation
	var ev operation.Event
	switch {
	case r.Panicked:
		next, ev = op.ParkedBecause(r.Err, at)
	case r.PutOff != nil:
		next, ev = op.PutOff(r.PutOff, true, at)
	case r.Err != nil:
		next, ev = op.LookFailed(r.Err, at)
	default:
		flow, _ := env.Flow(op.Flow, op.Version)
		next, ev = op.Resolved(flow.Plan(), r.Finding, at)
	}
	ev.Exchanges = r.Exchanges
	return i.saveStep(next, ev)
}

func (i Invocation) saveStep(next operation.Operation, ev operation.Event) (Invocation, Command) {
	return i.save(next.Owing(i.Row.Operation.Status, i.Notices), ev, forStep)
}

func (i Invocation) save(next operation.Operation, ev operation.Event, why Purpose) (Invocation, Command) {
	next = next.Without(i.Told)
	if i.LockedItem != "" {
		next.LockedItem = i.LockedItem
	}
	i.Phase, i.For, i.Want, i.Event = saving, why, next, ev
	return i, Command{Action: Save, Row: i.Row.With(next), Event: ev}
}

// verify reads the row after a save that was refused or went unanswered.
func (i Invocation) verify() (Invocation, Command) {
	i.Phase = verifying
	i.Rounds++
	if i.Rounds > mostRounds {
		return i.end(Abandon, "too many others save this operation")
	}
	return i, Command{Action: Load}
}

// verified decides what became of a save: done after all, to be merged with
// flags that someone set meanwhile, or overtaken.
func (i Invocation) verified(env Env, r Result) (Invocation, Command) {
	switch r.Reach {
	case Missing:
		return i.end(Acknowledge, "no such operation")
	case Changed, Away, TooLarge:
		i.Aways++
		if i.Aways >= mostAways {
			return i.snooze(env)
		}
		return i, Command{Action: Load, Pause: time.Second << i.Aways}
	case Fine:
	}
	i.Aways = 0
	was := i.Row.Operation
	row := r.Row.Operation
	switch {
	case row.WriteID == i.Want.WriteID:
		i.Row = r.Row
		return i.saved(env)
	case row.Seq == was.Seq && was.SameClaim(row):
		i.Row = r.Row
		want := i.Want.MergeFlags(row)
		return i.save(want, i.Event, i.For)
	}
	i.Row = r.Row
	i.Item, i.LockedItem = "", ""
	return i.decide(env)
}

// saved goes on after a save that is known to have happened.
func (i Invocation) saved(env Env) (Invocation, Command) {
	op := i.Row.Operation
	switch i.For {
	case forClaim:
		return i.run(op.Claim.AttemptID, op.Claim.NotAfter)
	case forRescue:
		return i.proceed(env)
	case forTold:
		return i.settle(env)
	case forStep:
	}
	i.Tried, i.Told = nil, nil
	if op.Status.Terminal() || op.Status == operation.Parked {
		return i.settle(env)
	}
	i.Phase = sending
	return i, Command{Action: Send, Message: i.ownMessage(env)}
}

func (i Invocation) end(a Action, reason string) (Invocation, Command) {
	return i, Command{Action: a, Reason: reason}
}

// pass sends a message that this invocation did not create a seq for.
func (i Invocation) pass(m Message) (Invocation, Command) {
	i.Phase = passing
	return i, Command{Action: Send, Message: m}
}

// snooze puts this message off: a copy of it comes later. Redelivery would
// come at once and be used up in a second.
func (i Invocation) snooze(env Env) (Invocation, Command) {
	i.Phase = snoozing
	return i, Command{Action: Send, Message: snoozed(i.Delivery.Wakeup, env.Now(), env.Waits, env.NewID())}
}

// ownMessage is the one message of the row's seq: only the save that created
// the seq, or its heal, sends it.
func (i Invocation) ownMessage(env Env) Message { return FirstMessage(i.Row.Operation, env.Trace) }

// wake names the row's seq under a message id that was never used: anything
// else would be eaten by duplicate detection.
func (i Invocation) wake(env Env, due time.Time, why string) Message {
	return WakeMessage(i.Row.Operation, due, why+":"+env.NewID(), env.Trace)
}

func (i Invocation) at(env Env) operation.At {
	return operation.At{Now: env.Now(), Waits: env.Waits, Jitter: env.Jitter(), WriteID: env.NewID()}
}
