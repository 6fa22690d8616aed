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

// PortSetting is the environment variable with the port that the host chose.
const PortSetting = "FUNCTIONS_CUSTOMHANDLER_PORT"

// maxStop limits the time for running invocations to finish after a stop signal.
// The host itself waits less and then kills the process.
const maxStop = 10 * time.Second

// Listen opens the port that the host chose, on the loopback interface, because
// the host calls 127.0.0.1. Call it before all other construction: the host gives
// up on a program that does not respond within 30 seconds. Requests wait until
// Serve.
func Listen(ctx context.Context, getenv func(string) string) (net.Listener, error) {
	value := getenv(PortSetting)
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, not a port; the Functions host must start this program", PortSetting, value)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.FormatUint(port, 10)))
	if err != nil {
		return nil, fmt.Errorf("listen on the port of the Functions host: %w", err)
	}
	return listener, nil
}

// Serve responds to the host until ctx ends, the process receives SIGTERM or
// SIGINT, or the host's process has ended. It then waits a few seconds for running
// invocations and returns nil. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, unwatch := s.watchHost(ctx)
	defer unwatch(nil)
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the Functions host: %w", err)
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), errHostGone) {
		s.cfg.Log.WarnContext(ctx, "program ends", "reason", errHostGone)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxStop)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		s.cfg.Log.WarnContext(grace, "invocations interrupted", "error", err)
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close the server: %w", err)
		}
	}
	return nil
}
