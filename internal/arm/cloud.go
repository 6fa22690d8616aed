package arm

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// The clouds that azcore knows.
const (
	CloudPublic       = "public"
	CloudUSGovernment = "usgovernment"
	CloudChina        = "china"
)

// serviceOf returns a cloud's ARM endpoint and token audience.
func serviceOf(name string) (cloud.ServiceConfiguration, error) {
	var c cloud.Configuration
	switch strings.ToLower(name) {
	case "", CloudPublic:
		c = cloud.AzurePublic
	case CloudUSGovernment:
		c = cloud.AzureGovernment
	case CloudChina:
		c = cloud.AzureChina
	default:
		return cloud.ServiceConfiguration{}, fmt.Errorf("azure resource manager: cloud %q is unknown; use %s, %s or %s",
			name, CloudPublic, CloudUSGovernment, CloudChina)
	}
	return c.Services[cloud.ResourceManager], nil
}

// parseEndpoint parses an ARM endpoint: scheme and host, nothing else.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, errors.New("azure resource manager: the endpoint is not a URL such as https://management.azure.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, fmt.Errorf("azure resource manager: endpoint %s://%s must have a scheme and a host only", u.Scheme, u.Host)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("azure resource manager: endpoint %s://%s must use https; http is for loopback hosts only", u.Scheme, u.Host)
	}
	return u, nil
}
