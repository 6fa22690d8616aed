// Package runner runs the contestants one after the other, each in a separate
// process. The fake ARM and the local replacements of Azure's services run in or
// below this process, and the contestant reaches them over sockets.
package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/fakearm"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/settings"
)

// Config holds the contestants and scenarios to run, and how to run them.
type Config struct {
	Contestants []contestant.Contestant
	Scenarios   []work.Scenario
	Repeat      int
	// Programs is the folder of the contestants' programs; see Build.
	Programs string
	// Limit is the maximum time of one run. A contestant that exceeds it is
	// reported as not done.
	Limit time.Duration
	Now   func() time.Time
	// Progress receives one line per run.
	Progress io.Writer
	// Profiles is the folder for profiles, one folder for each contestant and
	// scenario. Empty means none.
	Profiles string
}

// Run runs every contestant in every scenario, round by round, so that other load
// on the machine affects all of them. A contestant that fails or exceeds the limit
// is not run in that scenario again.
func Run(ctx context.Context, cfg Config) ([]work.Result, error) {
	var results []work.Result
	excluded := map[string]bool{}
	for repeat := range cfg.Repeat {
		for _, scenario := range cfg.Scenarios {
			for _, c := range cfg.Contestants {
				if excluded[c.Name+scenario.Name] || (c.Once || scenario.Sequential > 0) && repeat > 0 || scenario.Sequential > 0 && !c.Ours {
					continue
				}
				began := cfg.Now()
				result, err := one(ctx, cfg, c, scenario)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err != nil {
					result.Failure = err.Error()
					excluded[c.Name+scenario.Name] = true
				}
				result.Contestant, result.Scenario, result.Repeat = c.Name, scenario, repeat+1
				results = append(results, result)
				line := fmt.Sprintf("%d/%d %-12s %-24s %5.1fs  %s\n", repeat+1, cfg.Repeat, scenario.Name, c.Name, cfg.Now().Sub(began).Seconds(), summary(result))
				if _, err := io.WriteString(cfg.Progress, line); err != nil {
					return nil, err
				}
			}
		}
	}
	return results, nil
}

func summary(r work.Result) string {
	if r.Failure != "" {
		return "NOT DONE: " + r.Failure
	}
	if s := r.Scenario; s.Sequential > 0 {
		steps := float64(s.Operations * s.Sequential)
		return fmt.Sprintf("%.2f ms CPU per step, %.0f steps/s, %d MiB", (r.Usage.User+r.Usage.System).Seconds()*1000/steps, steps/r.Usage.Wall.Seconds(), r.Usage.RSSPeak>>20)
	}
	cpu := float64((r.Usage.User + r.Usage.System).Microseconds()) / 1000 / float64(max(r.ARM.Calls(), 1))
	return fmt.Sprintf("%.2f ms CPU per step, %d calls in %.1fs, %d early, lateness p50 %.0f p99 %.0f ms, %d MiB",
		cpu, r.ARM.Calls(), r.ARM.Span.Seconds(), r.ARM.Early, Percentile(r.ARM.Lateness, 50), Percentile(r.ARM.Lateness, 99), r.Usage.RSSPeak>>20)
}

// sequentialLimit is how many times longer than others a scenario of sequential
// steps may take: it has many more steps.
const sequentialLimit = 8

// one runs one contestant in one scenario.
func one(ctx context.Context, cfg Config, c contestant.Contestant, s work.Scenario) (result work.Result, err error) {
	limit := cfg.Limit
	if s.Sequential > 0 {
		limit *= sequentialLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit+30*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "azbackupflow-bench-")
	if err != nil {
		return result, fmt.Errorf("create a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	job := work.Job{Contestant: c.Name, Scenario: s, Dir: dir, Limit: limit}
	if cfg.Profiles != "" {
		job.Profile = filepath.Join(cfg.Profiles, strings.ReplaceAll(s.Name, " ", "-")+"-"+c.Name)
		if err := os.MkdirAll(job.Profile, 0o750); err != nil {
			return result, fmt.Errorf("create a folder: %w", err)
		}
	}
	if c.Azure {
		stop, err := serve(ctx, &job)
		defer func() { stop() }()
		if err != nil {
			return result, err
		}
	}
	var before atomic.Int64
	arm := fakearm.New(fakearm.Config{Scenario: s, Now: cfg.Now, FirstStart: func() { before.Store(int64(servicesCPU())) }})
	defer arm.Close()
	job.Endpoint = arm.Endpoint()
	started := cfg.Now()
	if result.Usage, err = child(ctx, filepath.Join(cfg.Programs, c.Program), c.Processors, job); err != nil {
		return result, err
	}
	result.Services = servicesCPU() - time.Duration(before.Load())
	result.Start = arm.FirstCall().Sub(started)
	result.ARM = arm.Observed()
	if result.Usage.Ended != s.Operations {
		return result, fmt.Errorf("%d of %d operations ended within %s", result.Usage.Ended, s.Operations, job.Limit)
	}
	return result, nil
}

// serve starts the local replacements of Azure's services, with a queue that has
// the properties of infra/.
func serve(ctx context.Context, job *work.Job) (stop func(), err error) {
	stop = func() {}
	tables, err := azurite.New(ctx, azurite.Config{Dir: job.Dir})
	if err != nil {
		return stop, fmt.Errorf("table service: %w", err)
	}
	// A failure to stop does not change the figures.
	stop = func() { _ = tables.Stop() }
	broker, err := servicebus.New(servicebus.Config{Queues: []servicebus.QueueConfig{{
		Name: settings.StepsQueue, LockDuration: 5 * time.Minute, MaxDeliveryCount: 10,
		DefaultTTL: 14 * 24 * time.Hour, DeadLetterOnExpiration: true, DuplicateDetectionWindow: 10 * time.Minute,
	}}})
	if err != nil {
		return stop, fmt.Errorf("service bus: %w", err)
	}
	job.Tables, job.Bus = tables.ConnectionString(), broker.ConnectionString()
	return func() { _, _ = broker.Close(), tables.Stop() }, nil
}

// child runs the contestant's process and returns its usage.
func child(ctx context.Context, program string, processors int, job work.Job) (work.Usage, error) {
	var usage work.Usage
	text, err := json.Marshal(job)
	if err != nil {
		return usage, fmt.Errorf("encode the job: %w", err)
	}
	cmd := exec.CommandContext(ctx, program)
	if processors > 0 {
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(processors))
	}
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &stderr
	if err := cmd.Run(); err != nil {
		return usage, fmt.Errorf("run the contestant's process: %w: %s", err, lastLine(stderr.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &usage); err != nil {
		return usage, fmt.Errorf("decode the contestant's usage: %w", err)
	}
	return usage, nil
}

// Percentile returns the p-th percentile of values in ascending order, and 0 if
// there are none.
func Percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
