package arm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNew_EachCloudHasItsEndpoint(t *testing.T) {
	t.Parallel()
	for cloud, host := range map[string]string{
		"": "management.azure.com", "public": "management.azure.com",
		"usgovernment": "management.usgovcloudapi.net", "china": "management.chinacloudapi.cn",
	} {
		client := newClient(t, func(c *Config) { c.Cloud = cloud })
		require.Equal(t, "https://"+host, client.endpoint.String())
	}
}

func TestNew_RejectsInvalidConfigurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"no credential":       {Now: testTime},
		"no clock":            {Credential: tokens{}},
		"unknown cloud":       {Credential: tokens{}, Now: testTime, Cloud: "germany"},
		"plain http":          {Credential: tokens{}, Now: testTime, Endpoint: "http://management.azure.com"},
		"endpoint with path":  {Credential: tokens{}, Now: testTime, Endpoint: "https://management.azure.com/x"},
		"endpoint with query": {Credential: tokens{}, Now: testTime, Endpoint: "https://management.azure.com?x"},
		"endpoint with user":  {Credential: tokens{}, Now: testTime, Endpoint: "https://a:b@management.azure.com"},
		"no URL":              {Credential: tokens{}, Now: testTime, Endpoint: "management.azure.com"},
		"trusted URL":         {Credential: tokens{}, Now: testTime, TrustedHosts: []string{"https://x"}},
		"trusted path":        {Credential: tokens{}, Now: testTime, TrustedHosts: []string{"x/y"}},
	} {
		_, err := New(c)
		require.Error(t, err, name)
	}
}

func TestNew_AllowsPlainHTTPOnLoopbackHostsOnly(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:1"} {
		_, err := New(Config{Credential: tokens{}, Now: testTime, Endpoint: endpoint})
		require.NoError(t, err, endpoint)
	}
}

func TestTrusts_AcceptsTrustedHostsOnly(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(c *Config) { c.TrustedHosts = []string{"proxy.example", "other.example:8443"} })
	for raw, trusted := range map[string]bool{
		"https://management.azure.com/x":                true,
		"https://Management.Azure.com:443/x":            true,
		"https://westeurope.management.azure.com/x":     true,
		"https://proxy.example/x":                       true,
		"https://other.example:8443/x":                  true,
		"http://management.azure.com/x":                 false,
		"http://management.azure.com:443/x":             false,
		"http://westeurope.management.azure.com/x":      false,
		"http://127.0.0.1/x":                            false,
		"https://management.azure.com:8443/x":           false,
		"https://westeurope.management.azure.com:444/x": false,
		"https://management.azure.com.evil.example/x":   false,
		"https://evilmanagement.azure.com/x":            false,
		"https://management.azure.com@evil.example/x":   false,
		"https://user@management.azure.com/x":           false,
		"https://management.chinacloudapi.cn/x":         false,
		"https://other.example/x":                       false,
	} {
		require.Equal(t, trusted, client.Trusts(raw), raw)
	}
}

func TestTrusts_OtherEndpointDoesNotTrustTheCloud(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(c *Config) {
		c.Endpoint, c.TrustedHosts = "http://127.0.0.1:9000", []string{"proxy.example"}
	})
	require.True(t, client.Trusts("https://proxy.example/x"))
	require.False(t, client.Trusts("http://proxy.example:443/x"), "only a loopback host needs no TLS")
	require.False(t, client.Trusts("https://management.azure.com/x"))
	require.False(t, client.Trusts("https://westeurope.management.azure.com/x"))
	require.True(t, client.Trusts("http://127.0.0.1:9000/x"))
	require.False(t, client.Trusts("http://127.0.0.1:9001/x"))
}
