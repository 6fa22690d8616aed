// Package localstack starts the local stack for the commands local and demo.
//
// The package may not know what a command does with the stack.
package localstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/stack"
)

// ErrHostStopped is the error of a stack whose Functions host no longer restarts
// the handler.
var ErrHostStopped = errors.New("the Functions host no longer restarts the handler, which crashed too often; -v shows its log")

// Log selects what a stack logs.
type Log struct {
	Out io.Writer
	// Min is the lowest level of the lines to write, from the stack and from the
	// handler.
	Min slog.Level
}

// Verbosity returns the log of a command: all lines if verbose, else those at
// quiet or above.
func Verbosity(out io.Writer, verbose bool, quiet slog.Level) Log {
	if verbose {
		return Log{Out: out, Min: slog.LevelInfo}
	}
	return Log{Out: out, Min: quiet}
}

// Silent is a level above all lines.
const Silent = slog.LevelError + 100

// Start starts a stack that writes its log to log.
func Start(ctx context.Context, c stack.Config, log Log) (*stack.Stack, error) {
	c.Drills = true
	c.Log = slog.New(slog.NewTextHandler(log.Out, &slog.HandlerOptions{Level: log.Min}))
	c.Output = func(line functionshost.HandlerLine) {
		if line.Level >= log.Min {
			_, _ = fmt.Fprintln(log.Out, "handler: "+render.Plain(line.Text)) // a closed terminal cannot be reported anywhere
		}
	}
	s, err := stack.New(ctx, c)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("start the local stack: %w", err)
	}
	return s, nil
}

// WithHost returns a context that is canceled with ErrHostStopped when the
// Functions host stops.
func WithHost(ctx context.Context, host *functionshost.Host) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-host.Done():
			cancel(ErrHostStopped)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Guardrails returns the app settings that allow the deletes and restores of the
// examples. They are safe on the simulated Azure only.
func Guardrails() map[string]string {
	return map[string]string{
		"AZBACKUPFLOW_ALLOW_DELETE": "true",
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join([]string{
			"https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/restored",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/sqlvm",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/blobaccount1",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/restoredblobs",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2",
		}, ","),
		"AZBACKUPFLOW_DRILL_TARGETS": strings.Join([]string{
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills",
		}, ","),
	}
}
