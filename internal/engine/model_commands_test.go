package engine

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// commands returns the possible results of the pending command of invocation k.
func (w world) commands(r rules, k int, add func(string, func(*world))) {
	cmd := w.working[k].command
	// turn performs the command with the given effect and passes its result to
	// the machine.
	turn := func(how string, effect func(*world) Result) {
		add(fmt.Sprintf("invocation %d: %s, %s", k, cmd.Action, how), func(n *world) {
			n.proceed(r, k, effect(n))
		})
	}
	switch cmd.Action {
	case Load:
		turn("read", func(n *world) Result {
			return Result{Row: Row{Operation: n.row, ETag: strconv.Itoa(n.etag)}}
		})
		if w.faults.outages > 0 {
			turn("unavailable", func(n *world) Result { n.faults.outages--; return Result{Storage: Unavailable} })
		}
	case Save:
		w.saves(r, cmd, turn)
	case Lock:
		turn("acquired", func(n *world) Result { n.locked = true; return Result{Locked: Locked{Result: operation.LockOwned}} })
		if w.faults.helds > 0 && !w.locked {
			turn("held by another", func(n *world) Result {
				n.faults.helds--
				return Result{Locked: Locked{Result: operation.LockHeld, Holder: "other"}}
			})
		}
		if w.faults.outages > 0 {
			turn("acquired, no answer", func(n *world) Result { n.faults.outages--; n.locked = true; return Result{Storage: Unavailable} })
			turn("unavailable", func(n *world) Result { n.faults.outages--; return Result{Storage: Unavailable} })
		}
	case Run:
		w.runs(r, cmd, turn)
	case Reconcile:
		turn("read", func(n *world) Result { return Result{Reconciliation: n.look(cmd)} })
		if w.faults.throttles > 0 {
			turn("throttled", func(n *world) Result { n.faults.throttles--; return throttled() })
		}
		if w.faults.deferrals > 0 {
			turn("deferred", func(n *world) Result { n.faults.deferrals--; return deferred() })
		}
	case Send:
		turn("sent", func(n *world) Result { n.send(cmd.Message); return Result{} })
		if w.faults.lostMessages > 0 {
			turn("sent and lost", func(n *world) Result { n.faults.lostMessages--; return Result{} })
		}
		if w.faults.sendsUnknown > 0 {
			turn("sent, no answer", func(n *world) Result {
				n.faults.sendsUnknown--
				n.send(cmd.Message)
				return Result{Storage: Unavailable}
			})
			turn("not sent", func(n *world) Result { n.faults.sendsUnknown--; return Result{Storage: Unavailable} })
		}
	case SendNotice:
		sendNotice := func(n *world) {
			if id := cmd.Notice.ID("op"); !slices.Contains(n.sentNotices, id) {
				n.sentNotices = append(n.sentNotices, id)
			}
		}
		turn("notice sent", func(n *world) Result { sendNotice(n); return Result{} })
		if w.faults.noticesUnknown > 0 {
			turn("notice sent, no answer", func(n *world) Result { n.faults.noticesUnknown--; sendNotice(n); return Result{Storage: Unavailable} })
			turn("notice not sent", func(n *world) Result { n.faults.noticesUnknown--; return Result{Storage: Unavailable} })
		}
	case Finalize:
		turn("finalized", func(n *world) Result {
			// Like every store, it finalizes only operations that are ready.
			n.finalized = n.row.ReadyToFinalize()
			return Result{}
		})
	case Acknowledge:
		add(fmt.Sprintf("invocation %d acknowledges", k), func(n *world) {
			w := n.working[k]
			if w.message >= 0 && !w.lost {
				n.messages[w.message].done = true
			}
			n.working = slices.Delete(n.working, k, k+1)
		})
	case Abandon:
		add(fmt.Sprintf("invocation %d abandons", k), func(n *world) { n.abandon(k) })
	}
}

func (w world) saves(r rules, cmd Command, turn func(string, func(*world) Result)) {
	write := func(n *world) Result {
		if cmd.Row.ETag != strconv.Itoa(n.etag) {
			return Result{Storage: Conflict}
		}
		n.row = cmd.Row.Operation
		if r.noClaims {
			n.row.Claim = nil
		}
		if r.noOutbox {
			n.row.PendingNotices = nil
		}
		n.etag++
		return Result{Row: Row{ETag: strconv.Itoa(n.etag)}}
	}
	turn("answered", write)
	if w.faults.savesUnknown > 0 {
		turn("done, no answer", func(n *world) Result { n.faults.savesUnknown--; write(n); return Result{Storage: Unavailable} })
		turn("not done, no answer", func(n *world) Result { n.faults.savesUnknown--; return Result{Storage: Unavailable} })
	}
}

func (w world) runs(r rules, cmd Command, turn func(string, func(*world) Result)) {
	switch cmd.Row.Operation.Step {
	case "await":
		turn("job is done", func(*world) Result { return Result{Outcome: operation.Outcome{Kind: operation.Advance}} })
		if r.cleans {
			turn("job failed", func(*world) Result { return Result{Outcome: operation.Outcome{Kind: operation.Fail}} })
		}
		return
	case "clean":
		turn("cleaned", func(n *world) Result { n.cleaned = true; return Result{Outcome: n.ending(cmd.Row.Operation)} })
		return
	}
	if !cmd.NotAfter.IsZero() && !w.now.Before(cmd.NotAfter) {
		turn("too late", func(*world) Result { return Result{TooLate: true} })
		return
	}
	start := func(n *world) {
		n.trespassed = n.trespassed || r.items && !n.locked
		n.jobs = append(n.jobs, job{cmd.AttemptID, n.now})
		n.cleaned = false
	}
	accepted := operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{StatusURL: "url"}}
	lost := &operation.Error{Code: "NoAnswer", Class: operation.Transient, Ambiguous: true}
	turn("accepted", func(n *world) Result { start(n); return Result{Outcome: accepted} })
	if w.faults.lostAnswers > 0 {
		turn("accepted, answer lost", func(n *world) Result { n.faults.lostAnswers--; start(n); return Result{Err: lost} })
		turn("accepted, answer lost, job visible late", func(n *world) Result {
			n.faults.lostAnswers--
			start(n)
			n.jobs[len(n.jobs)-1].visible = n.now.Add(r.lateJobs)
			return Result{Err: lost}
		})
		turn("not accepted, answer lost", func(n *world) Result { n.faults.lostAnswers--; return Result{Err: lost} })
	}
	if w.faults.throttles > 0 {
		turn("throttled", func(n *world) Result { n.faults.throttles--; return throttled() })
	}
	if w.faults.deferrals > 0 {
		turn("deferred", func(n *world) Result { n.faults.deferrals--; return deferred() })
	}
	if w.faults.crashes > 0 {
		// A process that dies here does not read the answer, but it matters when
		// the job becomes visible.
		turn("accepted, job visible late", func(n *world) Result {
			start(n)
			n.jobs[len(n.jobs)-1].visible = n.now.Add(r.lateJobs)
			return Result{Outcome: accepted}
		})
	}
}

// ending returns the end of a flow that cleans up: as it would have ended before.
func (w *world) ending(op operation.Operation) operation.Outcome {
	switch {
	case len(op.Failures) == 0:
		return operation.Outcome{Kind: operation.Finish}
	case op.Failures[0].Status == operation.Canceled:
		return operation.Outcome{Kind: operation.Stop}
	}
	return operation.Outcome{Kind: operation.Fail, Err: op.Failures[0].Err}
}

func throttled() Result {
	return Result{Err: &operation.Error{Code: "ResourceRequestsThrottled", Class: operation.Throttled}}
}

func deferred() Result {
	return Result{Deferral: &operation.Deferral{Limit: "write limit", Wait: time.Minute, Reservation: "bucket"}}
}

func (w *world) look(cmd Command) operation.Reconciliation {
	for _, j := range w.jobs {
		if j.attempt == cmd.AttemptID && !j.visible.After(w.now) {
			return operation.Reconciliation{Result: operation.Found, Outcome: operation.Outcome{
				Kind: operation.Advance, Tracking: &operation.Tracking{JobID: j.attempt},
			}}
		}
	}
	return operation.Reconciliation{Result: operation.NotFound}
}

func (w *world) send(m Message) {
	w.messages = append(w.messages, message{Message: m})
}

func (w *world) proceed(r rules, k int, res Result) {
	env := Env{
		Now:   func() time.Time { return w.now },
		NewID: w.newID, Waits: r.waits, Broadcast: r.notices,
		Flow: func(string, int) (step.Flow, bool) { return modelFlow(r), true },
	}
	at := &w.working[k]
	if r.noResend {
		at.invocation.Delivery.Count = 1
	}
	at.invocation, at.command = at.invocation.Next(env, res)
}
