// Package contestant carries the benchmark's operations to their end by one
// engine or another. Each contestant runs in a process of its own, so that what
// it uses is its own.
package contestant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/bench/internal/work"
)

// runner is a contestant at work.
type runner interface {
	// start begins an operation and returns once that is written down (or, for
	// what is not durable, once it is under way).
	start(ctx context.Context, id string) error
	// cost is nil for what uses neither tables nor bus.
	cost() *work.Cost
	close(ctx context.Context) error
}

// world is what a contestant works with.
type world struct {
	job work.Job
	now func() time.Time
	// ended is called when an operation is at its end.
	ended func(id string)
}

// startsAtOnce bounds the starts under way.
const startsAtOnce = 16

// Run reads the job, does it and writes the usage.
func Run(ctx context.Context, in io.Reader, out io.Writer, now func() time.Time) error {
	var job work.Job
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, job.Limit)
	defer cancel()
	c, ok := find(job.Contestant)
	if !ok {
		return fmt.Errorf("there is no contestant %q", job.Contestant)
	}
	// An engine that replays may tell an end more than once.
	ends := make(chan string, 10*(job.Scenario.Operations+1))
	r, err := c.open(ctx, world{job: job, now: now, ended: func(id string) { ends <- id }})
	if err != nil {
		return fmt.Errorf("open %s: %w", c.Name, err)
	}
	usage, err := measure(ctx, job.Scenario, r, ends, now)
	if err != nil {
		return fmt.Errorf("run %s: %w", c.Name, err)
	}
	if err := json.NewEncoder(out).Encode(usage); err != nil {
		return fmt.Errorf("write the usage: %w", err)
	}
	if ctx.Err() != nil {
		return nil // What has not ended by now goes with the process.
	}
	return r.close(ctx)
}

func measure(ctx context.Context, s work.Scenario, r runner, ends <-chan string, now func() time.Time) (work.Usage, error) {
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
	began := now()
	err = startAll(ctx, s, r, began, now)
	if err == nil {
		err = await(ctx, ends, s.Operations, false)
	}
	// Who is not done when the time is up has figures all the same.
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return work.Usage{}, err
	}
	after, err := readUsage()
	if err != nil {
		return work.Usage{}, err
	}
	return work.Usage{
		User: after.user - before.user, System: after.system - before.system, Wall: now().Sub(began),
		RSSBefore: before.rss, RSSPeak: after.peak, Cost: r.cost(),
	}, nil
}

// startAll starts the operations evenly over the scenario's spread.
func startAll(ctx context.Context, s work.Scenario, r runner, began time.Time, now func() time.Time) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
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

// await waits for the ends of the warm-up or of the others, each counted once.
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
