// Package signin gets access tokens of Microsoft Entra for the HTTP API.
package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

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
}

// Error is a sign-in that failed.
type Error struct {
	Method, Problem, Remedy string
}

// Error returns the problem.
func (e *Error) Error() string { return "sign-in with " + e.Method + " failed: " + e.Problem }

// WhatToDo returns the remedy.
func (e *Error) WhatToDo() string { return e.Remedy }

// New returns a function that returns an access token for the audience. The Azure
// SDK keeps the token until shortly before it expires.
func New(c Config) (func(context.Context) (string, error), error) {
	if c.Audience == "" {
		return nil, &cli.UsageError{
			Text:   "sign-in with " + c.Method + " needs the audience of the app",
			Remedy: "set --audience or AZBACKUPFLOW_AUDIENCE to the application ID URI of the app registration, such as api://CLIENT_ID",
		}
	}
	credential, err := c.credential()
	if err != nil {
		return nil, err
	}
	scope := strings.TrimSuffix(c.Audience, "/.default") + "/.default"
	return func(ctx context.Context) (string, error) {
		token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}, TenantID: c.tenant()})
		if err != nil {
			return "", c.failed(ctx, err)
		}
		return token.Token, nil
	}, nil
}

func (c Config) credential() (azcore.TokenCredential, error) {
	options, discover := c.options()
	switch c.Method {
	case AzureCLI:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: c.TenantID})
	case ManagedIdentity:
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if c.ClientID != "" {
			o.ID = azidentity.ClientID(c.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(o)
	case DeviceCode:
		return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: options, TenantID: c.TenantID, ClientID: c.ClientID, DisableInstanceDiscovery: !discover,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
				c.Prompt(m.Message)
				return nil
			},
		})
	case WorkloadIdentity:
		return c.workloadIdentity(options, discover)
	}
	return nil, &cli.UsageError{Text: fmt.Sprintf("%q is not a method of signing in", c.Method), Remedy: "use one of " + strings.Join(Methods(), ", ")}
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
func (c Config) workloadIdentity(options azcore.ClientOptions, discover bool) (azcore.TokenCredential, error) {
	tenant, client := c.TenantID, c.ClientID
	if tenant == "" {
		tenant = c.variable("AZURE_TENANT_ID")
	}
	if client == "" {
		client = c.variable("AZURE_CLIENT_ID")
	}
	for _, need := range []struct{ value, name, setting string }{
		{tenant, "tenant", "AZURE_TENANT_ID or --tenant-id"}, {client, "client ID", "AZURE_CLIENT_ID or --client-id"},
	} {
		if need.value == "" {
			return nil, &Error{Method: c.Method, Problem: "the " + need.name + " of the identity is unknown", Remedy: "set " + need.setting}
		}
	}
	file, requestURL := c.variable("AZURE_FEDERATED_TOKEN_FILE"), c.variable("ACTIONS_ID_TOKEN_REQUEST_URL")
	switch {
	case file != "":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, TenantID: tenant, ClientID: client, TokenFilePath: file, DisableInstanceDiscovery: !discover,
		})
	case requestURL != "":
		return azidentity.NewClientAssertionCredential(tenant, client, c.gitHubToken(requestURL),
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !discover})
	case c.variable("SYSTEM_OIDCREQUESTURI") != "":
		if c.variable("SYSTEM_ACCESSTOKEN") == "" || c.variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID") == "" {
			return nil, &Error{
				Method: c.Method, Problem: "the pipeline does not pass SYSTEM_ACCESSTOKEN and AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
				Remedy: "pass System.AccessToken to the step's env, and run it in an AzureCLI@2 task, as in examples/pipelines",
			}
		}
		return azidentity.NewAzurePipelinesCredential(tenant, client, c.variable("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"), c.variable("SYSTEM_ACCESSTOKEN"),
			&azidentity.AzurePipelinesCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !discover})
	}
	return nil, &Error{
		Method: c.Method, Problem: "this machine offers no token to exchange",
		Remedy: "in GitHub Actions set permissions: id-token: write; elsewhere set AZURE_FEDERATED_TOKEN_FILE",
	}
}

// gitHubToken returns a function that requests the OpenID Connect token of the
// workflow's job.
// https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect
func (c Config) gitHubToken(requestURL string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		address, err := url.Parse(requestURL)
		if err != nil {
			return "", c.gitHub("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
		}
		query := address.Query()
		query.Set("audience", "api://AzureADTokenExchange")
		address.RawQuery = query.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return "", c.gitHub("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
		}
		req.Header.Set("Authorization", "Bearer "+c.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
		transport := c.Transport
		if transport == nil {
			transport = http.DefaultClient
		}
		res, err := transport.Do(req)
		if err != nil {
			return "", c.gitHub("the token service of GitHub Actions cannot be reached")
		}
		defer func() { _ = res.Body.Close() }()
		var answer struct {
			Value string `json:"value"`
		}
		const maxToken = 1 << 20
		raw, err := io.ReadAll(io.LimitReader(res.Body, maxToken))
		if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(raw, &answer) != nil || answer.Value == "" {
			return "", c.gitHub(fmt.Sprintf("the token service of GitHub Actions responded with HTTP %d and no token", res.StatusCode))
		}
		return answer.Value, nil
	}
}

func (c Config) gitHub(problem string) error {
	return &Error{Method: c.Method, Problem: problem, Remedy: "set permissions: id-token: write in the workflow"}
}
