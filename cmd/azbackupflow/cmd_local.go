package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/local/stack"
)

type localCommand struct {
	ARMEndpoint string   `name:"arm-endpoint" placeholder:"URL" help:"Azure Resource Manager for the handler to call, instead of the simulator."`
	Speed       float64  `default:"60" help:"How many times faster than Azure the simulator runs."`
	Port        int      `default:"7071" help:"Port of the Functions host; 0 selects a free port."`
	Dir         string   `default:".local" help:"Folder that keeps operations between runs."`
	Dist        string   `default:"dist" help:"Folder of the app, as make package creates it."`
	BusPort     int      `name:"bus-port" default:"0" help:"Port of the Service Bus broker; 0 selects a free port."`
	BusKey      string   `name:"bus-key" placeholder:"KEY" help:"Access key of the Service Bus broker, instead of a random one."`
	Queue       []string `placeholder:"NAME" help:"Additional queue. May be repeated."`
	ReplyQueue  []string `name:"reply-queue" default:"replies" help:"Queue that a request may name in ReplyTo. May be repeated."`
	Topic       []string `default:"notices" help:"Topic, with one subscription named all. May be repeated. The first one receives the notices of all operations."`
	Verbose     bool     `short:"v" help:"Show the log of the local stack and the handler."`
}

// Help is shown below the command's own help.
func (localCommand) Help() string {
	return `Operations in --dir outlive the stack; messages and the simulated Azure do not. A
pending operation continues when the sweep finds it overdue.`
}

// Run runs the stack until it is interrupted.
func (l *localCommand) Run(ctx context.Context, a *app) error {
	if l.Speed <= 0 {
		return &cli.UsageError{Text: "--speed must be above 0"}
	}
	s, err := localstack.Start(ctx, l.stackConfig(a), localstack.Verbosity(a.stderr, l.Verbose, slog.LevelWarn))
	if err != nil {
		return err
	}
	if err := a.showStack(s, l); err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
		a.out.Note("Stopping.")
		return s.Close()
	case <-s.Host().Done():
	}
	if ctx.Err() != nil {
		return s.Close()
	}
	return errors.Join(localstack.ErrHostStopped, s.Close())
}

func (l *localCommand) stackConfig(a *app) stack.Config {
	return stack.Config{
		Dist: l.Dist, Dir: l.Dir, SpeedFactor: l.Speed, Port: l.Port, ARMEndpoint: l.ARMEndpoint, Settings: l.settings(a),
		BusPort: l.BusPort, BusKey: l.BusKey, Queues: slices.Concat(l.ReplyQueue, l.Queue), Topics: l.Topic,
	}
}

// settings returns the app settings of the stack. Settings for notices and replies come
// from the flags, unless the environment sets them.
func (l *localCommand) settings(a *app) map[string]string {
	all := l.guardrails(a)
	all["AZBACKUPFLOW_REPLY_QUEUES"] = strings.Join(l.ReplyQueue, ",")
	if len(l.Topic) > 0 {
		all["AZBACKUPFLOW_NOTICES"] = l.Topic[0]
	}
	for _, name := range []string{"AZBACKUPFLOW_NOTICES", "AZBACKUPFLOW_REPLY_QUEUES"} {
		if value, set := a.lookup(name); set {
			all[name] = value
		}
	}
	return all
}

// guardrails returns the app settings that allow restores and deletes. With the
// simulator, they allow what the examples do. With another endpoint, which may be
// a real Azure, they come from the environment only.
func (l *localCommand) guardrails(a *app) map[string]string {
	all := localstack.Guardrails()
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

// showStack shows the addresses of the stack and how to use it.
func (a *app) showStack(s *stack.Stack, l *localCommand) error {
	if a.out.Structured() {
		all := map[string]string{}
		for _, e := range s.Endpoints() {
			all[e.Name] = e.Address
		}
		return a.out.Data(all)
	}
	a.out.Line("The local stack runs, %g times as fast as Azure. Ctrl-C stops it.\n", l.Speed)
	facts := make([]render.Fact, 0, len(s.Endpoints()))
	for _, e := range s.Endpoints() {
		facts = append(facts, render.Fact{Name: e.Name, Value: e.Address})
	}
	for _, topic := range l.Topic {
		facts = append(facts, render.Fact{Name: "Topic", Value: topic + ", subscription " + stack.Subscription})
	}
	if len(l.ReplyQueue) > 0 {
		facts = append(facts, render.Fact{Name: "Reply queues", Value: strings.Join(l.ReplyQueue, ", ")})
	}
	a.out.Facts(facts)
	program := "azbackupflow"
	if s.URL() != a.connection.context.URL {
		program += " --url " + s.URL()
	}
	a.out.Line("\nIn another terminal:\n")
	a.out.Line("  %s start protect-file-share -f examples/protect-file-share.json", program)
	a.out.Line("  %s watch ID", program)
	a.out.Line("  %s list", program)
	return nil
}
