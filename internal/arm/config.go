package arm

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	armpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/policy"
	armruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"azbackupflow/internal/ratelimit"
)

const (
	// DefaultTimeout is the maximum time of one call, including its token.
	DefaultTimeout = 30 * time.Second
	// maxAnswer is the maximum size of an answer in bytes. The longest lists of
	// Azure Backup come in pages far below it.
	maxAnswer = 8 << 20
)

// Config configures a Client. Credential and Now are required.
type Config struct {
	// Cloud is one of the Cloud constants; empty means public.
	Cloud string
	// Endpoint replaces the cloud's ARM endpoint. It must be https, except on a
	// loopback host.
	Endpoint string
	// Audience replaces the cloud's token audience.
	Audience string
	// TrustedHosts are further hosts (host or host:port) that poll URLs and next
	// links may point to. They receive the bearer token.
	TrustedHosts []string
	// Credential returns the tokens.
	Credential azcore.TokenCredential
	// Transport replaces the HTTP client. It must not follow redirects.
	Transport policy.Transporter
	// Timeout is the maximum time of one call; zero means DefaultTimeout.
	Timeout time.Duration
	// Limiter defers calls that Azure would throttle; nil admits every call.
	Limiter *ratelimit.Limiter
	// Now is used if an answer has no Date, and to measure the clock skew.
	Now func() time.Time
	// Observe, if set, is called for each call.
	Observe Observer
}

// Observer is called before a call is sent. The call uses the returned context.
// done is called with the HTTP status, 0 if no answer came, and the error.
type Observer func(ctx context.Context, method, path string) (_ context.Context, done func(status int, err error))

// New returns a client. It makes no call.
func New(c Config) (*Client, error) {
	if c.Credential == nil {
		return nil, errors.New("azure resource manager: Config.Credential is missing")
	}
	if c.Now == nil {
		return nil, errors.New("azure resource manager: Config.Now is missing; pass a clock such as time.Now")
	}
	service, trusted, endpoint, err := c.target()
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
	options.Transport = limitedTransport{inner: inner, limit: maxAnswer}
	options.PerRetryPolicies = []policy.Policy{deliveryPolicy{traced: reportsConnections(inner)}}
	pipeline, err := armruntime.NewPipeline("azbackupflow", "v1", credential{c.Credential}, runtime.PipelineOptions{}, options)
	if err != nil {
		return nil, fmt.Errorf("azure resource manager: %w", err)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Client{connection: &connection{
		pipeline: pipeline, endpoint: endpoint, trust: trusted, timeout: timeout, now: c.Now, observe: c.Observe, limiter: c.Limiter,
	}}, nil
}

// target returns the endpoint and audience of the calls and the hosts to trust.
func (c Config) target() (service cloud.ServiceConfiguration, trusted trust, endpoint *url.URL, err error) {
	service, err = serviceOf(c.Cloud)
	if err != nil {
		return service, trusted, nil, err
	}
	cloudEndpoint, err := url.Parse(service.Endpoint)
	if err != nil {
		return service, trusted, nil, fmt.Errorf("azure resource manager: endpoint of cloud %q: %w", c.Cloud, err)
	}
	if c.Endpoint != "" {
		service.Endpoint = c.Endpoint
	}
	if c.Audience != "" {
		service.Audience = c.Audience
	}
	if endpoint, err = parseEndpoint(service.Endpoint); err != nil {
		return service, trusted, nil, err
	}
	trusted, err = newTrust(endpoint, cloudEndpoint, c.TrustedHosts)
	return service, trusted, endpoint, err
}
