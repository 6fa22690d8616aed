package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// connectionError is the reason why a call got no usable response, in words. It
// wraps the error of the library.
type connectionError struct {
	reason string
	cause  error
}

// Error returns the reason without the library's text.
func (e *connectionError) Error() string { return e.reason }

// Unwrap returns the library's error.
func (e *connectionError) Unwrap() error { return e.cause }

// explained returns a connection error with its reason in words.
func explained(err error) error { return &connectionError{reason: connectionReason(err), cause: err} }

// connectionReason returns why a connection failed.
func connectionReason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name " + dns.Name + " does not exist"
	case errors.As(err, &dns):
		return "the name server does not answer for " + dns.Name
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server answers over http, not https; check the address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at this address: connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "the network has no route to this address"
	}
	if reason := certificateReason(err); reason != "" {
		return reason
	}
	var timeout net.Error
	var failed *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no response in time"
	case errors.As(err, &failed) && failed.Op == "proxyconnect":
		return "the proxy of HTTPS_PROXY or HTTP_PROXY cannot be reached"
	case errors.As(err, &failed) && failed.Op == "dial":
		return "no connection to this address"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection broke before the response was complete"
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "the server does not speak HTTP; check the address"
	}
	return "the connection failed"
}

// certificateReason returns what is wrong with the certificate of the server;
// empty if the error is about something else.
func certificateReason(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var other *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown):
		return "the certificate of the server is signed by an unknown authority"
	case errors.As(err, &host):
		return "the certificate of the server is for another host name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of the server has expired, or this machine's clock is wrong"
	case errors.As(err, &invalid), errors.As(err, &other):
		return "the certificate of the server is not valid"
	case errors.As(err, &record):
		return "the server does not speak TLS; check whether the address begins with http or https"
	}
	return ""
}
