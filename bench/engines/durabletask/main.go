// Command durabletask runs the benchmark's operations with durabletask-go.
package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/microsoft/durabletask-go/api"
	"github.com/microsoft/durabletask-go/backend"
	"github.com/microsoft/durabletask-go/backend/sqlite"
	"github.com/microsoft/durabletask-go/task"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() {
	harness.Main(map[string]harness.Open{
		"durabletask-file":       openDurableTask("hub.sqlite", "", 1),
		"durabletask-file-tuned": openDurableTask("hub.sqlite", harness.InWAL, harness.Concurrency),
		"durabletask-memory":     openDurableTask("", "", harness.Concurrency),
	})
}

// hub runs durabletask-go with the orchestration that its documentation calls a
// monitor: it repeats an activity and a durable timer.
type hub struct {
	client backend.TaskHubClient
	worker backend.TaskHubWorker
}

// openDurableTask stores the task hub in a file, or in memory if the name is empty.
func openDurableTask(file, pragmas string, parallel int32) harness.Open {
	return func(ctx context.Context, w harness.Env) (harness.Runner, error) {
		c, err := harness.NewCalls(w)
		if err != nil {
			return nil, err
		}
		registry := task.NewTaskRegistry()
		if err := registry.AddOrchestratorN("wait", orchestrate(w)); err != nil {
			return nil, err
		}
		if err := registry.AddActivityN("start", func(a task.ActivityContext) (any, error) {
			var id string
			if err := a.GetInput(&id); err != nil {
				return nil, err
			}
			return c.Start(a.Context(), id)
		}); err != nil {
			return nil, err
		}
		if err := registry.AddActivityN("poll", func(a task.ActivityContext) (any, error) {
			var statusURL string
			if err := a.GetInput(&statusURL); err != nil {
				return nil, err
			}
			return c.Poll(a.Context(), statusURL)
		}); err != nil {
			return nil, err
		}
		if file != "" {
			file = "file:" + filepath.Join(w.Job.Dir, file) + pragmas
		}
		log := quiet{}
		store := sqlite.NewSqliteBackend(sqlite.NewSqliteOptions(file), log)
		executor := task.NewTaskExecutor(registry)
		worker := backend.NewTaskHubWorker(store,
			backend.NewOrchestrationWorker(store, executor, log, backend.WithMaxParallelism(parallel)),
			backend.NewActivityTaskWorker(store, executor, log, backend.WithMaxParallelism(parallel)), log)
		if err := worker.Start(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
		return &hub{client: backend.NewTaskHubClient(store), worker: worker}, nil
	}
}

func orchestrate(w harness.Env) task.Orchestrator {
	return func(o *task.OrchestrationContext) (any, error) {
		var id string
		if err := o.GetInput(&id); err != nil {
			return nil, err
		}
		var last harness.Answer
		if err := o.CallActivity("start", task.WithActivityInput(id)).Await(&last); err != nil {
			return nil, err
		}
		for url := last.StatusURL; !last.Done; {
			if err := o.CreateTimer(max(last.After, time.Millisecond)).Await(nil); err != nil {
				return nil, err
			}
			last = harness.Answer{}
			if err := o.CallActivity("poll", task.WithActivityInput(url)).Await(&last); err != nil {
				return nil, err
			}
		}
		w.Ended(id)
		return "Succeeded", nil
	}
}

func (h *hub) Start(ctx context.Context, id string) error {
	_, err := h.client.ScheduleNewOrchestration(ctx, "wait", api.WithInstanceID(api.InstanceID(id)), api.WithInput(id))
	return err
}

func (h *hub) Cost() *work.Cost { return nil }

func (h *hub) Close(ctx context.Context) error { return h.worker.Shutdown(ctx) }

// quiet is a logger without output, as the other engines have.
type quiet struct{}

func (quiet) Debug(...any)          {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Info(...any)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warn(...any)           {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Error(...any)          {}
func (quiet) Errorf(string, ...any) {}
