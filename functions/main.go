// Command handler is the custom handler of the Functions app: the Functions
// host starts it and calls it over HTTP, one folder beside this file per
// function.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/customhandler"
)

// version is set when the program is packaged.
var version = "dev" //nolint:gochecknoglobals // set by the linker

func main() {
	if err := run(context.Background()); err != nil {
		// stderr is what the host shows as an error.
		fmt.Fprintln(os.Stderr, "azbackupflow:", err)
		os.Exit(1)
	}
}

// run listens first: the host calls as soon as the port is open, and gives up
// on a program that does not answer.
func run(ctx context.Context) error {
	listener, err := customhandler.Listen(ctx, os.Getenv)
	if err != nil {
		return err
	}
	server, observer, err := newServer(ctx, world{
		environment: environment(),
		now:         time.Now, //nolint:forbidigo // the one place where the program meets the clock
		jitter:      rand.Float64,
		newID:       uuid.NewString,
		sleep:       sleep,
		version:     version,
		output:      os.Stdout,
	})
	if err != nil {
		return err
	}
	err = server.Serve(ctx, listener)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTelemetry)
	defer cancel()
	return errors.Join(err, observer.Close(last))
}

// lastTelemetry bounds the sending of what was not sent before the end.
const lastTelemetry = 5 * time.Second

func environment() map[string]string {
	all := map[string]string{}
	for _, line := range os.Environ() {
		name, value, _ := strings.Cut(line, "=")
		all[name] = value
	}
	return all
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newLogger writes JSON lines to stdout: the host takes every line on stderr
// for an error.
func newLogger(w world, level slog.Level) *slog.Logger {
	json := slog.NewJSONHandler(w.output, &slog.HandlerOptions{Level: level})
	return slog.New(customhandler.NewLogHandler(json))
}
