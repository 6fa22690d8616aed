package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/stack"
)

type demoCommand struct {
	Kill     bool   `help:"Kill the handler (SIGKILL) when Azure has accepted the backup, but before it can write that down."`
	File     string `short:"f" placeholder:"FILE" help:"Run only this request, instead of one of every flow."`
	Examples string `default:"examples" help:"The folder with the requests to run."`
	Dist     string `default:"dist" help:"The folder that make package assembles."`
	Verbose  bool   `short:"v" help:"Show what the stand-ins and the handlers log."`
}

// Help is shown below the command's own help.
func (demoCommand) Help() string {
	return `Runs the program that is deployed between stand-ins for what Azure would be, on free
ports, 150 times as fast as Azure. First it protects a file share and shows every step;
then it runs all other flows at the same time. Exit code 0 only if all Succeeded.`
}

const (
	demoSpeed = 150
	// demoPause is how often the demo looks, and demoPatience how long the
	// handler may be away.
	demoPause    = 200 * time.Millisecond
	demoPatience = time.Minute
)

// Run starts a stack, runs the requests on it, and shows how they go.
func (d *demoCommand) Run(ctx context.Context, a *app) (err error) {
	first, rest, err := d.requests(a)
	if err != nil {
		return err
	}
	f := a.newFollowing(false)
	k := &killer{armed: d.Kill, tell: f.note}
	config := stack.Config{
		Dist: d.Dist, SpeedFactor: demoSpeed, Fault: k.at, Settings: demoPermits(),
		Log: slog.New(slog.DiscardHandler), Output: func(functionshost.HandlerLine) {},
	}
	if d.Verbose {
		config.Log, config.Output = stackLog(a.stderr, true), handlerLines(a.stderr, true)
	}
	started := a.now()
	s, err := stack.New(ctx, config)
	if err != nil {
		return startFailed(ctx, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	k.aim(s)
	if !a.json() {
		a.say("The local stack is up after %s: Functions host, Service Bus, Table Storage and a simulated Azure,\n%d times as fast as Azure.\n", span(a.now().Sub(started)), demoSpeed)
	}
	c, err := client.New(client.Config{URL: s.URL(), Now: a.now, Sleep: a.sleep, MinPause: demoPause, MaxPause: demoPause, MaxOutage: demoPatience})
	if err != nil {
		return err
	}
	ctx, stop := whileHostRuns(ctx, s.Host())
	defer stop()
	v, err := c.Start(ctx, first)
	if err != nil {
		return err
	}
	if v, err = f.demo(ctx, c, v, s, k); err != nil || rest == nil {
		return err
	}
	if !a.json() {
		a.say("\nNow every other flow, all at the same time where they do not wait for each other:\n")
	}
	rest.run(ctx, c)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !a.json() {
		a.say("")
	}
	lines := append([]demoLine{a.demoLine("file share "+item(v), v, f.tally)}, rest.lines()...)
	return errors.Join(a.demoTable(lines), rest.failure())
}

// requests reads what is to be run: the first request, and then all others,
// unless only one was asked for.
func (d *demoCommand) requests(a *app) (first api.Request, rest *tour, err error) {
	if d.File == "" {
		if first, err = demoRequest(d.Examples, demoFirst); err == nil {
			rest, err = a.newTour(d.Examples, demoPlan())
		}
		return first, rest, err
	}
	raw, err := readFile(d.File, a.stdin)
	if err != nil {
		return first, nil, &usage{text: err.Error(), advice: "run it in the project's folder, or name a request with -f"}
	}
	first, err = decodeRequest(raw, d.File)
	return first, nil, err
}

// whileHostRuns ends the context when the Functions host gives up.
func whileHostRuns(ctx context.Context, host *functionshost.Host) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-host.Done():
			cancel(errors.New("the Functions host gave up on the handler; -v shows what it logs"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// demo shows the operation to its end.
func (f *following) demo(ctx context.Context, c *client.Client, v api.Operation, s *stack.Stack, k *killer) (api.Operation, error) {
	a := f.app
	if !a.json() {
		a.facts(append([][2]string{{"Operation", v.ID}, {"Flow", v.Flow}}, parameters(v)...))
		a.say("")
	}
	v, err := f.to(ctx, c, v.ID)
	if err != nil {
		return v, err
	}
	if !a.json() {
		facts := a.summary(v, f.tally.calls)
		if k.armed {
			facts = append(facts,
				[2]string{"Kills", fmt.Sprint(k.count())},
				[2]string{"Backups asked for", fmt.Sprint(len(s.ARM.Backups()))},
			)
		}
		a.say("")
		a.facts(facts)
	}
	if v.Status != api.Succeeded {
		return v, &unsuccessful{view: v}
	}
	return v, nil
}

// killer kills the handler once: when Azure has taken a backup request and has
// not answered it yet.
type killer struct {
	armed bool
	tell  func(string)

	mu    sync.Mutex
	stack *stack.Stack
	kills int
}

func (k *killer) aim(s *stack.Stack) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stack = s
}

func (k *killer) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kills
}

// at is the hook of the stand-ins.
func (k *killer) at(m fault.Moment, r fault.Request) {
	if !k.armed || m != fault.During || r.Service != "arm" || r.Kind != "POST backup" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stack != nil && k.kills == 0 && k.stack.KillHandler() {
		k.kills++
		k.tell("the handler is killed (SIGKILL): Azure has taken the backup request, the answer is lost. The host starts it again.")
	}
}
