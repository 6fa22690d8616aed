// Package demo runs the example requests on a local stack and shows their
// progress: the first one step by step, then all others in parallel.
//
// The package may not know how operations run: it starts and follows them
// through the HTTP API.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
	"azbackupflow/internal/local/stack"
)

// SpeedFactor is how much faster than Azure the demo runs.
const SpeedFactor = 150

const (
	// pollInterval is the pause between two polls of an operation.
	pollInterval = 200 * time.Millisecond
	// maxOutage is how long the API may be unavailable, for example after the
	// handler was killed.
	maxOutage = time.Minute
)

// Config configures a Demo. Every field is required except File, Kill and
// Verbose.
type Config struct {
	Printer *render.Printer
	// Examples is the folder of the example requests, Dist the folder of the
	// packaged app.
	Examples, Dist string
	// File is the only request to run; empty runs all examples.
	File string
	// Kill kills the handler once, after Azure has accepted the backup and
	// before the handler can save that.
	Kill bool
	// Verbose writes the log of the stack and the handler.
	Verbose bool
	Stdin   io.Reader
	Stderr  io.Writer
	Now     func() time.Time
	Sleep   func(context.Context, time.Duration) error
}

// Demo runs the example requests.
type Demo struct {
	c      Config
	killer *killer
	first  api.Request
	// rest is nil if only one request runs.
	rest *batch
}

// New reads the requests, so that a missing example is reported before the stack
// starts.
func New(c Config) (*Demo, error) {
	if c.Printer == nil || c.Stderr == nil || c.Now == nil || c.Sleep == nil {
		return nil, errors.New("demo: Config.Printer, Stderr, Now and Sleep are required")
	}
	d := &Demo{c: c, killer: &killer{armed: c.Kill}}
	if c.File != "" {
		raw, err := cli.ReadFile(c.File, c.Stdin)
		if err != nil {
			return nil, withRemedy(err, "run the command in the folder of the project, or name a request with -f")
		}
		d.first, err = cli.DecodeRequest(raw, c.File)
		return d, err
	}
	first, rest, err := readPlan(c.Examples)
	if err != nil {
		return nil, err
	}
	if d.first, err = readExample(c.Examples, first.File); err != nil {
		return nil, err
	}
	d.rest, err = newBatch(c.Printer, c.Examples, rest)
	return d, err
}

// withRemedy sets the remedy of a usage error.
func withRemedy(err error, remedy string) error {
	var usage *cli.UsageError
	if errors.As(err, &usage) {
		return &cli.UsageError{Text: usage.Text, Remedy: remedy}
	}
	return err
}

// Run starts the stack and runs the requests. It returns an error unless every
// operation succeeded.
func (d *Demo) Run(ctx context.Context) (err error) {
	p := d.c.Printer
	started := d.c.Now()
	s, err := localstack.Start(ctx, stack.Config{
		Dist: d.c.Dist, SpeedFactor: SpeedFactor, Fault: d.killer.hook, Settings: localstack.Guardrails(),
	}, localstack.Verbosity(d.c.Stderr, d.c.Verbose, localstack.Silent))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if !p.Structured() {
		p.Line("The local stack started after %s: Functions host, Service Bus, Table Storage and a simulated\nAzure, %d times as fast as Azure.\n", render.Duration(d.c.Now().Sub(started)), SpeedFactor)
	}
	c, err := client.New(client.Config{URL: s.URL(), Now: d.c.Now, Sleep: d.c.Sleep, MinPause: pollInterval, MaxPause: pollInterval, MaxOutage: maxOutage})
	if err != nil {
		return err
	}
	follower, err := follow.New(follow.Config{Client: c, Printer: p})
	if err != nil {
		return err
	}
	d.killer.arm(s, follower.Note)
	ctx, stop := localstack.WithHost(ctx, s.Host())
	defer stop()
	op, err := d.runFirst(ctx, c, follower, s)
	if err != nil || d.rest == nil {
		return err
	}
	return errors.Join(d.runRest(ctx, c, op, follower.Counter), d.showEvidence(ctx, s))
}

// showEvidence saves the evidence of the restore drills, and shows where it is and how
// to verify it.
func (d *Demo) showEvidence(ctx context.Context, s *stack.Stack) error {
	if d.c.Printer.Structured() || ctx.Err() != nil {
		return nil
	}
	folder, err := os.MkdirTemp("", "azbackupflow-evidence-")
	if err != nil {
		return fmt.Errorf("folder for the evidence: %w", err)
	}
	documents, key, err := s.SaveEvidence(ctx, folder)
	if err != nil || len(documents) == 0 {
		return errors.Join(err, os.RemoveAll(folder))
	}
	for _, file := range documents {
		d.c.Printer.Line("\nThe signed evidence of the restore drill:\n  %s\nVerify it:\n  azbackupflow drills verify \\\n    %s \\\n    --key %s", file, file, key)
	}
	return nil
}

// runFirst runs the first request and shows each step.
func (d *Demo) runFirst(ctx context.Context, c *client.Client, follower *follow.Follower, s *stack.Stack) (api.Operation, error) {
	p := d.c.Printer
	begun, err := c.Start(ctx, d.first)
	op := begun.Operation
	if err != nil {
		return op, err
	}
	if !p.Structured() {
		p.Facts(append([]render.Fact{{Name: "Operation", Value: op.ID}, {Name: "Flow", Value: op.Flow}}, render.ParameterFacts(op)...))
		p.Line("")
	}
	if op, err = follower.Wait(ctx, op.ID); err != nil {
		return op, err
	}
	if !p.Structured() {
		facts := p.ResultFacts(op, follower.Counter.Calls)
		if d.c.Kill {
			facts = append(facts,
				render.Fact{Name: "Kills", Value: fmt.Sprint(d.killer.count())},
				render.Fact{Name: "Backups started", Value: fmt.Sprint(len(s.ARM.Backups()))},
			)
		}
		p.Line("")
		p.Facts(facts)
	}
	if op.Status != api.Succeeded {
		return op, &cli.OperationError{Operation: op}
	}
	return op, nil
}

// runRest runs the other requests in parallel and prints the summary.
func (d *Demo) runRest(ctx context.Context, c *client.Client, first api.Operation, counter render.Counter) error {
	p := d.c.Printer
	if !p.Structured() {
		p.Line("\nNow all other flows, in parallel unless one waits for another:\n")
	}
	d.rest.run(ctx, c)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !p.Structured() {
		p.Line("")
	}
	lines := append([]summaryLine{newSummaryLine("file share "+render.ItemName(first), first, counter, d.c.Now())}, d.rest.summary()...)
	return errors.Join(printSummary(p, lines), d.rest.err())
}
