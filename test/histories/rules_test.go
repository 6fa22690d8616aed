package histories_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// facts holds the events of a history that the rules need.
type facts struct {
	violations []violation
	// current are the operations as stored.
	current map[string]operation.Operation
	// claims are the operations of the attempts that were claimed.
	claims map[string]string
	// starts counts the starts that Azure accepted, by operation. It begins again
	// when an operator retries an operation whose job failed or is unclear.
	starts map[string]int
	// changing are the operations that have made a call that changes an item, by
	// item.
	changing map[string][]string
	items    map[string]bool
	// announced are the changes of status that must be announced, dropped are notices
	// about pauses that a full outbox gave up.
	announced, dropped []received
	notices            []received
	pausedAt           map[string]time.Time
	resumed            map[string]bool
	rescues            int
}

// received is a notice of an operation.
type received struct {
	id     string
	notice operation.Notice
}

// violation is a broken rule.
type violation struct{ rule, detail string }

// String implements fmt.Stringer.
func (v violation) String() string { return "rule broken: " + v.rule + ": " + v.detail }

func newFacts() facts {
	return facts{
		current: map[string]operation.Operation{}, claims: map[string]string{}, starts: map[string]int{},
		changing: map[string][]string{}, items: map[string]bool{}, pausedAt: map[string]time.Time{}, resumed: map[string]bool{},
	}
}

func (w *world) violated(rule, detail string) {
	w.violations = append(w.violations, violation{rule, detail})
	w.note(nil, "RULE BROKEN: "+rule+": "+detail)
}

// saved checks a save that happened.
func (w *world) saved(p *process, before, after operation.Operation) {
	w.current[after.ID] = after
	name := w.name(after.ID)
	if after.Claim != nil {
		w.claims[after.Claim.AttemptID] = after.ID
	}
	if after.Seq != before.Seq && after.Seq != before.Seq+1 {
		w.violated("seq counts the saves", fmt.Sprintf("%s went from %d to %d", name, before.Seq, after.Seq))
	}
	retried := after.Round > before.Round
	if before.Status.Terminal() && !retried && (after.Status != before.Status || after.Seq != before.Seq || after.Step != before.Step) {
		w.violated("an ended operation does not change", fmt.Sprintf("%s was %s at %s and is %s at %s", name, before.Status, before.Step, after.Status, after.Step))
	}
	if after.LastError != nil && slices.Contains([]string{"IllegalTransition", "Panic", "UnknownOutcome", "TooLarge"}, after.LastError.Code) {
		w.violated("no step is a bug", fmt.Sprintf("%s: %s", name, after.LastError.Error()))
	}
	if before.CancelRequested && !after.CancelRequested && !retried {
		w.violated("a cancel request is kept", name)
	}
	if before.Paused && !after.Paused && !strings.HasPrefix(p.current.name, "resume") {
		w.violated("a pause is kept", name)
	}
	commanded := before.Paused != after.Paused && (strings.HasPrefix(p.current.name, "pause") || strings.HasPrefix(p.current.name, "resume"))
	for _, n := range after.PendingNotices {
		if commanded && n.Change == after.WriteID { // a pause leaves seq as it is
			continue
		}
		if n.Seq <= before.Seq && !slices.ContainsFunc(before.PendingNotices, func(b operation.Notice) bool { return b.ID("") == n.ID("") && b.To == n.To }) {
			w.violated("a notice is queued once", fmt.Sprintf("%s: %s of seq %d", name, n.Kind, n.Seq))
		}
	}
	if commanded {
		w.dropOldPauses(before, after)
		w.announcePause(after)
	}
	if after.Rescues > before.Rescues {
		w.rescues++
	}
	if after.Paused && !before.Paused {
		w.pausedAt[after.ID] = time.Now()
	}
	if retried {
		for item, who := range w.changing {
			w.changing[item] = slices.DeleteFunc(who, func(id string) bool { return id == after.ID })
		}
		if before.RetryStep != "" {
			w.starts[after.ID] = 0
		}
	}
	if before.Status != after.Status && (after.Status.Terminal() || after.Status == operation.Parked) {
		w.announced = append(w.announced, received{after.ID, operation.Notice{Seq: after.Seq, Status: after.Status, To: after.ReplyTo}})
		w.react(after)
	}
}

// maxPauseNotices is the number of pending notices about pauses that a row keeps.
const maxPauseNotices = 20

// dropOldPauses records which notices a full outbox gave up for a newer one. They need
// not arrive. A notice that is missing from an outbox with room was lost.
func (w *world) dropOldPauses(before, after operation.Operation) {
	kept := 0
	for _, n := range after.PendingNotices {
		if n.Change != "" {
			kept++
		}
	}
	for _, n := range before.PendingNotices {
		same := func(other operation.Notice) bool { return other.ID("") == n.ID("") && other.To == n.To }
		switch {
		case slices.ContainsFunc(after.PendingNotices, same):
		case n.Change == "" || kept < maxPauseNotices:
			w.violated("a pause drops no notice while there is room", fmt.Sprintf("%s: %s of seq %d", w.name(after.ID), n.Kind, n.Seq))
		default:
			w.dropped = append(w.dropped, received{after.ID, n})
		}
	}
}

// announcePause records a pause or its end, which must be announced.
func (w *world) announcePause(after operation.Operation) {
	w.announced = append(w.announced, received{after.ID, operation.Notice{Seq: after.Seq, Status: after.Status, To: after.ReplyTo, Change: after.WriteID}})
}

// react lets an operator retry some operations that were parked or failed.
func (w *world) react(op operation.Operation) {
	if op.Status == operation.Succeeded || op.Round > 0 || w.plan.faultless {
		return
	}
	at := time.Now().Add(w.between(time.Minute, 30*time.Minute))
	switch w.rand.IntN(4) {
	case 0, 1:
		w.command(at, "retry", op.ID)
	case 2:
		if op.Status == operation.Parked {
			w.command(at, "cancel", op.ID)
		}
	}
}

// calling checks a call that reaches Azure.
func (w *world) calling(p *process, r *http.Request, kind string) {
	op, s, item, ok := p.runs()
	if !ok {
		return
	}
	now, name := time.Now(), w.name(op.ID)
	if wait := w.azure.blocked[action(p, r)].Sub(now); wait > time.Second {
		w.violated("rate limits are held", fmt.Sprintf("%s calls %s %s before Azure allows it", name, kind, wait))
	}
	if now.Before(op.DueAt) && !op.CancelRequested && op.Claim == nil && !op.Status.Terminal() {
		w.violated("waits are kept", fmt.Sprintf("%s calls %s at step %s %s before its due time", name, kind, op.Step, op.DueAt.Sub(now)))
	}
	if since, paused := w.pausedAt[op.ID]; paused && op.Paused && op.Claim == nil && !op.CancelRequested && now.Sub(since) > 3*time.Minute && now.Before(op.Deadline) {
		w.violated("a paused operation makes no call", fmt.Sprintf("%s calls %s at step %s", name, kind, op.Step))
	}
	if r.Method == http.MethodGet || s.Effect == step.Read || item == "" {
		return
	}
	for _, other := range w.changing[item] {
		if o := w.current[other]; other != op.ID && !o.Status.Terminal() {
			w.violated("one operation changes an item", fmt.Sprintf("%s calls %s while %s is at step %s", name, kind, w.name(other), o.Step))
		}
	}
	if !slices.Contains(w.changing[item], op.ID) {
		w.changing[item] = append(w.changing[item], op.ID)
	}
}

// started checks a start that Azure accepted.
func (w *world) started(p *process, attempt, kind string) {
	id, claimed := w.claims[attempt]
	if !claimed {
		w.violated("a start is claimed before", fmt.Sprintf("%s with attempt %s of p%d", kind, attempt, p.id))
		return
	}
	w.starts[id]++
	w.note(p, fmt.Sprintf("azure starts %s of %s", kind, w.name(id)))
	if w.starts[id] > 1 {
		w.violated("a start happens once", fmt.Sprintf("%s started %d times", w.name(id), w.starts[id]))
	}
}

// checkEnd checks what must hold at the end of a history.
func (w *world) checkEnd() {
	if time.Since(w.began) > maxTime {
		w.violated("nothing is stuck", fmt.Sprintf("not done after %s", maxTime))
	}
	for _, live := range w.live() {
		if op := w.current[live.ID]; op.Status != operation.Parked {
			w.violated("nothing is stuck", fmt.Sprintf("%s is %s and live", w.name(live.ID), op.Status))
		}
	}
	for id, op := range w.current {
		w.checkOperation(id, op)
	}
	for _, a := range w.announced {
		for _, to := range slices.Compact([]string{"", a.notice.To}) {
			same := func(n received) bool {
				return n.id == a.id && n.notice.Seq == a.notice.Seq && n.notice.Status == a.notice.Status && n.notice.To == to && n.notice.Change == a.notice.Change
			}
			if !slices.ContainsFunc(w.notices, same) && !slices.ContainsFunc(w.dropped, same) {
				w.violated("every end and every pause is announced", fmt.Sprintf("%s, %s at seq %d, to %q", w.name(a.id), a.notice.Status, a.notice.Seq, to))
			}
		}
	}
	w.checkLocks()
	if w.plan.faultless && w.rescues > 0 {
		w.violated("only faults need rescues", fmt.Sprint(w.rescues))
	}
}

// checkOperation checks that the starts of an operation are accounted for.
func (w *world) checkOperation(id string, op operation.Operation) {
	name, started := w.name(id), w.starts[id]
	if op.Status == operation.Succeeded && startsOnce(op) && started == 0 {
		w.violated("a success has started something", name)
	}
	known := op.Tracking != nil || op.Claim != nil || op.Learned["jobId"] != "" || len(op.Warnings) > 0
	if started > 0 && !known {
		w.violated("a start is accounted for", fmt.Sprintf("%s is %s", name, op.Status))
	}
	if op.Status == operation.Parked && !slices.Contains([]string{"BackupUnclear", "RestoreUnclear", "NoProgress", "NoAnswer"}, op.LastError.Code) {
		w.violated("only ambiguous operations are parked", fmt.Sprintf("%s: %v", name, op.LastError))
	}
}

// startsOnce reports whether the flow of an operation starts work that must
// start once.
func startsOnce(op operation.Operation) bool {
	return op.Flow == "backup-now" || op.Flow == "restore-postgres"
}

// checkLocks checks that only parked operations hold a lock.
func (w *world) checkLocks() {
	for item := range w.items {
		lock, _, err := w.rows.LoadItemLock(context.Background(), item)
		op := w.current[lock.Holder]
		if err != nil || lock.Holder != "" && op.Status != operation.Parked && !op.ReleasesLock(operation.AzureWaits(), time.Now().Add(time.Hour)) {
			w.violated("locks are free", fmt.Sprintf("%s is held by %s", item, w.name(lock.Holder)))
		}
	}
}
