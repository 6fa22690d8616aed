// Package signin gets access tokens of Microsoft Entra for the HTTP API.
package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/cli"
)

// Methods of signing in. FunctionKey sends the function key of the environment;
// None sends nothing.
const (
	None             = "none"
	FunctionKey      = "function-key"
	AzureCLI         = "azure-cli"
	ManagedIdentity  = "managed-identity"
	WorkloadIdentity = "workload-identity"
	DeviceCode       = "device-code"
)

// Methods returns the methods.
func Methods() []string {
	return []string{FunctionKey, AzureCLI, ManagedIdentity, WorkloadIdentity, DeviceCode, None}
}

// Config selects how to sign in.
type Config struct {
	// Method is one of Methods, except None and FunctionKey.
	Method string
	// Audience is the application ID URI of the app's registration, such as
	// api://CLIENT_ID.
	Audience string
	// TenantID and ClientID are those of the identity that signs in.
	TenantID, ClientID string
	// Lookup returns environment variables. Pipelines set their token sources there.
	Lookup func(string) (string, bool)
	// Prompt shows the user where to enter the code of the method DeviceCode.
	Prompt func(message string)
	// Transport sends the requests; nil is the default of the Azure SDK.
	Transport policy.Transporter
	// Now is the clock for the expiry of tokens. It is required.
	Now func() time.Time
}

// source returns tokens, and keeps the current one: not all credentials of the
// Azure SDK keep theirs.
type source struct {
	Config
	scope      string
	credential azcore.TokenCredential

	mu    sync.Mutex
	token azcore.AccessToken
	// pipeline is the error of the pipeline's token service, which the Azure SDK
	// does not pass on.
	pipeline error
}

// reserve is how long before its end a token is replaced.
const reserve = 5 * time.Minute

// Error is a sign-in that failed.
type Error struct {
	Method, Problem, Remedy string
}

// Error returns the problem.
func (e *Error) Error() string { return "sign-in with " + e.Method + " failed: " + e.Problem }

// WhatToDo returns the remedy.
func (e *Error) WhatToDo() string { return e.Remedy }

// New returns a function that returns an access token for the audience. It keeps
// the token until shortly before it expires. It is safe for concurrent use.
func New(c Config) (func(context.Context) (string, error), error) {
	if c.Audience == "" {
		return nil, &cli.UsageError{
			Text:   "sign-in with " + c.Method + " needs the audience of the app",
			Remedy: "set --audience or AZBACKUPFLOW_AUDIENCE to the application ID URI of the app registration, such as api://CLIENT_ID",
		}
	}
	s := &source{Config: c, scope: strings.TrimSuffix(c.Audience, "/.default") + "/.default"}
	var err error
	if s.credential, err = s.newCredential(); err != nil {
		return nil, err
	}
	return s.get, nil
}

// get returns the current token, or a new one.
func (s *source) get(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.Token != "" && s.token.ExpiresOn.Sub(s.Now()) > reserve {
		return s.token.Token, nil
	}
	s.pipeline = nil
	token, err := s.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.scope}, TenantID: s.tenant()})
	switch {
	case err != nil && ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil && s.pipeline != nil:
		return "", s.pipeline
	case err != nil:
		return "", s.failed(err)
	}
	s.token = token
	return token.Token, nil
}

func (s *source) newCredential() (azcore.TokenCredential, error) {
	options, discover := s.options()
	switch s.Method {
	case AzureCLI:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: s.TenantID})
	case ManagedIdentity:
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if s.ClientID != "" {
			o.ID = azidentity.ClientID(s.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(o)
	case DeviceCode:
		return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: options, TenantID: s.TenantID, ClientID: s.ClientID, DisableInstanceDiscovery: !discover,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
				s.Prompt(m.Message)
				return nil
			},
		})
	case WorkloadIdentity:
		return s.workloadIdentity(options, discover)
	}
	return nil, &cli.UsageError{Text: fmt.Sprintf("%q is not a method of signing in", s.Method), Remedy: "use one of " + strings.Join(Methods(), ", ")}
}

// options returns the options of the Azure SDK. A custom authority, such as that of
// a private cloud, has no instance discovery.
func (c Config) options() (options azcore.ClientOptions, discover bool) {
	options = azcore.ClientOptions{Transport: c.Transport}
	if authority := c.variable("AZURE_AUTHORITY_HOST"); authority != "" {
		options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: authority}
		return options, strings.Contains(authority, "login.microsoftonline.") || strings.Contains(authority, "login.chinacloudapi.cn")
	}
	return options, true
}

func (c Config) variable(name string) string {
	value, _ := c.Lookup(name)
	return value
}

func (c Config) tenant() string {
	if c.Method == WorkloadIdentity {
		return "" // the credential has it
	}
	return c.TenantID
}

// workloadIdentity exchanges the token of a pipeline or of a Kubernetes pod.
func (s *source) workloadIdentity(options azcore.ClientOptions, discover bool) (azcore.TokenCredential, error) {
	// The task AzureCLI@2 of Azure DevOps sets the variables AZURESUBSCRIPTION_….
	tenant := cmp.Or(s.TenantID, s.variable("AZURE_TENANT_ID"), s.variable("AZURESUBSCRIPTION_TENANT_ID"))
	client := cmp.Or(s.ClientID, s.variable("AZURE_CLIENT_ID"), s.variable("AZURESUBSCRIPTION_CLIENT_ID"))
	for _, need := range []struct{ value, name, setting string }{
		{tenant, "tenant", "AZURE_TENANT_ID or --tenant-id"}, {client, "client ID", "AZURE_CLIENT_ID or --client-id"},
	} {
		if need.value == "" {
			return nil, &Error{Method: s.Method, Problem: "the " + need.name + " of the identity is unknown", Remedy: "set " + need.setting}
		}
	}
	file, requestURL := s.variable("AZURE_FEDERATED_TOKEN_FILE"), s.variable("ACTIONS_ID_TOKEN_REQUEST_URL")
	switch {
	case file != "":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, TenantID: tenant, ClientID: client, TokenFilePath: file, DisableInstanceDiscovery: !discover,
		})
	case requestURL != "":
		return azidentity.NewClientAssertionCredential(tenant, client, s.gitHubToken(requestURL),
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !discover})
	case s.variable("SYSTEM_OIDCREQUESTURI") != "":
		if s.variable("SYSTEM_ACCESSTOKEN") == "" || s.variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID") == "" {
			return nil, &Error{
				Method: s.Method, Problem: "the pipeline does not pass SYSTEM_ACCESSTOKEN and AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
				Remedy: "pass System.AccessToken to the step's env, and run it in an AzureCLI@2 task, as in examples/pipelines",
			}
		}
		return azidentity.NewAzurePipelinesCredential(tenant, client, s.variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"), s.variable("SYSTEM_ACCESSTOKEN"),
			&azidentity.AzurePipelinesCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !discover})
	}
	return nil, &Error{
		Method: s.Method, Problem: "this machine offers no token to exchange",
		Remedy: "in GitHub Actions set permissions: id-token: write; elsewhere set AZURE_FEDERATED_TOKEN_FILE",
	}
}

// gitHubToken returns a function that requests the OpenID Connect token of the
// workflow's job.
// https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect
func (s *source) gitHubToken(requestURL string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		address, err := url.Parse(requestURL)
		if err != nil {
			return "", s.gitHub("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
		}
		query := address.Query()
		query.Set("audience", "api://AzureADTokenExchange")
		address.RawQuery = query.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return "", s.gitHub("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
		}
		req.Header.Set("Authorization", "Bearer "+s.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
		transport := s.Transport
		if transport == nil {
			transport = http.DefaultClient
		}
		res, err := transport.Do(req)
		if err != nil {
			return "", s.gitHub("the token service of GitHub Actions cannot be reached")
		}
		defer func() { _ = res.Body.Close() }()
		var answer struct {
			Value string `json:"value"`
		}
		const maxToken = 1 << 20
		raw, err := io.ReadAll(io.LimitReader(res.Body, maxToken))
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(raw, &answer) != nil || answer.Value == "" {
			return "", s.gitHub(fmt.Sprintf("the token service of GitHub Actions responded with HTTP %d and no token", res.StatusCode))
		}
		return answer.Value, nil
	}
}

func (s *source) gitHub(problem string) error {
	s.pipeline = &Error{Method: s.Method, Problem: problem, Remedy: "set permissions: id-token: write in the workflow"}
	return s.pipeline
}
