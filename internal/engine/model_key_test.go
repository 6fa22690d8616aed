package engine

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// key is equal for worlds that differ only in their fresh IDs and in the time
// that has passed.
func (w world) key() []byte {
	k := keyWriter{now: w.now}
	k.operation(w.row)
	k.number(w.etag)
	k.flag(w.finalized)
	k.flag(w.cleaned)
	f := w.faults
	for _, n := range []int{
		f.crashes, f.duplicates, f.lockLosses, f.lostMessages, f.lostAnswers, f.throttles,
		f.savesUnknown, f.sendsUnknown, f.outages, f.cancels, f.slow, f.noticesUnknown, f.helds, f.deferrals,
	} {
		k.number(n)
	}
	// The order in which messages were sent does not matter.
	each := make([][]byte, 0, len(w.messages))
	for i, m := range w.messages {
		one := keyWriter{now: w.now}
		holder := slices.IndexFunc(w.working, func(x worker) bool { return x.message == i })
		one.wakeup(m.Wakeup)
		one.number(m.count)
		one.number(holder)
		one.flag(m.done)
		one.time(later(m.Due, w.now))
		one.time(later(m.lockedUntil, w.now))
		each = append(each, one.b)
	}
	slices.SortFunc(each, bytes.Compare)
	for _, m := range each {
		k.b = append(k.b, m...)
	}
	for _, x := range w.working {
		i := x.invocation
		k.text(string(i.Phase))
		k.text(string(i.Reason))
		k.text(string(x.command.Action))
		k.text(i.Row.ETag)
		k.number(i.SaveRounds)
		k.number(i.FailedLoads)
		k.number(i.Delivery.Count)
		k.wakeup(i.Delivery.Wakeup)
		k.flag(x.lost)
		k.notices(i.Attempted)
		k.notices(i.Sent)
		k.text(i.LockedItem)
		k.time(x.started)
		k.operation(i.Row.Operation)
		if i.Phase == saving || i.Phase == verifying {
			k.operation(i.Desired)
		}
		if x.command.Action == Send {
			k.wakeup(x.command.Message.Wakeup)
			k.time(later(x.command.Message.Due, w.now))
		}
	}
	for _, j := range w.jobs {
		k.id(j.attempt)
		k.time(later(j.visible, w.now))
	}
	k.text(strings.Join(w.sentNotices, ","))
	k.flag(w.locked)
	k.flag(w.trespassed)
	k.number(w.swept)
	k.number(int(w.sweptSeq))
	return k.b
}

// keyWriter writes a key. Times are relative to now, and fresh IDs are numbered in
// order of appearance.
type keyWriter struct {
	b   []byte
	now time.Time
	ids []string
}

func (k *keyWriter) operation(o operation.Operation) {
	k.text(string(o.Status))
	k.text(o.Step)
	k.text(o.LastRescue)
	k.number(int(o.Seq))
	k.number(o.Attempts)
	k.flag(o.CancelRequested)
	k.flag(o.Tracking != nil)
	k.id(o.WriteID)
	k.time(o.DueAt)
	k.time(o.RescuedAt)
	k.notices(o.PendingNotices)
	k.text(o.LockedItem)
	k.time(o.StepStartedAt)
	if o.Claim != nil {
		k.id(o.Claim.AttemptID)
		k.time(o.Claim.NotAfter)
	}
	for _, f := range o.Failures {
		k.text(string(f.Status))
		k.text(f.Step)
	}
}

func (k *keyWriter) notices(all []operation.Notice) {
	k.number(len(all))
	for _, n := range all {
		k.text(string(n.Kind))
		k.number(int(n.Seq))
	}
}

func (k *keyWriter) wakeup(u operation.Wakeup) {
	k.number(int(u.Seq))
	k.number(u.Snoozes)
	k.text(u.Rescue)
}

func (k *keyWriter) number(n int) { k.b = append(strconv.AppendInt(k.b, int64(n), 36), ' ') }

func (k *keyWriter) flag(f bool) { k.b = append(strconv.AppendBool(k.b, f), ' ') }

func (k *keyWriter) text(s string) { k.b = append(append(k.b, s...), ' ') }

func (k *keyWriter) time(t time.Time) {
	if t.IsZero() {
		k.b = append(k.b, '-')
		return
	}
	k.number(int(t.Sub(k.now) / time.Millisecond))
}

func (k *keyWriter) id(s string) {
	if !strings.HasPrefix(s, "#") {
		k.text(s)
		return
	}
	at := slices.Index(k.ids, s)
	if at < 0 {
		at = len(k.ids)
		k.ids = append(k.ids, s)
	}
	k.number(at)
}
