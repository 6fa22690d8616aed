// Package tableproxy stands between the program under test and a table
// service, and lets a test act at exact points of a request, or take the
// service away and give it back.
//
// What it is not: it knows nothing of what a request means beyond its method
// and its table, it keeps each request and answer in memory whole (Table
// Storage allows 4 MiB), and it speaks plain HTTP on loopback only.
package tableproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"azbackupflow/internal/local/fault"
)

// Config says what stands behind the proxy.
type Config struct {
	// Target is the connection string of the table service; it must name a
	// TableEndpoint.
	Target string
	// Fault is called at each moment of each request, with the service
	// "table" and the method and table as kind: "GET operations", "PATCH
	// live", "BATCH operations", "POST Tables". A nil Fault does nothing.
	//
	// A request whose client is gone when the hook returns from the moment
	// Before is dropped there and never reaches the service. Once forwarded
	// it takes effect, whatever becomes of its client.
	Fault fault.Hook
}

// Proxy is a running proxy.
type Proxy struct {
	target     *url.URL
	connection string // of the proxy
	listener   *listener
	server     *http.Server
	transport  *http.Transport
	hook       fault.Hook
	served     chan struct{}
}

const endpointKey = "TableEndpoint="

// New listens on a free loopback port and forwards to the target.
func New(ctx context.Context, cfg Config) (*Proxy, error) {
	target, err := tableEndpoint(cfg.Target)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	inner, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the table proxy: %w", err)
	}
	p := &Proxy{
		target:   target,
		listener: newListener(inner),
		// An answer goes on as it came, so nothing is unpacked.
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
		hook:      cfg.Fault,
		served:    make(chan struct{}),
	}
	p.connection = strings.Replace(cfg.Target, endpointKey+target.String(), endpointKey+p.Endpoint(), 1)
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ReadHeaderTimeout: time.Minute,
		ConnContext:       withConn,
		// Connections that tests cut are no news.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(p.listener) // Always an error: that it was closed.
	}()
	return p, nil
}

// tableEndpoint reads the endpoint from a connection string.
func tableEndpoint(connection string) (*url.URL, error) {
	for part := range strings.SplitSeq(connection, ";") {
		endpoint, ok := strings.CutPrefix(part, endpointKey)
		if !ok {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil {
			return nil, errors.New("the table proxy's target has a TableEndpoint that is no URL")
		}
		return u, nil
	}
	return nil, errors.New("the table proxy's target names no TableEndpoint")
}

// Endpoint is the URL of the table service through the proxy, account
// included.
func (p *Proxy) Endpoint() string {
	return "http://" + p.listener.Addr().String() + p.target.EscapedPath()
}

// ConnectionString is the target's with the proxy's endpoint: the account and
// its key are the same, because what a shared key signs holds no host name.
func (p *Proxy) ConnectionString() string { return p.connection }

// SetAvailable takes the table service away, or gives it back. While it is
// away, every connection is reset, those in the middle of a request included.
// What had been forwarded by then still takes effect.
func (p *Proxy) SetAvailable(available bool) { p.listener.setAvailable(available) }

// Close ends the proxy and every connection through it.
func (p *Proxy) Close() error {
	err := p.server.Close()
	<-p.served
	p.transport.CloseIdleConnections()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the table proxy: %w", err)
	}
	return nil
}
