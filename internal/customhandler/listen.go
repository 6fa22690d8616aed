package customhandler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// PortSetting is the environment variable in which the host names the port to
// listen on.
const PortSetting = "FUNCTIONS_CUSTOMHANDLER_PORT"

// stopGrace is how long running invocations may take to finish once the
// program is told to stop. The host itself allows less and then kills.
const stopGrace = 10 * time.Second

// Listen opens the port that the host named, on the loopback interface: the
// host calls 127.0.0.1. Open it first and build everything else after it, since
// the host gives up on a program that does not answer within 30 seconds;
// requests wait until Serve.
func Listen(ctx context.Context, getenv func(string) string) (net.Listener, error) {
	value := getenv(PortSetting)
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, not a port: start this program through the functions host", PortSetting, value)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.FormatUint(port, 10)))
	if err != nil {
		return nil, fmt.Errorf("listen on the port that the host named: %w", err)
	}
	return listener, nil
}

// Serve answers the host until ctx ends or the process receives SIGTERM or
// SIGINT; then it lets running invocations finish for a few seconds and
// returns nil. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the functions host: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		s.log.WarnContext(grace, "invocations were cut off", "error", err)
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close the server: %w", err)
		}
	}
	return nil
}
