// Package azurite runs Azurite, Microsoft's storage emulator, as a child process
// for the local stack and the tests: its table service, and on request its blob and
// queue services.
//
// What it does not do:
//
//   - It accepts only shared keys: Entra tokens and shared access signatures
//     are not supported.
//   - It does not lift Azurite's own limits. Most important: acknowledged
//     writes reach the disk every five seconds and on a clean stop, so a killed
//     Azurite may lose writes that Table Storage would keep.
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
	// startLimit is far above the half second of a start on an idle machine,
	// because a busy machine with cold caches needs much longer.
	startLimit = 60 * time.Second
	// stopLimit bounds the clean stop, which writes the data to disk. After it the
	// process is killed.
	stopLimit = 10 * time.Second
	// maxErrorBytes bounds the error output that an error message repeats.
	maxErrorBytes = 4096
	// readyPrefix precedes the ports in the output of launcher.js.
	readyPrefix = "listening "
)

// launcher is the program that node runs. Its comment explains why Azurite's
// own command line is not used.
//
//go:embed launcher.js
var launcher string

// Config configures a Server.
type Config struct {
	// Dir holds the data and the account, and is created if absent. A later start
	// with the same Dir finds both. Empty keeps everything in memory.
	Dir string
	// Port is the port of the table service on 127.0.0.1; 0 means a free one.
	Port int
	// Blobs and Queues also start the blob and the queue service, on free ports.
	Blobs, Queues bool
	// Log receives the output of Azurite; nil discards it.
	Log *slog.Logger
}

// Server is a running table service.
type Server struct {
	account account
	ports   ports
	cancel  context.CancelFunc
	exited  chan struct{}
	err     error // result of the process; read after exited is closed
}

// ports are the ports of the services, 0 for one that does not run.
type ports struct{ table, blob, queue int }

// New starts the table service and returns when it serves. The service stops
// cleanly when Stop is called, when ctx ends, and when this process ends for
// any reason.
//
// The error is ErrNotInstalled if Azurite or node is missing.
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
	life, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(life, node, "-e", launcher, home, host, strconv.Itoa(cfg.Port), cfg.Dir, strconv.FormatBool(cfg.Blobs), strconv.FormatBool(cfg.Queues))
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+acc.Name+":"+acc.Key)
	out := capture(cmd, cfg.Log)
	s := &Server{account: acc, cancel: cancel, exited: make(chan struct{})}
	if err := s.start(cmd); err != nil {
		cancel()
		return nil, err
	}
	if err := s.awaitReady(ctx, out); err != nil {
		cancel()
		<-s.exited
		return nil, err
	}
	return s, nil
}

// output holds the output of a starting process.
type output struct {
	ports  chan ports
	errors *bytes.Buffer // read after the process has ended
}

// capture logs the output of the process, and collects its ports and the first
// errors.
func capture(cmd *exec.Cmd, log *slog.Logger) output {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	out := output{ports: make(chan ports, 1), errors: &bytes.Buffer{}}
	cmd.Stdout = &lines{each: func(line string) {
		if rest, ok := strings.CutPrefix(line, readyPrefix); ok {
			var p ports
			if _, err := fmt.Sscan(rest, &p.table, &p.blob, &p.queue); err == nil {
				out.ports <- p
				return
			}
		}
		log.Info("azurite", "line", line)
	}}
	cmd.Stderr = &lines{each: func(line string) {
		if out.errors.Len() < maxErrorBytes {
			out.errors.WriteString(line + "\n")
		}
		log.Warn("azurite", "line", line)
	}}
	return out
}

// start starts the process and waits for its end in the background.
func (s *Server) start(cmd *exec.Cmd) error {
	detach(cmd)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open azurite's standard input: %w", err)
	}
	cmd.Cancel = func() error { return end(cmd.Process, lifeline) }
	cmd.WaitDelay = stopLimit
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start azurite: %w", err)
	}
	go func() {
		s.err = cmd.Wait()
		if cmd.ProcessState.Success() {
			s.err = nil // Wait reports the ended context even after a clean stop.
		}
		close(s.exited)
	}()
	return nil
}

// awaitReady waits until the process listens, and sets the ports. On an error
// the process has ended.
func (s *Server) awaitReady(ctx context.Context, out output) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case s.ports = <-out.ports:
		return nil
	case <-s.exited:
		if ctx.Err() != nil {
			return fmt.Errorf("start azurite: %w", ctx.Err())
		}
		return fmt.Errorf("azurite ended while starting: %w: %s", exitError(s.err), strings.TrimSpace(out.errors.String()))
	case <-limit.C:
		s.cancel()
		<-s.exited
		return fmt.Errorf("azurite does not listen after %s: %s", startLimit, strings.TrimSpace(out.errors.String()))
	}
}

// Endpoint returns the URL of the table service with its account, such as
// "http://127.0.0.1:10002/account".
func (s *Server) Endpoint() string { return s.endpoint(s.ports.table) }

func (s *Server) endpoint(port int) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/" + s.account.Name
}

// ConnectionString returns the connection string of the services that run, for
// aztables.NewServiceClientFromConnectionString and the setting
// AzureWebJobsStorage.
func (s *Server) ConnectionString() string {
	text := "DefaultEndpointsProtocol=http;AccountName=" + s.account.Name + ";AccountKey=" + s.account.Key + ";"
	for _, service := range []struct {
		name string
		port int
	}{{"BlobEndpoint", s.ports.blob}, {"QueueEndpoint", s.ports.queue}, {"TableEndpoint", s.ports.table}} {
		if service.port != 0 {
			text += service.name + "=" + s.endpoint(service.port) + ";"
		}
	}
	return text
}

// Done returns a channel that is closed when the process has ended for any
// reason.
func (s *Server) Done() <-chan struct{} { return s.exited }

// Stop stops the service and returns when its process has ended. If it returns
// nil, every acknowledged write is on disk. If the process does not stop
// cleanly within ten seconds, it is killed and Stop returns an error. Stop may
// be called more than once.
func (s *Server) Stop() error {
	s.cancel()
	<-s.exited
	if s.err != nil {
		return fmt.Errorf("stop azurite: %w", s.err)
	}
	return nil
}

// end requests a clean stop with SIGINT where it exists (Azurite loses up to
// five seconds of writes on any other signal), and everywhere by closing
// standard input, which launcher.js treats in the same way.
func end(p *os.Process, lifeline io.Closer) error {
	// Signal fails on Windows, which has no SIGINT, and for an ended process.
	// Closing the lifeline is enough in the first case and harmless in the second.
	_ = p.Signal(os.Interrupt)
	return lifeline.Close()
}

func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// lines calls each with every complete line written to it, without the line
// end.
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
