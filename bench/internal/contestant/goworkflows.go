package contestant

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

	"azbackupflow/bench/internal/work"
)

// workflows runs go-workflows with a workflow that repeats an activity and a timer.
type workflows struct {
	client *client.Client
	store  backend.Backend
	worker *worker.Worker
	stop   context.CancelFunc
}

// openGoWorkflows stores the workflows in a file, or in memory if the name is empty.
func openGoWorkflows(file, pragmas string, tuned bool) func(context.Context, environment) (runner, error) {
	return func(ctx context.Context, w environment) (runner, error) {
		c, err := newCalls(w)
		if err != nil {
			return nil, err
		}
		silent := sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler)))
		var store backend.Backend
		if file == "" {
			store = sqlite.NewInMemoryBackend(silent)
		} else {
			store = sqlite.NewSqliteBackend(filepath.Join(w.job.Dir, file)+pragmas, silent)
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

func register(made *worker.Worker, c calls, w environment) error {
	if err := made.RegisterWorkflow(waitInWorkflow(c, w), registry.WithName("wait")); err != nil {
		return err
	}
	if err := made.RegisterActivity(c.start); err != nil {
		return err
	}
	return made.RegisterActivity(c.poll)
}

func waitInWorkflow(c calls, w environment) func(workflow.Context, string) error {
	return func(ctx workflow.Context, id string) error {
		last, err := workflow.ExecuteActivity[answer](ctx, workflow.DefaultActivityOptions, c.start, id).Get(ctx)
		if err != nil {
			return err
		}
		for url := last.StatusURL; !last.Done; {
			if err := workflow.Sleep(ctx, max(last.After, time.Millisecond)); err != nil {
				return err
			}
			if last, err = workflow.ExecuteActivity[answer](ctx, workflow.DefaultActivityOptions, c.poll, url).Get(ctx); err != nil {
				return err
			}
		}
		w.ended(id)
		return nil
	}
}

func (f *workflows) start(ctx context.Context, id string) error {
	_, err := f.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: id}, "wait", id)
	return err
}

func (f *workflows) cost() *work.Cost { return nil }

// close does not close the store, because workers still use it until the process
// ends.
func (f *workflows) close(context.Context) error {
	f.stop()
	return nil
}
