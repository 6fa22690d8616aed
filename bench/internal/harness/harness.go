// Package harness runs the benchmark's operations with an engine. Each engine is a
// program of its own, so that its process has no code and memory of the others.
package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/parallel"
)

// Runner is a running contestant.
type Runner interface {
	// Start starts an operation. It returns when the start is stored, or, if the
	// contestant is not durable, when the operation is running.
	Start(ctx context.Context, id string) error
	// Cost returns nil if the contestant uses neither tables nor bus.
	Cost() *work.Cost
	// Close stops the engine.
	Close(ctx context.Context) error
}

// Server is implemented by runners whose engine needs a server of its own on this
// machine. The usage of the server is added to that of the contestant.
type Server interface {
	// ServerPID returns the ID of the server's process.
	ServerPID() int
}

// Env holds what a contestant needs to run.
type Env struct {
	Job work.Job
	Now func() time.Time
	// Ended is called when an operation ends.
	Ended func(id string)
}

// InWAL is the suffix of a sqlite file's name that makes commits cheaper: a crash
// of the system can lose a commit, a crash of the process cannot. go-workflows
// appends parameters to the name, which is why it needs a dummy parameter.
const InWAL = "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"

// Open starts an engine with certain settings.
type Open func(context.Context, Env) (Runner, error)

// Main runs the contestant of the job on the standard input, and writes the usage
// to the standard output. An engine's program has one contestant for each of its
// settings.
func Main(contestants map[string]Open) {
	if err := run(context.Background(), contestants, os.Stdin, os.Stdout, clock); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// clock returns the current time.
func clock() time.Time {
	return time.Now() //nolint:forbidigo // The one place that reads the clock.
}

// maxStarts is the maximum number of concurrent starts.
const maxStarts = 16

// run reads the job, runs it and writes the usage.
func run(ctx context.Context, contestants map[string]Open, in io.Reader, out io.Writer, now func() time.Time) error {
	var job work.Job
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return fmt.Errorf("decode the job: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, job.Limit)
	defer cancel()
	open, ok := contestants[job.Contestant]
	if !ok {
		return fmt.Errorf("unknown contestant %q", job.Contestant)
	}
	// An engine that replays may report an end more than once.
	ends := make(chan string, 10*(job.Scenario.Operations+1))
	r, err := open(ctx, Env{Job: job, Now: now, Ended: func(id string) { ends <- id }})
	if err != nil {
		return fmt.Errorf("open %s: %w", job.Contestant, err)
	}
	usage, err := measure(ctx, job, r, ends, now)
	if err != nil {
		return fmt.Errorf("run %s: %w", job.Contestant, err)
	}
	if err := json.NewEncoder(out).Encode(usage); err != nil {
		return fmt.Errorf("encode the usage: %w", err)
	}
	if ctx.Err() != nil {
		return nil // Operations that have not ended are lost with the process.
	}
	return r.Close(ctx)
}

// measure runs the scenario and returns the usage of the process meanwhile.
func measure(ctx context.Context, job work.Job, r Runner, ends <-chan string, now func() time.Time) (work.Usage, error) {
	s := job.Scenario
	if err := r.Start(ctx, work.WarmUp); err != nil {
		return work.Usage{}, err
	}
	if _, err := await(ctx, ends, 1, true); err != nil {
		return work.Usage{}, fmt.Errorf("warm-up: %w", err)
	}
	server := 0
	if s, ok := r.(Server); ok {
		server = s.ServerPID()
	}
	before, err := readUsage(server)
	if err != nil {
		return work.Usage{}, err
	}
	stopProfile, err := profile(job.Profile)
	if err != nil {
		return work.Usage{}, err
	}
	began := now()
	ended := 0
	err = startAll(ctx, s, r, began, now)
	if err == nil {
		ended, err = await(ctx, ends, s.Operations, false)
	}
	// A run that reaches the limit still has figures.
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return work.Usage{}, err
	}
	after, err := readUsage(server)
	if err != nil {
		return work.Usage{}, err
	}
	wall := now().Sub(began)
	if err := stopProfile(); err != nil {
		return work.Usage{}, err
	}
	return work.Usage{
		User: after.user - before.user, System: after.system - before.system, Wall: wall,
		Ended: ended, RSSBefore: before.rss, RSSPeak: after.peak, Cost: r.Cost(),
	}, nil
}

// startAll starts the operations evenly over the scenario's spread.
func startAll(ctx context.Context, s work.Scenario, r Runner, began time.Time, now func() time.Time) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxStarts)
	for i := range s.Operations {
		due := began.Add(s.Spread * time.Duration(i) / time.Duration(s.Operations))
		if err := Pause(ctx, due.Sub(now())); err != nil {
			break
		}
		group.Go(func() error { return r.Start(ctx, fmt.Sprintf("operation-%04d", i)) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("start operations: %w", err)
	}
	return nil
}

// await waits until n operations have ended: the warm-up, or the others. It returns
// how many have ended.
func await(ctx context.Context, ends <-chan string, n int, warmUp bool) (int, error) {
	seen := map[string]bool{}
	for len(seen) < n {
		select {
		case id := <-ends:
			if (id == work.WarmUp) == warmUp {
				seen[id] = true
			}
		case <-ctx.Done():
			return len(seen), fmt.Errorf("%d of %d operations ended: %w", len(seen), n, ctx.Err())
		}
	}
	return len(seen), nil
}

// Pause waits for the duration or until the context ends.
func Pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
