package engine

import (
	"azbackupflow/internal/operation"
)

// tell sends a notice to other systems.
func (i Machine) sendNotice(n operation.Notice) (Machine, Command) {
	i.Phase = notifying
	i.Attempted = append(i.Attempted[:len(i.Attempted):len(i.Attempted)], n)
	return i, Command{Action: SendNotice, Row: i.Row, Notice: n}
}

// told goes on after a notice was sent, or not.
func (i Machine) noticeSent(env Env, r Result) (Machine, Command) {
	if r.Storage == OK {
		i.Sent = append(i.Sent[:len(i.Sent):len(i.Sent)], i.Attempted[len(i.Attempted)-1])
	}
	return i.decide(env)
}

// settle works on an operation that has nothing to run: what it owes is sent
// and marked sent, and where it has ended its live marker is removed. What
// cannot be done now is done at the next wake-up; the sweep sends one for as
// long as a notice is owed.
func (i Machine) sendNotices(env Env) (Machine, Command) {
	op := i.Row.Operation
	if n, owed := op.NextNotice(i.Attempted); owed {
		return i.sendNotice(n)
	}
	if next, ev, some := op.NoticesSent(i.Sent, i.expiredNotices(env), i.input(env)); some {
		return i.save(next, ev, reasonNotices)
	}
	switch {
	case len(op.PendingNotices) > 0:
		return i.end(Acknowledge, "a notice cannot be sent now; the sweep wakes it")
	case !op.Status.Terminal():
		return i.end(Acknowledge, "paused or parked")
	}
	i.Phase = finalizing
	return i, Command{Action: Finalize, Row: i.Row}
}

// hopeless are the notices that could not be sent for too long.
func (i Machine) expiredNotices(env Env) []operation.Notice {
	var all []operation.Notice
	for _, n := range i.Row.Operation.WithoutNotices(i.Sent).PendingNotices {
		if env.Waits.MaxNoticeAge > 0 && env.Now().Sub(n.At) > env.Waits.MaxNoticeAge {
			all = append(all, n)
		}
	}
	return all
}

// claimed reports whether a claim is open that nobody may look at yet.
func (i Machine) claimPending(env Env) bool {
	claim := i.Row.Operation.Claim
	return claim != nil && env.Now().Before(claim.NotAfter.Add(env.Waits.ClaimGrace))
}

// overgrown goes on after a save that was refused because it is too large: the
// operation fails, as it was before, and the second time without all that may
// be large.
func (i Machine) saveTooLarge(env Env, r Result) (Machine, Command) {
	op := i.Row.Operation
	i.TooLargeSaves++
	if i.TooLargeSaves > 2 || op.Status.Terminal() || op.Status == operation.Parked {
		return i.end(Acknowledge, "too large to be saved")
	}
	problem := "it is too large"
	if r.Err != nil {
		problem = r.Err.Message
	}
	return i.saveStep(op.RowTooLarge(problem, i.TooLargeSaves > 1, i.input(env)))
}
