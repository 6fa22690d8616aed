package functionshost

import (
	"context"
	"fmt"
	"time"
)

// timerTimeLayout is a .NET DateTimeOffset as JSON.
const timerTimeLayout = "2006-01-02T15:04:05.9999999-07:00"

// timer runs one function on its schedule. Runs do not overlap.
type timer struct {
	host     *Host
	function *Function
	schedule schedule
	store    *timerStore
	monitor  bool // whether it stores a status, to detect missed occurrences
}

// newTimer returns the timer of a function. A timer that runs more than once a
// minute has no status, as in the host.
func newTimer(h *Host, function *Function, store *timerStore) (*timer, error) {
	expression, err := h.settings.resolve(function.Trigger.Schedule)
	if err != nil {
		return nil, err
	}
	s, err := parseSchedule(expression)
	if err != nil {
		return nil, err
	}
	monitor := function.Trigger.UseMonitor == nil || *function.Trigger.UseMonitor
	return &timer{host: h, function: function, schedule: s, store: store, monitor: monitor && !s.often(h.now())}, nil
}

// run invokes the function at each occurrence until ctx ends. It invokes the function
// at once if an occurrence was missed while no host ran. A failed run is not
// retried.
func (t *timer) run(ctx context.Context) {
	now := t.host.now()
	status, known := timerStatus{}, false
	if t.monitor {
		status, known = t.store.get(t.function.Name)
	}
	pastDue := known && !status.Next.IsZero() && now.After(status.Next)
	if !pastDue {
		status.Next = t.schedule.next(now) // the schedule may have changed since the status was stored
	}
	if !known {
		t.keep(ctx, timerStatus{Next: status.Next})
	}
	if pastDue || t.function.Trigger.RunOnStartup {
		status = t.fire(ctx, status, now, pastDue)
	}
	for !status.Next.IsZero() {
		select {
		case <-ctx.Done():
			return
		case <-t.host.after(status.Next.Sub(t.host.now())):
		}
		now := t.host.now()
		if now.Before(status.Next) {
			now = status.Next // woken early; the next occurrence must be after this one
		}
		status = t.fire(ctx, status, now, false)
	}
}

// fire invokes the function and returns the new status. Occurrences during the run
// are skipped.
func (t *timer) fire(ctx context.Context, status timerStatus, now time.Time, pastDue bool) timerStatus {
	if ctx.Err() != nil {
		return timerStatus{}
	}
	i, err := t.invocation(&status, pastDue)
	if err == nil {
		_, _ = t.host.invoke(context.WithoutCancel(ctx), i) // invoke logs a failure
	} else {
		t.host.log.ErrorContext(ctx, "timer run failed", "function", t.function.Name, "error", err)
	}
	after := timerStatus{Last: now, Next: t.schedule.next(now), LastUpdated: now}
	t.keep(ctx, after)
	if finished := t.host.now(); finished.After(after.Next) && !after.Next.IsZero() {
		after.Next = t.schedule.next(finished)
	}
	return after
}

// keep stores the status of a timer that has one.
func (t *timer) keep(ctx context.Context, status timerStatus) {
	if !t.monitor {
		return
	}
	if err := t.store.put(t.function.Name, status); err != nil {
		t.host.log.ErrorContext(ctx, "timer status not saved", "function", t.function.Name, "error", err)
	}
}

// invocation returns the invocation of one run.
func (t *timer) invocation(status *timerStatus, pastDue bool) (*invocation, error) {
	i, err := newInvocation(t.function, t.host.random)
	if err != nil {
		return nil, err
	}
	if !t.monitor {
		status = nil
	}
	return i, fillTimer(i, status, pastDue)
}

// fillTimer writes a timer's value into an invocation.
func fillTimer(i *invocation, status *timerStatus, pastDue bool) error {
	type shownStatus struct{ Last, Next, LastUpdated string }
	value := struct {
		Schedule       struct{ AdjustForDST bool }
		ScheduleStatus *shownStatus
		IsPastDue      bool
	}{IsPastDue: pastDue}
	value.Schedule.AdjustForDST = true
	if status != nil {
		value.ScheduleStatus = &shownStatus{
			Last:        status.Last.UTC().Format(timerTimeLayout),
			Next:        status.Next.UTC().Format(timerTimeLayout),
			LastUpdated: status.LastUpdated.UTC().Format(timerTimeLayout),
		}
	}
	raw, err := encodeObject(value)
	if err != nil {
		return fmt.Errorf("timer %s: %w", i.function.Name, err)
	}
	i.data.set(i.function.Trigger.Name, raw)
	return nil
}
