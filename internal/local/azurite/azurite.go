// Package azurite runs the table service of Azurite, Microsoft's storage
// emulator, as a child process for the local stack and the tests.
//
// What it is not: only tables are served (no blobs, no queues), only shared
// keys are accepted (no Entra tokens, no shared access signatures are tried),
// and Azurite's own limits remain. The one that matters most: acknowledged
// writes reach the disk every five seconds and at an orderly end, so a killed
// Azurite may forget what real Table Storage would have kept.
package azurite

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	host = "127.0.0.1"
	// startLimit is far above the half second that a start takes on an idle
	// machine: a busy one with cold caches needs many times that.
	startLimit = 60 * time.Second
	// stopLimit bounds the orderly end, which writes the data to disk, before
	// the process is killed.
	stopLimit = 10 * time.Second
	// readyPrefix is what launcher.js prints, followed by the port.
	readyPrefix = "listening "
)

// launcher is the program that node runs: see its own comment for why Azurite's
// command line is not used.
//
//go:embed launcher.js
var launcher string

// Config says how to run the table service.
type Config struct {
	// Dir holds the data and the account, and is made if absent. A later
	// start with the same Dir finds both again. Empty keeps all in memory.
	Dir string
	// Port to listen on at 127.0.0.1; 0 takes a free one.
	Port int
	// Log receives what Azurite prints; nil discards it.
	Log *slog.Logger
}

// Server is a running table service.
type Server struct {
	account account
	port    int
	cancel  context.CancelFunc
	exited  chan struct{}
	err     error // how the process ended; read after exited is closed
}

// New runs the table service and returns when it serves. The service ends,
// in good order, when Stop is called, when ctx ends, and when this process
// ends for whatever reason.
//
// The error is ErrNotInstalled when Azurite or node is not there.
func New(ctx context.Context, cfg Config) (*Server, error) {
	home, err := find()
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: node is not on the path: %w", ErrNotInstalled, err)
	}
	acc, err := openAccount(cfg.Dir)
	if err != nil {
		return nil, err
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}

	life, cancel := context.WithCancel(ctx)
	s := &Server{account: acc, cancel: cancel, exited: make(chan struct{})}
	ready := make(chan int, 1)
	complaints := &bytes.Buffer{}
	cmd := exec.CommandContext(life, node, "-e", launcher, home, host, strconv.Itoa(cfg.Port), cfg.Dir)
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+acc.Name+":"+acc.Key)
	cmd.Stdout = &lines{each: func(line string) {
		if rest, ok := strings.CutPrefix(line, readyPrefix); ok {
			if port, err := strconv.Atoi(rest); err == nil {
				ready <- port
				return
			}
		}
		log.Info("azurite", "line", line)
	}}
	cmd.Stderr = &lines{each: func(line string) {
		if complaints.Len() < 4096 {
			complaints.WriteString(line + "\n")
		}
		log.Warn("azurite", "line", line)
	}}
	detach(cmd)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open azurite's standard input: %w", err)
	}
	cmd.Cancel = func() error { return end(cmd.Process, lifeline) }
	cmd.WaitDelay = stopLimit
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start azurite: %w", err)
	}
	go func() {
		s.err = cmd.Wait()
		if cmd.ProcessState.Success() {
			s.err = nil // Wait reports the ended context even after an orderly end.
		}
		close(s.exited)
	}()

	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case s.port = <-ready:
		return s, nil
	case <-s.exited:
		cancel()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("start azurite: %w", ctx.Err())
		}
		return nil, fmt.Errorf("azurite ended while starting: %w: %s", exitError(s.err), strings.TrimSpace(complaints.String()))
	case <-limit.C:
		cancel()
		<-s.exited
		return nil, fmt.Errorf("azurite does not listen after %s: %s", startLimit, strings.TrimSpace(complaints.String()))
	}
}

// Endpoint is the URL of the table service, account included, such as
// "http://127.0.0.1:10002/account".
func (s *Server) Endpoint() string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.port)) + "/" + s.account.Name
}

// ConnectionString is what aztables.NewServiceClientFromConnectionString and
// the setting AzureWebJobsStorage take.
func (s *Server) ConnectionString() string {
	return "DefaultEndpointsProtocol=http;AccountName=" + s.account.Name +
		";AccountKey=" + s.account.Key + ";TableEndpoint=" + s.Endpoint() + ";"
}

// Done is closed when the process has ended, whether it was asked to or not.
func (s *Server) Done() <-chan struct{} { return s.exited }

// Stop ends the service and returns when its process is gone. Every
// acknowledged write is on disk unless it returns an error: then the process
// did not end in good order, within ten seconds, and was killed. Stopping
// twice is allowed.
func (s *Server) Stop() error {
	s.cancel()
	<-s.exited
	if s.err != nil {
		return fmt.Errorf("stop azurite: %w", s.err)
	}
	return nil
}

// end asks for the orderly end: SIGINT where it exists (Azurite loses up to
// five seconds of writes on any other signal), and everywhere the end of
// standard input, which launcher.js takes for the same.
func end(p *os.Process, lifeline io.Closer) error {
	// Windows has no SIGINT, and the process may be gone: closing the lifeline
	// is enough for the one and harmless for the other.
	_ = p.Signal(os.Interrupt)
	return lifeline.Close()
}

func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// lines passes on what is written to it line by line, without the line end.
type lines struct {
	each func(string)
	part []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.each(strings.TrimRight(string(l.part[:i]), "\r"))
		l.part = l.part[i+1:]
	}
}
