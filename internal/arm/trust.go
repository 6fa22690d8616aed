package arm

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// UntrustedHost is the error of a poll URL or next link to a host that must not
// receive the token. Nothing was sent.
type UntrustedHost struct {
	// Host is the URL's host. Path and query are not kept.
	Host string
}

// Error names the host.
func (e *UntrustedHost) Error() string {
	return fmt.Sprintf("host %q is neither Azure Resource Manager nor a trusted host", e.Host)
}

// pollHostError is both an *UntrustedHost and the *operation.Error that the
// engine handles.
type pollHostError struct {
	err  operation.Error
	host *UntrustedHost
}

// Error describes the error.
func (e *pollHostError) Error() string { return e.err.Error() }

// Unwrap returns both errors.
func (e *pollHostError) Unwrap() []error { return []error{&e.err, e.host} }

// untrustedPollHost adds the operation error to the error of trust.check.
func untrustedPollHost(err error) error {
	var untrusted *UntrustedHost
	if !errors.As(err, &untrusted) {
		return err
	}
	return &pollHostError{
		err: operation.Error{
			Code: azerr.CodeUntrustedPollHost, Class: operation.Fatal, Message: untrusted.Error(),
			RecommendedAction: []string{"If the host belongs to Azure, add it to the app's trusted hosts; docs/settings.md names the setting."},
		},
		host: untrusted,
	}
}

// trust decides which hosts may receive the bearer token.
type trust struct {
	// hosts are host:port in lower case.
	hosts map[string]bool
	// suffix is the suffix of the cloud's regional endpoints, such as
	// .management.azure.com. It is empty if the endpoint is not in that cloud.
	suffix string
	// plain reports that the endpoint is a loopback host without TLS.
	plain bool
}

// newTrust trusts the endpoint, the regional endpoints of its cloud and the
// configured hosts.
func newTrust(endpoint, cloudEndpoint *url.URL, more []string) (trust, error) {
	t := trust{hosts: map[string]bool{hostPort(endpoint): true}, plain: endpoint.Scheme == "http"}
	suffix := "." + strings.ToLower(cloudEndpoint.Hostname())
	if strings.HasSuffix("."+strings.ToLower(endpoint.Hostname()), suffix) {
		t.suffix = suffix
	}
	for _, h := range more {
		u, err := url.Parse("https://" + h)
		if err != nil || u.Host != h || u.Hostname() == "" {
			return trust{}, fmt.Errorf("azure resource manager: trusted host %q is not a host or host:port", h)
		}
		t.hosts[hostPort(u)] = true
	}
	return t, nil
}

// check returns an *UntrustedHost for a URL that must not receive the token.
func (t trust) check(u *url.URL) error {
	secure := u.Scheme == "https" || (t.plain && u.Scheme == "http" && isLoopback(u.Hostname()))
	if !secure || u.User != nil {
		return &UntrustedHost{Host: u.Host}
	}
	if t.hosts[hostPort(u)] {
		return nil
	}
	if t.suffix != "" && strings.HasSuffix(strings.ToLower(u.Hostname()), t.suffix) && (u.Port() == "" || u.Port() == "443") {
		return nil
	}
	return &UntrustedHost{Host: u.Host}
}

// Trusts reports whether Poll sends a request to the URL.
func (c *Client) Trusts(rawURL string) bool {
	u, err := exactURL(rawURL)
	return err == nil && c.trust.check(u) == nil
}

// hostPort returns the host with its port, so that default ports compare equal.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
