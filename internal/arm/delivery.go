package arm

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// delivery records how far a request got, to decide whether ARM can have
// received it.
type delivery struct {
	// hasToken: the request passed the policy that adds the token.
	hasToken atomic.Bool
	// connected: the transport had a connection for it.
	connected atomic.Bool
	// traced: the transport reports connections.
	traced atomic.Bool
}

// neverSent reports whether a request that failed with err was certainly not
// sent.
func (d *delivery) neverSent(err error) bool {
	if !d.hasToken.Load() || (d.traced.Load() && !d.connected.Load()) {
		return true
	}
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return (errors.As(err, &op) && op.Op == "dial") || errors.As(err, &dns) || errors.As(err, &cert)
}

// deliveryPolicy updates the request's delivery. It comes after the policy that
// adds the token.
type deliveryPolicy struct {
	// traced reports that the transport supports httptrace.
	traced bool
}

// Do passes the request on.
func (p deliveryPolicy) Do(req *policy.Request) (*http.Response, error) {
	var d *delivery
	if req.OperationValue(&d) {
		d.hasToken.Store(true)
		d.traced.Store(p.traced)
		req = req.WithContext(httptrace.WithClientTrace(req.Raw().Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { d.connected.Store(true) },
		}))
	}
	return req.Next()
}

// reportsConnections reports whether a transport supports httptrace.
func reportsConnections(t policy.Transporter) bool {
	c, ok := t.(*http.Client)
	if !ok {
		return false
	}
	_, standard := c.Transport.(*http.Transport)
	return standard || c.Transport == nil
}
