package histories_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/state"
)

// process is one process of the program. It handles one invocation at a time.
type process struct {
	w      *world
	id     int
	skew   time.Duration
	engine *engine.Engine
	flows  *flow.Registry
	// current is the invocation that runs; nil if there is none.
	current *invocation
	// held are the stops of the invocation that wait for their time.
	held        []*stop
	frozenUntil time.Time
	// row is the operation as the invocation last loaded or saved it.
	row     operation.Operation
	crashed bool
}

// invocation is one invocation of the program by its host.
type invocation struct {
	name string
	// operation is the ID of the operation of a step; empty for other invocations.
	operation string
	err       error
	ended     bool
	// done handles the end. err is errCrashed if the process crashed.
	done func(err error)
}

var (
	errCrashed = errors.New("the process crashed")
	errAway    = errors.New("simulated outage")
)

// newProcess starts a process. Its clock differs from the true one.
func (w *world) newProcess() (*process, error) {
	w.processes++
	p := &process{w: w, id: w.processes, skew: w.between(-w.plan.skew, w.plan.skew)}
	rows := func(kind string) state.SharedRows { return state.SharedRows{Store: store{p}, Kind: kind} }
	limiter, err := ratelimit.New(ratelimit.Config{Now: p.now, Store: rows("ratelimit")})
	if err != nil {
		return nil, err
	}
	client, err := arm.New(arm.Config{Credential: token{}, Transport: transport{p}, Now: p.now, Limiter: limiter})
	if err != nil {
		return nil, err
	}
	jobs, err := jobcache.New(jobcache.Config{Store: rows("jobs"), Now: p.now, NewID: w.newID, Waits: operation.AzureWaits(), MinGap: flow.JobPace(limiter)})
	if err != nil {
		return nil, err
	}
	p.flows, err = flow.New(flow.Config{
		ARM: client, Now: p.now, Jobs: jobs,
		Guardrails: flow.Guardrails{Delete: true, RestoreTargets: []string{container}},
	})
	if err != nil {
		return nil, err
	}
	p.engine, err = engine.New(engine.Config{
		Store: store{p}, Queue: sender{p}, Flows: p.flows, Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: p.now, Jitter: w.rand.Float64, NewID: w.newID, Sleep: p.sleep, Locks: store{p}, Notifier: notifier{p},
	})
	return p, err
}

// now is the process's clock.
func (p *process) now() time.Time { return time.Now().Add(p.skew).UTC() }

func (p *process) sleep(ctx context.Context, d time.Duration) error {
	p.w.pass(p, "sleep "+d.String())
	return ctx.Err()
}

// invoke begins an invocation.
func (p *process) invoke(i *invocation, run func(context.Context, *engine.Engine) error) {
	p.w.note(p, "begin "+i.name)
	p.current = i
	i.err = errCrashed
	go func() {
		defer func() { i.ended = true }()
		i.err = run(context.Background(), p.engine)
	}()
}

// decide decides when a stopped goroutine continues, and whether its process
// crashes or freezes instead.
func (p *process) decide(s *stop) {
	w := p.w
	if p.crashed {
		s.resume <- false
		return
	}
	w.note(p, s.point)
	p.held = append(p.held, s)
	switch {
	case w.happens(w.plan.crash):
		w.crash(p)
		return
	case w.happens(w.plan.freeze):
		p.frozenUntil = time.Now().Add(w.between(time.Second, 15*time.Minute))
		w.note(p, "freezes")
	}
	w.at(time.Now().Add(w.latency()), func() { p.resume(s) })
}

// resume continues a stopped goroutine, unless its process is frozen.
func (p *process) resume(s *stop) {
	switch {
	case p.crashed:
	case time.Now().Before(p.frozenUntil):
		p.w.at(p.frozenUntil, func() { p.resume(s) })
	default:
		p.held = slices.DeleteFunc(p.held, func(h *stop) bool { return h == s })
		s.resume <- true
	}
}

// crash ends the process. Another one starts in its place.
func (w *world) crash(p *process) {
	w.note(p, "crashes")
	p.crashed = true
	for _, s := range p.held {
		s.resume <- false
	}
	p.held = nil
	w.at(time.Now().Add(w.between(time.Second, 2*time.Minute)), func() {
		next, err := w.newProcess()
		if err != nil {
			w.violated("processes start", err.Error())
			return
		}
		w.note(next, fmt.Sprintf("starts in place of p%d", p.id))
		w.running = append(w.running, next)
	})
	w.running = slices.DeleteFunc(w.running, func(r *process) bool { return r == p })
	w.ending = append(w.ending, p)
}

type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "replaced by the transport", ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}
