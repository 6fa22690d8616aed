// Command handler is the custom handler of the Functions app. The Functions
// host starts it and calls it over HTTP. Each folder next to this file describes
// one function.
//
// The package assembles the program: app.go shows the order, and storage.go,
// messaging.go, azure.go and register.go construct the parts. It must not know
// any business rule.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/customhandler"
)

// version is set by the linker when the program is packaged.
var version = "dev"

func main() {
	if err := run(context.Background()); err != nil {
		// The host shows lines on stderr as errors.
		fmt.Fprintln(os.Stderr, "azbackupflow:", err)
		os.Exit(1)
	}
}

// run reads the id of the host's process first, because the host may end while the
// program starts. It then opens the port: the host calls as soon as the port is
// open, and gives up on a program that does not respond.
func run(ctx context.Context) error {
	hostPID := os.Getppid()
	listener, err := customhandler.Listen(ctx, os.Getenv)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, world{
		environment: environment(),
		now:         time.Now, //nolint:forbidigo // the only place where the program reads the real clock
		jitter:      rand.Float64,
		newID:       uuid.NewString,
		parentPID:   os.Getppid,
		hostPID:     hostPID,
		sleep:       sleep,
		version:     version,
		output:      os.Stdout,
	})
	if err != nil {
		return err
	}
	err = a.server.Serve(ctx, listener)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFlush)
	defer cancel()
	return errors.Join(err, a.telemetry.Close(last))
}

// maxFlush limits the time to send the remaining telemetry at the end.
const maxFlush = 5 * time.Second

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

// newLogger returns a logger that writes JSON lines to stdout, because the host
// shows every line on stderr as an error.
func newLogger(output io.Writer, level slog.Level) *slog.Logger {
	json := slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level})
	return slog.New(customhandler.NewLogHandler(json))
}
