// Command goworkflows runs the benchmark's operations with go-workflows.
package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/monoprocess"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/registry"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() {
	harness.Main(map[string]harness.Open{
		"go-workflows-file":       openGoWorkflows("workflows.sqlite", "", false),
		"go-workflows-file-tuned": openGoWorkflows("workflows.sqlite", harness.InWAL+"&_rest=", true),
		"go-workflows-memory":     openGoWorkflows("", "", true),
	})
}

// workflows runs go-workflows with a workflow that repeats an activity and a timer.
type workflows struct {
	client *client.Client
	store  backend.Backend
	worker *worker.Worker
	stop   context.CancelFunc
}

// openGoWorkflows stores the workflows in a file, or in memory if the name is empty.
func openGoWorkflows(file, pragmas string, tuned bool) harness.Open {
	return func(ctx context.Context, w harness.Env) (harness.Runner, error) {
		c, err := harness.NewCalls(w)
		if err != nil {
			return nil, err
		}
		silent := sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler)))
		var store backend.Backend
		if file == "" {
			store = sqlite.NewInMemoryBackend(silent)
		} else {
			store = sqlite.NewSqliteBackend(filepath.Join(w.Job.Dir, file)+pragmas, silent)
		}
		options := worker.DefaultOptions
		if tuned {
			store = monoprocess.NewMonoprocessBackend(store)
			options.WorkflowPollingInterval = 10 * time.Millisecond
			options.ActivityPollingInterval = 10 * time.Millisecond
			options.WorkflowExecutorCacheSize = 4096
			options.WorkflowExecutorCacheTTL = 10 * time.Minute
		}
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		made := worker.New(store, &options)
		if err := register(made, c, w); err != nil {
			stop()
			return nil, err
		}
		if err := made.Start(running); err != nil {
			stop()
			return nil, err
		}
		return &workflows{client: client.New(store), store: store, worker: made, stop: stop}, nil
	}
}

func register(made *worker.Worker, c harness.Calls, w harness.Env) error {
	if err := made.RegisterWorkflow(waitInWorkflow(c, w), registry.WithName("wait")); err != nil {
		return err
	}
	if err := made.RegisterActivity(c.Start); err != nil {
		return err
	}
	return made.RegisterActivity(c.Poll)
}

func waitInWorkflow(c harness.Calls, w harness.Env) func(workflow.Context, string) error {
	return func(ctx workflow.Context, id string) error {
		last, err := workflow.ExecuteActivity[harness.Answer](ctx, workflow.DefaultActivityOptions, c.Start, id).Get(ctx)
		if err != nil {
			return err
		}
		for url := last.StatusURL; !last.Done; {
			if err := workflow.Sleep(ctx, max(last.After, time.Millisecond)); err != nil {
				return err
			}
			if last, err = workflow.ExecuteActivity[harness.Answer](ctx, workflow.DefaultActivityOptions, c.Poll, url).Get(ctx); err != nil {
				return err
			}
		}
		w.Ended(id)
		return nil
	}
}

func (f *workflows) Start(ctx context.Context, id string) error {
	_, err := f.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: id}, "wait", id)
	return err
}

func (f *workflows) Cost() *work.Cost { return nil }

// close does not close the store, because workers still use it until the process
// ends.
func (f *workflows) Close(context.Context) error {
	f.stop()
	return nil
}
