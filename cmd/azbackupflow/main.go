// Command azbackupflow is the operator's command line: it starts operations and
// shows what becomes of them, over the HTTP API of a deployment, and it runs the
// local stack.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/google/uuid"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// The first signal stops in good order, a second one at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal:      term.IsTerminal(int(os.Stdout.Fd())),
		errorTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		lookup:        os.LookupEnv,
		now:           now, sleep: sleep, ticks: ticks,
		newKey: uuid.NewString,
	})
	stop()
	os.Exit(code)
}
