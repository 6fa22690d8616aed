package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client"
)

// libraryPhrases are words of Go's libraries that tell a user nothing.
var libraryPhrases = []string{"dial", "tcp", "lookup", "EOF", "read:", "write:", "syscall", "connect:", "x509", "tls:", "net/http", "i/o", "Get \"", "invalid character", "nmarshal"}

func requireWords(t *testing.T, text string) {
	t.Helper()
	for _, phrase := range libraryPhrases {
		require.NotContains(t, text, phrase)
	}
}

type failingTransport struct{ err error }

func (f failingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func unreachableBy(t *testing.T, transport http.RoundTripper, address string) error {
	t.Helper()
	c, err := client.New(client.Config{
		URL: address, HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}, Now: func() time.Time { return time.Unix(0, 0) },
		Sleep: func(context.Context, time.Duration) error { return nil },
	})
	require.NoError(t, err)
	_, err = c.Get(t.Context(), "id")
	require.True(t, client.IsUnavailable(err), "%v", err)
	return err
}

func TestUnreachable_NamesTheReasonInWords(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, x := range []struct {
		err  error
		want string
	}{
		{dial(&net.DNSError{Err: "no such host", Name: "func-x.azurewebsites.net", IsNotFound: true}), "the host name func-x.azurewebsites.net does not exist"},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "func-x.azurewebsites.net", IsTemporary: true}), "the name server does not answer for func-x.azurewebsites.net"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "nothing listens at this address: connection refused"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "the network has no route to this address"},
		{dial(os.ErrDeadlineExceeded), "no response in time"},
		{dial(errors.New("connectex: something of Windows")), "no connection to this address"},
		{&net.OpError{Op: "proxyconnect", Err: errors.New("x")}, "the proxy of HTTPS_PROXY or HTTP_PROXY cannot be reached"},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "the connection broke before the response was complete"},
		{io.EOF, "the connection broke before the response was complete"},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), "the connection broke before the response was complete"},
		{x509.UnknownAuthorityError{}, "the certificate of the server is signed by an unknown authority"},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, "the certificate of the server is for another host name"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "the certificate of the server has expired, or this machine's clock is wrong"},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, "the certificate of the server is not valid"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "the server does not speak TLS"},
		{http.ErrSchemeMismatch, "the server answers over http, not https"},
		{errors.New("net/http: something new"), "the connection failed"},
	} {
		err := unreachableBy(t, failingTransport{x.err}, "http://127.0.0.1:7071")
		require.Contains(t, err.Error(), "http://127.0.0.1:7071: "+x.want)
		require.ErrorIs(t, err, innermost(x.err), "the cause is kept")
		requireWords(t, err.Error())
	}
}

// innermost returns an error that an error wraps, if it can be compared.
func innermost(err error) error {
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED, os.ErrDeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

// The reasons of real connections.
func TestUnreachable_ExplainsRealConnections(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"id":`))
	}))
	t.Cleanup(cut.Close)
	text := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(text.Close)
	for _, x := range []struct{ address, want string }{
		{closed.URL, "connection refused"},
		{secure.URL, "signed by an unknown authority"},
		{strings.Replace(plain.URL, "http:", "https:", 1), "over http, not https"},
		{cut.URL, "the connection broke before the response was complete"},
		{text.URL, "HTTP 200 with a body that is not azbackupflow's JSON"},
	} {
		_, err := url.Parse(x.address)
		require.NoError(t, err)
		err = unreachableBy(t, &http.Transport{}, x.address)
		require.Contains(t, err.Error(), x.want)
		requireWords(t, err.Error())
	}
}
