// Command river runs the benchmark's operations with River.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	_ "modernc.org/sqlite" // The driver of the file.

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() {
	harness.Main(map[string]harness.Open{"river-file": open(false), "river-file-tuned": open(true)})
}

// jobs runs River. River has no workflows: an operation is a job that snoozes until
// its next poll, and keeps its status URL in its metadata.
type jobs struct {
	client *river.Client[*sql.Tx]
	file   *sql.DB
}

// waiting are the arguments of a job.
type waiting struct {
	ID string `json:"id"`
}

// Kind implements river.JobArgs.
func (waiting) Kind() string { return "wait" }

// worker makes one call for each run of a job.
type worker struct {
	river.WorkerDefaults[waiting]
	calls harness.Calls
	ended func(string)
}

// Work implements river.Worker.
func (k *worker) Work(ctx context.Context, job *river.Job[waiting]) error {
	var saved struct {
		Output harness.Answer `json:"output"`
	}
	if err := json.Unmarshal(job.Metadata, &saved); err != nil {
		return err
	}
	if saved.Output.StatusURL == "" {
		last, err := k.calls.Start(ctx, job.Args.ID)
		if err != nil {
			return err
		}
		if err := river.RecordOutput(ctx, last); err != nil {
			return err
		}
		return river.JobSnooze(max(last.After, time.Millisecond))
	}
	last, err := k.calls.Poll(ctx, saved.Output.StatusURL)
	if err != nil {
		return err
	}
	if !last.Done {
		return river.JobSnooze(max(last.After, time.Millisecond))
	}
	k.ended(job.Args.ID)
	return nil
}

// open stores the jobs in a sqlite file. Tuned, it opens the file in WAL mode and
// looks for jobs more often.
func open(tuned bool) harness.Open {
	return func(ctx context.Context, w harness.Env) (harness.Runner, error) {
		c, err := harness.NewCalls(w)
		if err != nil {
			return nil, err
		}
		name := "file:" + filepath.Join(w.Job.Dir, "river.sqlite")
		if tuned {
			name += harness.InWAL
		}
		file, err := sql.Open("sqlite", name)
		if err != nil {
			return nil, err
		}
		file.SetMaxOpenConns(1)
		driver := riversqlite.New(file)
		migrator, err := rivermigrate.New(driver, nil)
		if err != nil {
			return nil, err
		}
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return nil, err
		}
		workers := river.NewWorkers()
		river.AddWorker(workers, &worker{calls: c, ended: w.Ended})
		config := &river.Config{
			Logger: slog.New(slog.DiscardHandler), Workers: workers,
			Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: harness.Concurrency}},
		}
		if tuned {
			config.FetchCooldown, config.FetchPollInterval = 5*time.Millisecond, 20*time.Millisecond
		}
		client, err := river.NewClient(driver, config)
		if err != nil {
			return nil, err
		}
		return &jobs{client: client, file: file}, client.Start(context.WithoutCancel(ctx))
	}
}

// Start implements harness.Runner.
func (j *jobs) Start(ctx context.Context, id string) error {
	_, err := j.client.Insert(ctx, waiting{ID: id}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}})
	return err
}

// Cost implements harness.Runner.
func (j *jobs) Cost() *work.Cost { return nil }

// Close implements harness.Runner.
func (j *jobs) Close(ctx context.Context) error {
	if err := j.client.StopAndCancel(ctx); err != nil {
		return err
	}
	return j.file.Close()
}
