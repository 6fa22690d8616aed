package engine

import (
	"fmt"
	"slices"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// world holds the state around a call that must happen once: the operation's row,
// its messages, the running invocations, and Azure.
type world struct {
	now  time.Time
	row  operation.Operation
	etag int
	// finalized is true after the live marker was removed.
	finalized bool
	messages  []message
	working   []worker
	jobs      []job
	ids       int
	// swept is the last rescue that the sweep sent, at seq sweptSeq.
	swept    int
	sweptSeq int64
	// sentNotices holds the IDs of the notices that were sent, in order, once
	// each. Sending a notice again does no harm.
	sentNotices []string
	// locked is true if the operation has its item's lock, trespassed if it made
	// its call without the lock.
	locked, trespassed bool
	// cleaned is true if the clean-up ran after the last start of a job.
	cleaned bool
	faults  faults
}

// faults holds the number of each fault that may still happen.
type faults struct {
	crashes, duplicates, lockLosses, lostMessages int
	lostAnswers, throttles, savesUnknown          int
	sendsUnknown, outages, cancels, slow          int
	noticesUnknown, helds, deferrals              int
}

type message struct {
	Message
	count       int
	lockedUntil time.Time
	done        bool
}

type worker struct {
	invocation Machine
	command    Command
	started    time.Time
	// message is the index of the message that this invocation must complete. It
	// is -1 for a copy that the broker delivered twice.
	message int
	// lost is true if the lock was lost. Completing the message has no effect.
	lost bool
}

type job struct {
	attempt string
	visible time.Time
}

// rules holds the rules that a variant of the world breaks on purpose, to show
// that the check can fail.
type rules struct {
	waits     operation.Waits
	noSweep   bool
	noClaims  bool          // the row forgets claims
	noResend  bool          // every delivery looks like a first one
	notices   bool          // there is a receiver for notices
	noOutbox  bool          // the row forgets its pending notices
	noWake    bool          // the sweep finalizes operations with pending notices
	items     bool          // the call needs the lock of an item
	unlocked  bool          // the call is made without the lock
	started   bool          // the call was already made; only its end is explored
	cleans    bool          // the flow cleans up
	noCleanUp bool          // the flow ends at a failure without the clean-up
	lateJobs  time.Duration // how long a job may be invisible
	invocable time.Duration // how long an invocation may live
	lock      time.Duration
}

func soundRules() rules {
	w := operation.AzureWaits()
	return rules{waits: w, lateJobs: w.ClaimGrace, invocable: 2 * time.Minute, lock: 5 * time.Minute}
}

func modelFlow(r rules) step.Flow {
	flow := step.Flow{Name: "model", Version: 1, Steps: []step.Step{
		{Name: "trigger", Effect: step.Once},
		{Name: "await", Effect: step.Read},
	}}
	if r.cleans {
		flow.CleanUpTime = 1000 * time.Hour
		flow.Steps = append(flow.Steps, step.Step{Name: "clean", Effect: step.Idempotent, OnCancel: "clean"})
		if !r.noCleanUp {
			flow.Steps[0].OnFailure, flow.Steps[1].OnFailure = "clean", "clean"
		}
	}
	if r.items && !r.unlocked {
		flow.Item = func(operation.Operation) string { return "item" }
	}
	return flow
}

var modelStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(r rules, f faults) world {
	op := operation.Operation{
		Identity: operation.Identity{
			ID: "op", Flow: "model", Version: 1,
			CreatedAt: modelStart,
		},
		Progress: operation.Progress{
			Status: operation.Pending, Step: "trigger", Seq: 1,
			DueAt: modelStart, Deadline: modelStart.Add(1000 * time.Hour),
			UpdatedAt: modelStart, StepStartedAt: modelStart,
		},
	}
	var jobs []job
	if r.started {
		op.Step = "await"
		jobs = append(jobs, job{attempt: "earlier"})
	}
	op = op.QueueStarted(r.notices)
	w := world{jobs: jobs, now: modelStart, row: op, etag: 1, faults: f}
	w.messages = []message{{Message: StepMessage(op, "")}}
	return w
}

func (w world) clone() world {
	w.messages = slices.Clone(w.messages)
	w.working = slices.Clone(w.working)
	w.jobs = slices.Clone(w.jobs)
	w.sentNotices = slices.Clone(w.sentNotices)
	return w
}

// move is one possible event, and the world after it.
type move struct {
	name string
	to   world
}

// moves returns every possible event.
func (w world) moves(r rules) []move {
	var out []move
	add := func(name string, change func(*world)) {
		next := w.clone()
		change(&next)
		next.prune()
		out = append(out, move{name, next})
	}
	w.deliveries(r, add)
	for i := range w.working {
		w.commands(r, i, add)
		if w.faults.crashes > 0 {
			add(fmt.Sprintf("invocation %d dies, host abandons", i), func(n *world) {
				n.faults.crashes--
				n.abandon(i)
			})
			add(fmt.Sprintf("invocation %d dies with its host", i), func(n *world) {
				n.faults.crashes--
				n.working = slices.Delete(n.working, i, i+1)
			})
		}
		if w.faults.lockLosses > 0 && w.working[i].message >= 0 && !w.working[i].lost {
			add(fmt.Sprintf("invocation %d loses its lock", i), func(n *world) {
				n.faults.lockLosses--
				n.working[i].lost = true
				n.messages[n.working[i].message].lockedUntil = time.Time{}
			})
		}
	}
	if w.faults.cancels > 0 && !w.row.Status.Terminal() && !w.row.CancelRequested {
		add("an operator cancels", func(n *world) {
			n.faults.cancels--
			n.row.CancelRequested = true
			n.row.WriteID = n.newID()
			n.etag++
			n.messages = append(n.messages, message{Message: WakeMessage(n.row, n.now, "cancel:"+n.newID(), "")})
		})
	}
	w.time(r, add)
	return out
}

func (w world) deliveries(r rules, add func(string, func(*world))) {
	if len(w.working) >= 3 {
		return
	}
	for m, msg := range w.messages {
		if msg.done || msg.Due.After(w.now) || msg.lockedUntil.After(w.now) {
			continue
		}
		deliver := func(n *world, settles bool) {
			n.messages[m].count++
			at := -1
			if settles {
				n.messages[m].lockedUntil = n.now.Add(r.lock)
				at = m
			}
			inv, cmd := NewMachine(operation.Delivery{Wakeup: msg.Wakeup, Count: n.messages[m].count})
			n.working = append(n.working, worker{invocation: inv, command: cmd, started: n.now, message: at})
		}
		add("deliver "+msg.ID, func(n *world) { deliver(n, true) })
		if w.faults.duplicates > 0 {
			add("deliver a copy of "+msg.ID, func(n *world) {
				n.faults.duplicates--
				deliver(n, false)
				n.messages[m].count-- // a copy has its own first delivery
			})
		}
	}
}

// time advances the clock to the next moment at which anything can change. An
// invocation ends at its deadline.
func (w world) time(r rules, add func(string, func(*world))) {
	var next time.Time
	soonest := func(t time.Time) {
		if t.After(w.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	pending := false
	for _, m := range w.messages {
		if m.done {
			continue
		}
		pending = true
		soonest(m.Due)
		soonest(m.lockedUntil)
	}
	for _, k := range w.working {
		soonest(k.started.Add(r.invocable))
		if !k.command.NotAfter.IsZero() {
			soonest(k.command.NotAfter)
		}
	}
	for _, j := range w.jobs {
		soonest(j.visible)
	}
	sweepable := !pending && len(w.working) == 0 && !r.noSweep
	if sweepable {
		if w.row.Status.Terminal() {
			switch {
			case len(w.row.PendingNotices) > 0 && !r.noWake:
				add("the sweep wakes an operation with pending notices", func(n *world) {
					n.now = n.now.Add(r.waits.Overdue)
					n.messages = append(n.messages, message{Message: NoticeMessage(n.row, 1, n.now, "")})
				})
			case !w.finalized:
				add("the sweep finalizes", func(n *world) { n.finalized = true })
			}
		} else if rescue, ok := w.row.Overdue(w.now, r.waits); ok && (w.sweptSeq != w.row.Seq || w.swept < rescue) {
			add("the sweep rescues", func(n *world) {
				n.swept, n.sweptSeq = rescue, n.row.Seq
				m := RescueMessage(n.row, rescue, n.now, "")
				n.messages = append(n.messages, message{Message: m})
			})
			return
		} else {
			soonest(w.row.DueAt.Add(r.waits.Overdue))
			soonest(w.row.DueAt.Add(2 * r.waits.Overdue))
			soonest(w.row.DueAt.Add(4 * r.waits.Overdue))
		}
	}
	if next.IsZero() {
		return
	}
	// An invocation that has not ended by its deadline counts as crashed.
	overdue := func(k worker) bool { return !next.Before(k.started.Add(r.invocable)) }
	if slices.ContainsFunc(w.working, overdue) && w.faults.crashes == 0 {
		return
	}
	// So is one too slow for its claim, which must drop the claim.
	slow := func(k worker) bool {
		notAfter := k.command.NotAfter
		return !notAfter.IsZero() && w.now.Before(notAfter) && !next.Before(notAfter)
	}
	late := slices.ContainsFunc(w.working, slow)
	if late && w.faults.slow == 0 {
		return
	}
	add("time passes", func(n *world) {
		n.now = next
		if late {
			n.faults.slow--
		}
		for i := len(n.working) - 1; i >= 0; i-- {
			if overdue(n.working[i]) {
				n.abandon(i)
				n.faults.crashes = max(0, n.faults.crashes-1)
			}
		}
	})
}

// abandon ends an invocation without completing its message.
func (w *world) abandon(i int) {
	k := w.working[i]
	if k.message >= 0 && !k.lost {
		w.messages[k.message].lockedUntil = time.Time{}
	}
	w.working = slices.Delete(w.working, i, i+1)
}

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("#%d#", w.ids)
}

// prune drops completed messages without a running invocation.
func (w *world) prune() {
	keep := map[int]int{}
	var kept []message
	for i, m := range w.messages {
		used := slices.ContainsFunc(w.working, func(k worker) bool { return k.message == i })
		if !m.done || used {
			keep[i] = len(kept)
			kept = append(kept, m)
		}
	}
	w.messages = kept
	for i := range w.working {
		if w.working[i].message >= 0 {
			w.working[i].message = keep[w.working[i].message]
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
