// Package loopback serves HTTP to this machine alone: stand-ins hand out tokens
// and keys to anyone who reaches them.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// readHeaderTimeout is how long a client may take to say what it wants.
const readHeaderTimeout = 30 * time.Second

// Server listens at a loopback address.
type Server struct {
	listener net.Listener
	http     *http.Server
	served   chan struct{}
}

// Listen takes a loopback address, IP and port; port 0 is any that is free.
// An address that other machines reach is refused.
func Listen(address string) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not a loopback address", host)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Server{listener: l, served: make(chan struct{})}, nil
}

// Endpoint is the server's base URL.
func (s *Server) Endpoint() string { return "http://" + s.listener.Addr().String() }

// Serve begins to serve. It is called once.
func (s *Server) Serve(h http.Handler, log *slog.Logger) {
	s.http = &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("stopped serving", "endpoint", s.Endpoint(), "error", err)
		}
	}()
}

// Close stops serving and drops every connection.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.served
	return err
}
