package engine

import (
	"azbackupflow/internal/operation"
)

// tell sends a notice to other systems.
func (i Invocation) tell(n operation.Notice) (Invocation, Command) {
	i.Phase = telling
	i.Tried = append(i.Tried[:len(i.Tried):len(i.Tried)], n)
	return i, Command{Action: Tell, Row: i.Row, Notice: n}
}

// told goes on after a notice was sent, or not.
func (i Invocation) told(env Env, r Result) (Invocation, Command) {
	if r.Reach == Fine {
		i.Told = append(i.Told[:len(i.Told):len(i.Told)], i.Tried[len(i.Tried)-1])
	}
	return i.decide(env)
}

// settle works on an operation that has nothing to run: what it owes is sent
// and marked sent, and where it has ended its live marker is removed. What
// cannot be done now is done at the next wake-up; the sweep sends one for as
// long as a notice is owed.
func (i Invocation) settle(env Env) (Invocation, Command) {
	op := i.Row.Operation
	if n, owed := op.NextOwed(i.Tried); owed {
		return i.tell(n)
	}
	if next, ev, some := op.Told(i.Told, i.hopeless(env), i.at(env)); some {
		return i.save(next, ev, forTold)
	}
	switch {
	case len(op.Owed) > 0:
		return i.end(Acknowledge, "a notice cannot be sent now; the sweep wakes it")
	case !op.Status.Terminal():
		return i.end(Acknowledge, "paused or parked")
	}
	i.Phase = closing
	return i, Command{Action: Close, Row: i.Row}
}

// hopeless are the notices that could not be sent for too long.
func (i Invocation) hopeless(env Env) []operation.Notice {
	var all []operation.Notice
	for _, n := range i.Row.Operation.Without(i.Told).Owed {
		if env.Waits.Notice > 0 && env.Now().Sub(n.At) > env.Waits.Notice {
			all = append(all, n)
		}
	}
	return all
}

// claimed reports whether a claim is open that nobody may look at yet.
func (i Invocation) claimed(env Env) bool {
	claim := i.Row.Operation.Claim
	return claim != nil && env.Now().Before(claim.NotAfter.Add(env.Waits.ClaimGrace))
}

// overgrown goes on after a save that was refused because it is too large: the
// operation fails, as it was before, and the second time without all that may
// be large.
func (i Invocation) overgrown(env Env, r Result) (Invocation, Command) {
	op := i.Row.Operation
	i.Overgrown++
	if i.Overgrown > 2 || op.Status.Terminal() || op.Status == operation.Parked {
		return i.end(Acknowledge, "too large to be saved")
	}
	problem := "it is too large"
	if r.Err != nil {
		problem = r.Err.Message
	}
	return i.saveStep(op.Overgrown(problem, i.Overgrown > 1, i.at(env)))
}
