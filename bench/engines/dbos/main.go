// Command dbos runs the benchmark's operations with DBOS Transact.
package main

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite" // The driver of sqlite: URLs.

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() {
	harness.Main(map[string]harness.Open{"dbos-file": open(false), "dbos-file-tuned": open(true)})
}

// transact runs DBOS Transact with a workflow that repeats a step and a durable
// sleep.
type transact struct {
	dbos dbos.Context
	wait dbos.Workflow[string, string]
}

// open stores the workflows in a sqlite file. Tuned, it opens the file in WAL mode.
func open(tuned bool) harness.Open {
	return func(ctx context.Context, w harness.Env) (harness.Runner, error) {
		c, err := harness.NewCalls(w)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(w.Job.Dir, "dbos.sqlite")
		config := dbos.Config{AppName: "bench", DatabaseURL: "sqlite:" + file, Logger: slog.New(slog.DiscardHandler)}
		if tuned {
			config.DatabaseURL = ""
			if config.SQLiteSystemDB, err = sql.Open("sqlite", "file:"+file+harness.InWAL+"&_pragma=busy_timeout(10000)"); err != nil {
				return nil, err
			}
			config.SQLiteSystemDB.SetMaxOpenConns(1)
		}
		made, err := dbos.NewContext(context.WithoutCancel(ctx), config)
		if err != nil {
			return nil, err
		}
		t := &transact{dbos: made, wait: wait(c, w)}
		dbos.RegisterWorkflow(made, t.wait, dbos.WithWorkflowName("wait"))
		return t, dbos.Launch(made)
	}
}

func wait(c harness.Calls, w harness.Env) dbos.Workflow[string, string] {
	return func(ctx dbos.Context, id string) (string, error) {
		last, err := dbos.RunAsStep(ctx, func(ctx context.Context) (harness.Answer, error) { return c.Start(ctx, id) })
		if err != nil {
			return "", err
		}
		for url := last.StatusURL; !last.Done; {
			if _, err := dbos.Sleep(ctx, max(last.After, time.Millisecond)); err != nil {
				return "", err
			}
			if last, err = dbos.RunAsStep(ctx, func(ctx context.Context) (harness.Answer, error) { return c.Poll(ctx, url) }); err != nil {
				return "", err
			}
		}
		w.Ended(id)
		return "Succeeded", nil
	}
}

// Start implements harness.Runner.
func (t *transact) Start(_ context.Context, id string) error {
	_, err := dbos.RunWorkflow(t.dbos, t.wait, id, dbos.WithWorkflowID(id))
	return err
}

// Cost implements harness.Runner.
func (t *transact) Cost() *work.Cost { return nil }

// Close implements harness.Runner.
func (t *transact) Close(context.Context) error { return dbos.Shutdown(t.dbos, 2*time.Second) }
