package storageproxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"azbackupflow/internal/local/fault"
)

// hopByHop are the headers of a single connection (RFC 9110, 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// serve forwards one request to the service and returns its answer. It calls
// the hook before, between and after.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		drop(w)
		return
	}
	request := p.describe(r, body)
	p.hook.At(fault.Before, request)
	if clientGone(r.Context()) {
		drop(w)
		return
	}
	// A request that reached the service takes effect even if the client
	// disconnects.
	got, err := p.forward(context.WithoutCancel(r.Context()), r, body)
	if err != nil {
		drop(w) // The client sees the same as after a crash of the service.
		return
	}
	p.hook.At(fault.During, request)

	header := w.Header()
	for name, values := range got.header {
		header[name] = values
	}
	for _, name := range hopByHop {
		header.Del(name)
	}
	if got.status != http.StatusNoContent && got.status != http.StatusNotModified {
		// With a known length the client needs nothing more from the proxy, so that
		// After really follows the answer.
		header.Set("Content-Length", strconv.Itoa(len(got.payload)))
	}
	w.WriteHeader(got.status)
	if len(got.payload) > 0 {
		if _, err := w.Write(got.payload); err != nil {
			drop(w)
			return
		}
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return // The client has disconnected: there is no moment after an answer.
	}
	p.hook.At(fault.After, request)
}

// answer is a complete answer of the service.
type answer struct {
	status  int
	header  http.Header
	payload []byte
}

// forward sends the request to the target with the original path, query and
// host, and reads the complete answer.
func (p *Proxy) forward(ctx context.Context, r *http.Request, body []byte) (answer, error) {
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host = p.target.Scheme, p.target.Host
	out.RequestURI = ""
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		out.Body = http.NoBody
	}
	out.TransferEncoding = nil
	for _, name := range hopByHop {
		out.Header.Del(name)
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // Without this header the transport adds its own.
	}
	response, err := p.transport.RoundTrip(out)
	if err != nil {
		return answer{}, fmt.Errorf("forward to the storage service: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	payload, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer of the storage service: %w", err)
	}
	return answer{status: response.StatusCode, header: response.Header, payload: payload}, nil
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the server has already closed it
	}
	_ = c.Close()
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// clientGone reports whether the client has disconnected. The context of the
// request ends too, but only after the reader of the server has noticed; the
// socket knows at once.
func clientGone(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	c, ok := ctx.Value(connKey{}).(*conn)
	return ok && peerClosed(c.Conn)
}
