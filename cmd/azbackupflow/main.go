// Command azbackupflow is the command line of azbackupflow. It starts and shows
// operations through the HTTP API of a deployment, checks declaration files, and
// runs the local stack.
//
// The command may not know how operations are stored or run. Only the commands
// local and demo use internal/local, and only commands that work offline use the
// packages that parse and check files.
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
	// The first signal stops the command gracefully, the second one at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		stdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		stdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		stderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		stdoutColumns:  func() int { return columns(os.Stdout) },
		stderrColumns:  func() int { return columns(os.Stderr) },
		lookup:         os.LookupEnv,
		now:            now, sleep: sleep, ticks: ticks,
		newKey: uuid.NewString, configDir: userConfigDir(), openBrowser: openBrowser,
	})
	stop()
	os.Exit(code)
}

// columns returns the width of a terminal.
func columns(terminal *os.File) int {
	const usual = 80 // of a terminal that does not tell its width
	width, _, err := term.GetSize(int(terminal.Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return width
}
