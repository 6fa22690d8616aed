package arm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// newHTTPClient returns the HTTP client for real calls. It follows no redirect:
// ARM's Location headers belong to 202 answers, and a redirect would forward
// the token.
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
			// Without pings, every call on a connection that died silently would
			// time out until the kernel closes the connection.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// limitedTransport limits the size of answers.
type limitedTransport struct {
	inner policy.Transporter
	limit int64
}

// Do sends the request.
func (t limitedTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.inner.Do(req)
	if err != nil || resp == nil {
		return resp, err
	}
	resp.Body = &limitedBody{body: resp.Body, left: t.limit, limit: t.limit}
	return resp, nil
}

// errTooLarge is the error of an answer that exceeds the limit.
var errTooLarge = errors.New("the answer is too large")

// limitedBody fails at its limit. An io.LimitReader would end there, and a
// truncated body could pass for a complete one.
type limitedBody struct {
	body        io.ReadCloser
	left, limit int64
}

// Read reads up to the limit.
func (b *limitedBody) Read(p []byte) (int, error) {
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
func (b *limitedBody) Close() error { return b.body.Close() }

// credential marks the errors of the real credential, to distinguish a missing
// token from a missing answer.
type credential struct {
	inner azcore.TokenCredential
}

// tokenError is an error of the credential.
type tokenError struct {
	err error
}

// Error describes the error.
func (e *tokenError) Error() string { return "no token: " + e.err.Error() }

// Unwrap returns the credential's error.
func (e *tokenError) Unwrap() error { return e.err }

// GetToken requests a token from the real credential.
func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.inner.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, &tokenError{err: err}
	}
	return token, nil
}
