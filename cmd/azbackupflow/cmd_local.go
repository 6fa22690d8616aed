package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/client"
	"azbackupflow/internal/local/stack"
)

type localCommand struct {
	ARMEndpoint   string   `name:"arm-endpoint" placeholder:"URL" help:"Azure Resource Manager for the handler to call, instead of the simulator."`
	Speed         float64  `default:"60" help:"How many times faster than Azure the simulator runs."`
	World         string   `placeholder:"FILE" help:"File with the resources of the simulated Azure; see examples/local/world.yaml."`
	Inject        []string `placeholder:"FAULT" help:"Fault of the simulated Azure: throttle, lost-answer, job-fails, forbidden or slow; throttle=5 for five times. May be repeated."`
	Tour          bool     `help:"Show what happens to operations, step by step, then continue."`
	NoHost        bool     `help:"Start everything but the Functions host, for func start --script-root dist of Azure Functions Core Tools."`
	Port          int      `default:"7071" help:"Port of the Functions host; 0 selects a free port."`
	DashboardPort int      `name:"dashboard-port" default:"0" help:"Port of the dashboard; 0 selects a free port."`
	Dir           string   `default:".local" help:"Folder that keeps operations between runs."`
	Dist          string   `default:"dist" help:"Folder of the app, as make package creates it."`
	Schedules     string   `placeholder:"FILE" complete:"file" help:"File with the schedules, read again when it changes; schedules.yaml by default, if it exists."`
	Protection    string   `placeholder:"FILE" complete:"file" help:"File with the rules, read again when it changes; protection.yaml by default, if it exists."`
	Drills        string   `placeholder:"FILE" complete:"file" help:"File with the restore drills, read again when it changes; drills.yaml by default, if it exists."`
	BusPort       int      `name:"bus-port" default:"0" help:"Port of the Service Bus broker; 0 selects a free port."`
	BusKey        string   `name:"bus-key" placeholder:"KEY" help:"Access key of the Service Bus broker, instead of a random one."`
	Queue         []string `placeholder:"NAME" help:"Additional queue. May be repeated."`
	ReplyQueue    []string `name:"reply-queue" default:"replies" help:"Queue that a request may name in ReplyTo. May be repeated."`
	Topic         []string `default:"notices" help:"Topic, with one subscription named all. May be repeated. The first one receives the notices of all operations."`
	Verbose       bool     `short:"v" help:"Show the log of the local stack and the handler."`
}

// Help is shown below the command's own help.
func (localCommand) Help() string {
	return `Operations in --dir outlive the stack; messages and the simulated Azure do not. A
pending operation continues when the sweep finds it overdue.`
}

// Run runs the stack until it is interrupted.
func (l *localCommand) Run(ctx context.Context, a *app) error {
	faults, err := l.check()
	if err != nil {
		return err
	}
	c, err := l.stackConfig(a)
	if err != nil {
		return err
	}
	s, err := localstack.Start(ctx, c, localstack.Verbosity(a.stderr, l.Verbose, slog.LevelWarn))
	if err != nil {
		return inUse(err)
	}
	localstack.Inject(s.ARM, faults)
	return errors.Join(l.serve(ctx, a, s, faults), s.Close())
}

// inUse adds the remedy to the error of a folder that another stack uses.
func inUse(err error) error {
	var used *stack.FolderInUseError
	if errors.As(err, &used) {
		return &cli.UsageError{Text: "--dir: folder " + used.Dir + " is used by another local stack", Remedy: "stop that one, or choose another folder with --dir"}
	}
	return err
}

// check rejects flags that do not fit together.
func (l *localCommand) check() ([]localstack.Injection, error) {
	simulator := l.World != "" || len(l.Inject) > 0
	switch {
	case l.Speed <= 0:
		return nil, &cli.UsageError{Text: fmt.Sprintf("--speed %g is too small", l.Speed), Remedy: "use a number above 0, such as 60"}
	case l.ARMEndpoint != "" && simulator:
		return nil, &cli.UsageError{Text: "--world and --inject change the simulator, which --arm-endpoint replaces", Remedy: "leave out --arm-endpoint"}
	case l.Tour && (l.NoHost || l.ARMEndpoint != "" || simulator):
		return nil, &cli.UsageError{Text: "--tour needs the Functions host and its own simulated Azure", Remedy: "leave out --no-host, --arm-endpoint, --world and --inject"}
	}
	return localstack.ParseInjections(l.Inject)
}

// serve shows the stack and keeps it up until it is interrupted.
func (l *localCommand) serve(ctx context.Context, a *app, s *stack.Stack, faults []localstack.Injection) error {
	remove, err := publishIdentity(l.Dir, s, l.ARMEndpoint == "")
	if err != nil {
		return err
	}
	defer remove()
	view := l.view(s, faults)
	if !l.NoHost {
		page, err := l.dashboard(ctx, a, s)
		if err != nil {
			return err
		}
		defer page.stop()
		view.dashboard = page.link
	}
	if err := a.showStack(view); err != nil {
		return err
	}
	if l.NoHost {
		<-ctx.Done()
		a.out.Note("Stopping.")
		return nil
	}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.reload(watching, a, s)
	}()
	defer func() {
		stop()
		<-watched
	}()
	if l.Tour {
		if err := a.tour(ctx, s); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		a.out.Note("Stopping.")
		return nil
	case <-s.Host().Done():
	}
	if ctx.Err() != nil {
		return nil
	}
	return localstack.ErrHostStopped
}

// dashboard serves the dashboard of the stack.
func (l *localCommand) dashboard(ctx context.Context, a *app, s *stack.Stack) (*dashboardServer, error) {
	backend, err := client.New(client.Config{URL: s.URL(), Now: a.now, Sleep: a.sleep, HTTP: a.http})
	if err != nil {
		return nil, err
	}
	return a.serveDashboard(ctx, backend, "local stack", l.DashboardPort)
}

func (l *localCommand) stackConfig(a *app) (stack.Config, error) {
	c := stack.Config{
		Dist: l.Dist, Dir: l.Dir, SpeedFactor: l.Speed, Port: l.Port, NoHost: l.NoHost, ARMEndpoint: l.ARMEndpoint,
		BusPort: l.BusPort, BusKey: l.BusKey, Queues: slices.Concat(l.ReplyQueue, l.Queue), Topics: l.Topic,
	}
	if l.World != "" {
		raw, err := cli.ReadFile(l.World, a.stdin)
		if err != nil {
			return c, err
		}
		if c.World, err = localstack.ParseWorld(l.World, raw); err != nil {
			return c, err
		}
	}
	var err error
	c.Settings, err = l.settings(a)
	return c, err
}

// settings returns the app settings of the stack. Settings for notices and replies come
// from the flags, unless the environment sets them.
func (l *localCommand) settings(a *app) (map[string]string, error) {
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
	for _, d := range l.declarations(a) {
		path, err := filepath.Abs(d.file)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return nil, &cli.UsageError{Text: d.flag + ": file " + d.file + " cannot be read", Remedy: "name a file that exists"}
		}
		all[d.setting] = path
	}
	return all, nil
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
