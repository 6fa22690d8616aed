// Package contestant runs the benchmark's operations with different engines. Each
// contestant runs in a separate process, so that its resource usage can be measured.
package contestant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/parallel"
)

// runner is a running contestant.
type runner interface {
	// start starts an operation. It returns when the start is stored, or, if the
	// contestant is not durable, when the operation is running.
	start(ctx context.Context, id string) error
	// cost returns nil if the contestant uses neither tables nor bus.
	cost() *work.Cost
	close(ctx context.Context) error
}

// environment holds what a contestant needs to run.
type environment struct {
	job work.Job
	now func() time.Time
	// ended is called when an operation ends.
	ended func(id string)
}

// maxStarts is the maximum number of concurrent starts.
const maxStarts = 16

// Run reads the job, runs it and writes the usage.
func Run(ctx context.Context, in io.Reader, out io.Writer, now func() time.Time) error {
	var job work.Job
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return fmt.Errorf("decode the job: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, job.Limit)
	defer cancel()
	c, ok := find(job.Contestant)
	if !ok {
		return fmt.Errorf("unknown contestant %q", job.Contestant)
	}
	// An engine that replays may report an end more than once.
	ends := make(chan string, 10*(job.Scenario.Operations+1))
	r, err := c.open(ctx, environment{job: job, now: now, ended: func(id string) { ends <- id }})
	if err != nil {
		return fmt.Errorf("open %s: %w", c.Name, err)
	}
	usage, err := measure(ctx, job, r, ends, now)
	if err != nil {
		return fmt.Errorf("run %s: %w", c.Name, err)
	}
	if err := json.NewEncoder(out).Encode(usage); err != nil {
		return fmt.Errorf("encode the usage: %w", err)
	}
	if ctx.Err() != nil {
		return nil // Operations that have not ended are lost with the process.
	}
	return r.close(ctx)
}

// measure runs the scenario and returns the usage of the process meanwhile.
func measure(ctx context.Context, job work.Job, r runner, ends <-chan string, now func() time.Time) (work.Usage, error) {
	s := job.Scenario
	if err := r.start(ctx, work.WarmUp); err != nil {
		return work.Usage{}, err
	}
	if err := await(ctx, ends, 1, true); err != nil {
		return work.Usage{}, fmt.Errorf("warm-up: %w", err)
	}
	before, err := readUsage()
	if err != nil {
		return work.Usage{}, err
	}
	stopProfile, err := profile(job.Profile)
	if err != nil {
		return work.Usage{}, err
	}
	began := now()
	err = startAll(ctx, s, r, began, now)
	if err == nil {
		err = await(ctx, ends, s.Operations, false)
	}
	// A run that reaches the limit still has figures.
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return work.Usage{}, err
	}
	after, err := readUsage()
	if err != nil {
		return work.Usage{}, err
	}
	wall := now().Sub(began)
	if err := stopProfile(); err != nil {
		return work.Usage{}, err
	}
	return work.Usage{
		User: after.user - before.user, System: after.system - before.system, Wall: wall,
		RSSBefore: before.rss, RSSPeak: after.peak, Cost: r.cost(),
	}, nil
}

// startAll starts the operations evenly over the scenario's spread.
func startAll(ctx context.Context, s work.Scenario, r runner, began time.Time, now func() time.Time) error {
	group, ctx := parallel.WithContext(ctx)
	group.SetLimit(maxStarts)
	for i := range s.Operations {
		due := began.Add(s.Spread * time.Duration(i) / time.Duration(s.Operations))
		if err := pause(ctx, due.Sub(now())); err != nil {
			break
		}
		group.Go(func() error { return r.start(ctx, fmt.Sprintf("operation-%04d", i)) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("start operations: %w", err)
	}
	return nil
}

// await waits until n operations have ended: the warm-up, or the others.
func await(ctx context.Context, ends <-chan string, n int, warmUp bool) error {
	seen := map[string]bool{}
	for len(seen) < n {
		select {
		case id := <-ends:
			if (id == work.WarmUp) == warmUp {
				seen[id] = true
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d operations ended: %w", len(seen), n, ctx.Err())
		}
	}
	return nil
}

// pause waits for the duration or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
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
