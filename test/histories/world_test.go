package histories_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// world is one history.
type world struct {
	scheduler
	plan  plan
	rand  *rand.Rand
	began time.Time
	rows  *memory.Store
	// loaded are the rows that were decoded since their last change.
	loaded map[string]engine.Row
	azure  *azure
	// queue holds the messages, seen the time of each message ID.
	queue []*message
	seen  map[string]time.Time
	lost  int
	// running are the processes, ending the crashed ones with an invocation.
	running, ending []*process
	processes       int
	// work are the invocations that wait for a process.
	work []work
	// unsettled counts requests and commands that were not carried out yet.
	unsettled int
	favorite  int
	names     map[string]string

	facts
	trace []line
}

// line is one line of the trace of a history.
type line struct {
	at      time.Duration
	process int
	what    string
}

// String implements fmt.Stringer.
func (l line) String() string { return fmt.Sprintf("%12s p%d %s", l.at, l.process, l.what) }

func (w *world) note(p *process, what string) {
	l := line{at: time.Since(w.began), what: what}
	if p != nil {
		l.process = p.id
	}
	w.trace = append(w.trace, l)
}

// work is an invocation that waits for a process.
type work struct {
	name string
	run  func(context.Context, *engine.Engine) error
	done func(error)
}

// run runs the history of a seed to its end. It must be called in a bubble of
// package synctest.
func run(seed uint64) (*world, error) {
	p := newPlan(seed)
	w := &world{
		plan: p, rand: rand.New(rand.NewPCG(seed, 2)), began: time.Now(), rows: memory.New(),
		seen: map[string]time.Time{}, names: map[string]string{}, loaded: map[string]engine.Row{}, facts: newFacts(),
	}
	var err error
	if w.azure, err = newAzure(seed, p); err != nil {
		return nil, err
	}
	for range p.processes {
		started, err := w.newProcess()
		if err != nil {
			return nil, err
		}
		w.running = append(w.running, started)
	}
	w.favorite = w.rand.IntN(len(w.azure.items))
	for n := range p.requests {
		w.planRequest(n)
	}
	w.planSweep(w.between(0, 5*time.Minute))
	for !w.over() {
		for {
			w.settle()
			if !w.dispatch() {
				break
			}
		}
		if len(w.events) == 0 {
			break
		}
		w.next()
	}
	w.finish()
	return w, nil
}

// settle waits until all goroutines have ended or stopped, and decides about
// them.
func (w *world) settle() {
	for {
		stopped := w.wait()
		for _, s := range stopped {
			s.p.decide(s)
		}
		w.ending = w.ended(w.ending)
		w.ended(w.running)
		if len(stopped) == 0 {
			return
		}
	}
}

// ended handles the ends of invocations. It returns the processes with an
// invocation that has not ended.
func (w *world) ended(processes []*process) (busy []*process) {
	for _, p := range processes {
		i := p.current
		if i != nil && i.ended {
			p.current = nil
			if i.err == nil {
				w.note(p, "end")
			} else {
				w.note(p, "end: "+i.err.Error())
			}
			if p.crashed {
				i.err = errCrashed
			}
			i.done(i.err)
		}
		if p.current != nil {
			busy = append(busy, p)
		}
	}
	return busy
}

// dispatch begins an invocation in an idle process.
func (w *world) dispatch() bool {
	var idle []*process
	for _, p := range w.running {
		if p.current == nil && !time.Now().Before(p.frozenUntil) {
			idle = append(idle, p)
		}
	}
	if len(idle) == 0 {
		return false
	}
	if len(w.work) > 0 {
		next := w.work[0]
		w.work = w.work[1:]
		idle[w.rand.IntN(len(idle))].invoke(&invocation{name: next.name, done: next.done}, next.run)
		return true
	}
	if m := w.due(); m != nil {
		w.deliver(idle[w.rand.IntN(len(idle))], m)
		return true
	}
	return false
}

// try carries out work at a time, and again after failures.
func (w *world) try(at time.Time, name string, run func(context.Context, *engine.Engine) error) {
	w.unsettled++
	w.at(at, func() {
		w.work = append(w.work, work{name, run, func(err error) {
			w.unsettled--
			if err != nil {
				w.try(time.Now().Add(w.between(time.Second, 3*time.Minute)), name, run)
			}
		}})
	})
}

// planRequest plans a request. Some clients repeat it, as do those without an
// answer.
func (w *world) planRequest(n int) {
	flow, parameters := w.nextRequest()
	r := request.Request{Flow: flow, Key: fmt.Sprint("key-", n), Parameters: parameters}
	from := engine.Origin{TraceParent: "trace"}
	if w.rand.IntN(2) == 0 {
		from.ReplyTo = "answers"
	}
	id := operation.ID("contoso", flow, r.Key)
	w.names[id] = fmt.Sprintf("op%d(%s)", n, flow)
	start := func(ctx context.Context, e *engine.Engine) error {
		op, _, err := e.Start(ctx, r, from)
		var invalid *step.Invalid
		if errors.As(err, &invalid) {
			w.violated("the requests are valid", err.Error())
		}
		if err == nil && op.ID != id {
			w.violated("one key is one operation", op.ID)
		}
		return err
	}
	at := w.began.Add(w.between(0, 10*time.Minute))
	w.try(at, "start "+w.names[id], start)
	if w.rand.IntN(4) == 0 {
		w.try(at.Add(w.between(0, 20*time.Minute)), "start again "+w.names[id], start)
	}
	if w.plan.faultless {
		return
	}
	at = at.Add(w.between(0, 25*time.Minute))
	switch w.rand.IntN(10) {
	case 0:
		w.command(at, "cancel", id)
	case 1:
		w.command(at, "pause", id)
		w.command(at.Add(w.between(time.Minute, 40*time.Minute)), "resume", id)
	}
}

// command plans an operator's command for an operation.
func (w *world) command(at time.Time, what, id string) {
	w.try(at, what+" "+w.names[id], func(ctx context.Context, e *engine.Engine) (err error) {
		op, known := w.current[id]
		switch {
		case !known:
		case what == "cancel":
			_, err = e.Cancel(ctx, id, operation.Cause{})
		case what == "pause" && !w.resumed[id]:
			_, err = e.Pause(ctx, id, operation.Cause{})
		case what == "resume":
			_, err = e.Resume(ctx, id, operation.Cause{})
			w.resumed[id] = w.resumed[id] || err == nil || errors.Is(err, engine.ErrEnded)
		case what == "retry" && (op.Status == operation.Parked || op.Status == operation.Failed):
			_, err = e.Retry(ctx, id, operation.Cause{})
		}
		if errors.Is(err, engine.ErrEnded) {
			return nil // an answer: a repeated command would get it again
		}
		return err
	})
}

// planSweep plans the sweeps: one every five minutes.
func (w *world) planSweep(after time.Duration) {
	w.at(time.Now().Add(after), func() {
		w.work = append(w.work, work{"sweep", func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Sweep(ctx)
			return err
		}, func(error) { w.planSweep(5 * time.Minute) }})
	})
}

// over reports whether the history has ended.
func (w *world) over() bool {
	if len(w.violations) > 0 || time.Since(w.began) > maxTime {
		return true
	}
	if w.unsettled > 0 || len(w.ending) > 0 || len(w.current) < w.plan.requests {
		return false
	}
	for _, p := range w.running {
		if p.current != nil {
			return false
		}
	}
	for _, op := range w.current {
		if len(op.PendingNotices) > 0 || !op.Status.Terminal() && op.Status != operation.Parked {
			return false
		}
	}
	for _, live := range w.live() {
		if w.current[live.ID].Status != operation.Parked {
			return false
		}
	}
	return len(w.queue) == 0 || !w.faulty()
}

// finish ends what still runs, and checks what must hold at the end.
func (w *world) finish() {
	for _, p := range w.running {
		p.crashed = true
		for _, s := range p.held {
			s.resume <- false
		}
	}
	for stopped := w.wait(); len(stopped) > 0; stopped = w.wait() {
		for _, s := range stopped {
			s.resume <- false
		}
	}
	if len(w.violations) == 0 {
		w.checkEnd()
	}
}

func (w *world) name(id string) string {
	if name := w.names[id]; name != "" {
		return name
	}
	return id
}

func (w *world) messageName(m engine.Message) string {
	return w.name(m.Wakeup.OperationID) + strings.TrimPrefix(m.ID, m.Wakeup.OperationID)
}

// cutItem returns the vault of a protected item, and whether it is a share or a
// database.
func cutItem(id string) (vault string, share, database bool) {
	vault, rest, _ := strings.Cut(id, "/backupFabrics/")
	return vault, strings.Contains(rest, "AzureFileShare;"), strings.Contains(rest, "SQLDataBase;")
}
