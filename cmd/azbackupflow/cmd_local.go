package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/stack"
)

type localCommand struct {
	ARMEndpoint string  `name:"arm-endpoint" placeholder:"URL" help:"Have the handlers talk to this Azure Resource Manager instead of the simulator."`
	Speed       float64 `default:"60" help:"How much faster than Azure the simulator's clock runs."`
	Port        int     `default:"7071" help:"Where the Functions host serves HTTP."`
	Dir         string  `default:".local" help:"Where operations are kept between runs."`
	Dist        string  `default:"dist" help:"The folder that make package assembles."`
	Verbose     bool    `short:"v" help:"Show what the stand-ins and the handlers log."`
}

// Help is shown below the command's own help.
func (localCommand) Help() string {
	return `Operations outlive the stack in --dir; messages and the simulated Azure do not. An
operation that was under way goes on once the sweep finds it overdue.`
}

// Run keeps the stack up until it is interrupted.
func (l *localCommand) Run(ctx context.Context, a *app) error {
	if l.Speed <= 0 {
		return &usage{text: "--speed wants a number above 0"}
	}
	s, err := stack.New(ctx, stack.Config{
		Dist: l.Dist, Dir: l.Dir, SpeedFactor: l.Speed, Port: l.Port, ARMEndpoint: l.ARMEndpoint, Settings: l.permits(a),
		Log: stackLog(a.stderr, l.Verbose), Output: handlerLines(a.stderr, l.Verbose),
	})
	if err != nil {
		return startFailed(ctx, err)
	}
	if err := a.endpoints(s, l.Speed); err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
		a.note("Stopping.")
		return s.Close()
	case <-s.Host().Done():
	}
	if ctx.Err() != nil {
		return s.Close()
	}
	return errors.Join(errors.New("the Functions host gave up on the handler; -v shows what it logs"), s.Close())
}

// permits are the app settings that allow restores and deletions: what the
// examples do, or, where another Azure may be a real one, what the environment
// says.
func (l *localCommand) permits(a *app) map[string]string {
	all := demoPermits()
	for name := range all {
		value, set := a.lookup(name)
		switch {
		case set:
			all[name] = value
		case l.ARMEndpoint != "":
			delete(all, name)
		}
	}
	return all
}

// endpoints says where the stack is, and what to do with it.
func (a *app) endpoints(s *stack.Stack, speed float64) error {
	if a.json() {
		all := map[string]string{}
		for _, e := range s.Endpoints() {
			all[e.Name] = e.Address
		}
		return a.printJSON(all)
	}
	a.say("The local stack is up, %g times as fast as Azure. Ctrl-C stops it.\n", speed)
	facts := make([][2]string, 0, len(s.Endpoints()))
	for _, e := range s.Endpoints() {
		facts = append(facts, [2]string{e.Name, e.Address})
	}
	a.facts(facts)
	program := "azbackupflow"
	if s.URL() != a.grammar.URL {
		program += " --url " + s.URL()
	}
	a.say("\nIn another terminal:\n")
	a.say("  %s start protect-file-share -f examples/protect-file-share.json", program)
	a.say("  %s watch ID", program)
	a.say("  %s list", program)
	return nil
}

// startFailed says why a stack did not start, or that it was interrupted.
func startFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the local stack does not start: %w", err)
}

// stackLog is what the stand-ins log: warnings, or all.
func stackLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// handlerLines shows what the handlers write: warnings, or all.
func handlerLines(w io.Writer, verbose bool) func(functionshost.HandlerLine) {
	return func(line functionshost.HandlerLine) {
		if verbose || line.Level >= slog.LevelWarn {
			_, _ = fmt.Fprintln(w, "handler: "+plain(line.Text)) // there is nowhere else to tell
		}
	}
}
