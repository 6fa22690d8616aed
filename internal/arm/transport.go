package arm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// newHTTPClient makes the client that real calls use. It follows no redirect:
// ARM's Location headers belong to 202 answers, and a redirect would carry the
// token along.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   10,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			// A connection that died silently would otherwise eat one time-out
			// per call until the kernel gives it up.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// attempt notes how far one call came, to tell whether ARM can have seen it.
type attempt struct {
	// handed: the request reached the transport, so there was a token.
	handed atomic.Bool
	// connected: the transport had a connection to send it on.
	connected atomic.Bool
	// traced: the transport reports connections at all.
	traced atomic.Bool
}

type attemptKey struct{}

func withAttempt(ctx context.Context) (context.Context, *attempt) {
	a := &attempt{}
	return context.WithValue(ctx, attemptKey{}, a), a
}

// unsent reports whether the request that failed with err surely never left.
func (a *attempt) unsent(err error) bool {
	if !a.handed.Load() || (a.traced.Load() && !a.connected.Load()) {
		return true
	}
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return (errors.As(err, &op) && op.Op == "dial") || errors.As(err, &dns) || errors.As(err, &cert)
}

// transport is the last link of the pipeline: it notes how far a call came and
// bounds the answer.
type transport struct {
	inner  policy.Transporter
	traces bool
	limit  int64
}

func newTransport(inner policy.Transporter, limit int64) transport {
	t := transport{inner: inner, limit: limit}
	if c, ok := inner.(*http.Client); ok {
		_, own := c.Transport.(*http.Transport)
		t.traces = own || c.Transport == nil
	}
	return t
}

// Do sends the request.
func (t transport) Do(req *http.Request) (*http.Response, error) {
	if a, ok := req.Context().Value(attemptKey{}).(*attempt); ok {
		a.handed.Store(true)
		a.traced.Store(t.traces)
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
		}))
	}
	resp, err := t.inner.Do(req)
	if err != nil || resp == nil {
		return resp, err
	}
	resp.Body = &bounded{body: resp.Body, left: t.limit, limit: t.limit}
	return resp, nil
}

// errTooLarge is an answer longer than the limit.
var errTooLarge = errors.New("the answer is too large")

// bounded is a body that fails, rather than ends, at its limit.
type bounded struct {
	body        io.ReadCloser
	left, limit int64
}

// Read reads up to the limit.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLarge, b.limit)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, fmt.Errorf("%w: more than %d bytes", errTooLarge, b.limit)
	}
	return n, err
}

// Close closes the body.
func (b *bounded) Close() error { return b.body.Close() }

// credential marks the errors of the real one, so that "no token" is told from
// "no answer".
type credential struct {
	inner azcore.TokenCredential
}

type tokenError struct {
	err error
}

func (e *tokenError) Error() string { return "no token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// GetToken asks the real credential.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.inner.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, &tokenError{err: err}
	}
	return token, nil
}
