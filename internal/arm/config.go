package arm

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	armpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/policy"
	armruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"azbackupflow/internal/ratelimit"
)

// The clouds that azcore knows.
const (
	CloudPublic       = "public"
	CloudUSGovernment = "usgovernment"
	CloudChina        = "china"
)

const (
	// DefaultTimeout is how long one call may take, its token included.
	DefaultTimeout = 30 * time.Second
	// maxAnswer bounds the body of an answer; the longest lists of Azure Backup
	// come in pages far below it.
	maxAnswer = 8 << 20
)

// Config says which Azure Resource Manager to call, and how.
type Config struct {
	// Cloud is one of the Cloud constants; empty means public.
	Cloud string
	// Endpoint replaces the cloud's ARM endpoint. It must be https, except on
	// a loopback host.
	Endpoint string
	// Audience replaces the cloud's token audience.
	Audience string
	// TrustedHosts are further hosts (host or host:port) that poll URLs and
	// next links may point to; the bearer token goes there.
	TrustedHosts []string
	// Credential gives the tokens.
	Credential azcore.TokenCredential
	// Transport replaces the HTTP client; it must not follow redirects.
	Transport policy.Transporter
	// Timeout bounds one call; zero means DefaultTimeout.
	Timeout time.Duration
	// Budget puts off calls that Azure would refuse; nil lets every call through.
	Budget *ratelimit.Ledger
	// Clock is used where ARM's answer carries no Date.
	Clock func() time.Time
	// Observe, if set, is told of each call, by method and path, before it is
	// made; the context that it gives is the call's. The function is called
	// with the HTTP status, 0 where no answer came, and the call's error.
	Observe func(ctx context.Context, method, path string) (context.Context, func(status int, err error))
}

// Client calls one Azure Resource Manager. It is safe for concurrent use.
type Client struct {
	pipeline runtime.Pipeline
	endpoint *url.URL
	trust    trust
	timeout  time.Duration
	clock    func() time.Time
	skew     atomic.Int64 // of Azure's clock against ours, a time.Duration
	observe  func(ctx context.Context, method, path string) (context.Context, func(status int, err error))
	budget   *ratelimit.Ledger
}

// New checks the configuration and makes a client. It calls nobody.
func New(c Config) (*Client, error) {
	if c.Credential == nil {
		return nil, errors.New("azure resource manager: no credential")
	}
	if c.Clock == nil {
		return nil, errors.New("azure resource manager: no clock")
	}
	service, err := serviceOf(c.Cloud)
	if err != nil {
		return nil, err
	}
	home, err := url.Parse(service.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("azure resource manager: endpoint of cloud %q: %w", c.Cloud, err)
	}
	if c.Endpoint != "" {
		service.Endpoint = c.Endpoint
	}
	if c.Audience != "" {
		service.Audience = c.Audience
	}
	endpoint, err := parseEndpoint(service.Endpoint)
	if err != nil {
		return nil, err
	}
	trusted, err := newTrust(endpoint, home, c.TrustedHosts)
	if err != nil {
		return nil, err
	}
	inner := c.Transport
	if inner == nil {
		inner = newHTTPClient()
	}
	options := &armpolicy.ClientOptions{DisableRPRegistration: true}
	options.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: service}}
	options.InsecureAllowCredentialWithHTTP = trusted.plain
	options.Retry.MaxRetries = -1
	options.Telemetry.Disabled = true
	options.Transport = newTransport(inner, maxAnswer)
	pipeline, err := armruntime.NewPipeline("azbackupflow", "v1", credential{c.Credential},
		runtime.PipelineOptions{PerCall: []policy.Policy{recorderPolicy{}}}, options)
	if err != nil {
		return nil, fmt.Errorf("azure resource manager: %w", err)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Client{pipeline: pipeline, endpoint: endpoint, trust: trusted, timeout: timeout, clock: c.Clock, observe: c.Observe, budget: c.Budget}, nil
}

// serviceOf gives a cloud's ARM endpoint and token audience.
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
		return cloud.ServiceConfiguration{}, fmt.Errorf("azure resource manager: cloud %q is unknown; want %s, %s or %s",
			name, CloudPublic, CloudUSGovernment, CloudChina)
	}
	return c.Services[cloud.ResourceManager], nil
}

// parseEndpoint reads an ARM endpoint: scheme and host, nothing else.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, errors.New("azure resource manager: the endpoint is not a URL such as https://management.azure.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, fmt.Errorf("azure resource manager: endpoint %s://%s must be scheme and host only", u.Scheme, u.Host)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("azure resource manager: endpoint %s://%s must be https; plain http is for loopback hosts only", u.Scheme, u.Host)
	}
	return u, nil
}
