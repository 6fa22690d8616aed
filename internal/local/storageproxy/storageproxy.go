// Package storageproxy forwards requests from the program under test to a table
// service or a blob service. It lets a test act at exact moments of a request, and
// simulate an outage of the service.
//
// What it does not do:
//
//   - It does not interpret requests beyond their method and table, or blob.
//   - It does not stream: it holds each request and answer in memory (Table
//     Storage allows 4 MiB).
//   - It has no TLS: it serves plain HTTP on loopback.
package storageproxy

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

// Config configures a Proxy.
type Config struct {
	// Target is the connection string of the table service. It must contain a
	// TableEndpoint; with Blobs, a BlobEndpoint.
	Target string
	// Blobs forwards to the blob service. Fault is then called with the service "blob"
	// and a kind of method and resource: "PUT blob", "GET blobs", "PUT container".
	Blobs bool
	// Fault is called at each moment of each request, with the service "table" and
	// a kind of method and table: "GET operations", "PATCH live", "BATCH
	// operations", "POST Tables". A nil Fault does nothing.
	//
	// If the client has disconnected when the hook returns from the moment Before,
	// the request is dropped and never reaches the service. A forwarded request
	// takes effect in every case.
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
	describe   func(r *http.Request, body []byte) fault.Request
	served     chan struct{}
}

const (
	tableKey = "TableEndpoint="
	blobKey  = "BlobEndpoint="
)

// New listens on a free loopback port and forwards to the target.
func New(ctx context.Context, cfg Config) (*Proxy, error) {
	key, describe := tableKey, tableRequest
	if cfg.Blobs {
		key, describe = blobKey, blobRequest
	}
	target, err := endpointOf(cfg.Target, key)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	inner, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the storage proxy: %w", err)
	}
	p := &Proxy{
		target:   target,
		listener: newListener(inner),
		// Answers are forwarded unchanged, so nothing is decompressed.
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
		hook:      cfg.Fault,
		describe:  describe,
		served:    make(chan struct{}),
	}
	p.connection = strings.Replace(cfg.Target, key+target.String(), key+p.Endpoint(), 1)
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ReadHeaderTimeout: time.Minute,
		ConnContext:       withConn,
		// Connections that tests close are not worth logging.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(p.listener) // Serve always returns an error: the server was closed.
	}()
	return p, nil
}

// endpointOf returns the endpoint in a connection string.
func endpointOf(connection, key string) (*url.URL, error) {
	name := strings.TrimSuffix(key, "=")
	for part := range strings.SplitSeq(connection, ";") {
		endpoint, ok := strings.CutPrefix(part, key)
		if !ok {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil {
			return nil, fmt.Errorf("the %s of the proxy's target is not a URL; check Config.Target", name)
		}
		return u, nil
	}
	return nil, fmt.Errorf("the proxy's target names no %s; use a connection string of a storage account with it", name)
}

// Endpoint returns the URL of the service through the proxy, with its account.
func (p *Proxy) Endpoint() string {
	return "http://" + p.listener.Addr().String() + p.target.EscapedPath()
}

// ConnectionString returns the connection string of the target with the
// endpoint of the proxy. Account and key stay the same, because the signature
// of a shared key does not cover the host name.
func (p *Proxy) ConnectionString() string { return p.connection }

// SetAvailable starts an outage of the service (false) or ends it (true).
// During an outage every connection is reset, even in the middle of a request.
// Requests that were already forwarded still take effect.
func (p *Proxy) SetAvailable(available bool) { p.listener.setAvailable(available) }

// Close stops the proxy and closes every connection.
func (p *Proxy) Close() error {
	err := p.server.Close()
	<-p.served
	p.transport.CloseIdleConnections()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the storage proxy: %w", err)
	}
	return nil
}
