package arm

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// UntrustedHost is a poll URL or next link that points to a host the token
// must not go to. Nothing was sent.
type UntrustedHost struct {
	// Host is the URL's host; its path and query are not kept.
	Host string
}

// Error names the host.
func (e *UntrustedHost) Error() string {
	return fmt.Sprintf("host %q is not Azure Resource Manager's and not among the trusted hosts", e.Host)
}

// trust decides which hosts may get the bearer token.
type trust struct {
	// hosts are host:port, lower case.
	hosts map[string]bool
	// suffix is that of the cloud's regional endpoints, such as
	// .management.azure.com; empty when the endpoint is not in that cloud.
	suffix string
	// plain: the endpoint is a loopback host without TLS.
	plain bool
}

func newTrust(endpoint, home *url.URL, more []string) (trust, error) {
	t := trust{hosts: map[string]bool{hostPort(endpoint): true}, plain: endpoint.Scheme == "http"}
	suffix := "." + strings.ToLower(home.Hostname())
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

// check refuses a URL that the token must not go to.
func (t trust) check(u *url.URL) error {
	secure := u.Scheme == "https" || (t.plain && u.Scheme == "http" && loopback(u.Hostname()))
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

// hostPort is the host with its port, so that a default port compares equal.
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

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Trusts reports whether Poll sends a request to the URL.
func (c *Client) Trusts(rawURL string) bool {
	u, err := exactURL(rawURL)
	return err == nil && c.trust.check(u) == nil
}
