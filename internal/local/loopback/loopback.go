// Package loopback serves HTTP on loopback addresses only, because stand-ins
// issue tokens and keys to every client.
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

// readHeaderTimeout bounds the time in which a client sends its headers.
const readHeaderTimeout = 30 * time.Second

// Listener listens on a loopback address and does not serve yet.
type Listener struct{ listener net.Listener }

// Server serves HTTP on a loopback address.
type Server struct {
	http   *http.Server
	served chan struct{}
}

// Listen listens on a loopback address, IP and port; port 0 means a free one.
// It rejects an address that other machines can reach.
func Listen(address string) (*Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("address %s is not a loopback address; use 127.0.0.1 or ::1", host)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Listener{listener: l}, nil
}

// Endpoint returns the base URL of the server.
func (l *Listener) Endpoint() string { return "http://" + l.listener.Addr().String() }

// Serve starts serving. It must be called only once.
func (l *Listener) Serve(h http.Handler, log *slog.Logger) *Server {
	s := &Server{
		http: &http.Server{
			Handler: h, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(l.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("server stopped", "endpoint", l.Endpoint(), "error", err)
		}
	}()
	return s
}

// Close stops serving and closes every connection.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.served
	return err
}
