// Package signintest serves a stand-in of Microsoft Entra's token endpoint, and of
// the token service of GitHub Actions, for tests of callers that sign in.
//
// It checks the tenant, the client, the assertion and the scope that a test
// expects. It does not check signatures, and its tokens are plain text.
package signintest

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values that the stand-in expects and issues.
const (
	Tenant   = "11111111-1111-1111-1111-111111111111"
	Client   = "22222222-2222-2222-2222-222222222222"
	Audience = "api://azbackupflow"
	// Assertion is the token of a pipeline, RequestToken the token with which a
	// workflow of GitHub Actions requests it.
	Assertion    = "assertion-of-the-pipeline"
	RequestToken = "request-token-of-the-workflow"
	// AccessToken is the token for Audience.
	AccessToken = "access-token-for-" + Audience
)

// Authority is the stand-in.
type Authority struct {
	// URL is the address of the token endpoint: AZURE_AUTHORITY_HOST.
	URL string
	// HTTP trusts the certificate of the stand-in, which is in CertFile.
	HTTP     *http.Client
	CertFile string

	mu     sync.Mutex
	reject string
	issued int
}

// Start serves the stand-in until the test ends.
func Start(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{}
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	a.URL, a.HTTP = server.URL, server.Client()
	a.CertFile = filepath.Join(t.TempDir(), "authority.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(a.CertFile, certificate, 0o600))
	mux.HandleFunc("GET /"+Tenant+"/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		base := a.URL + "/" + Tenant
		respond(w, http.StatusOK, map[string]any{
			"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token",
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
		})
	})
	mux.HandleFunc("POST /"+Tenant+"/oauth2/v2.0/token", a.token)
	mux.HandleFunc("POST /"+Tenant+"/oauth2/v2.0/devicecode", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, map[string]any{
			"device_code": "device-code", "user_code": "ABC-123", "verification_uri": a.URL + "/device", "expires_in": 60, "interval": 1,
			"message": "Open " + a.URL + "/device and enter the code ABC-123.",
		})
	})
	mux.HandleFunc("GET /actions/token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+RequestToken || r.URL.Query().Get("audience") != "api://AzureADTokenExchange" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		respond(w, http.StatusOK, map[string]any{"value": Assertion})
	})
	return a
}

// Reject makes the token endpoint respond with an error code, such as
// AADSTS700213. An empty code ends that.
func (a *Authority) Reject(code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reject = code
}

// Issued returns the number of tokens that were issued.
func (a *Authority) Issued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// Environment returns the variables of a workflow of GitHub Actions.
func (a *Authority) Environment() map[string]string {
	return map[string]string{
		"AZURE_AUTHORITY_HOST": a.URL, "AZURE_TENANT_ID": Tenant, "AZURE_CLIENT_ID": Client,
		"ACTIONS_ID_TOKEN_REQUEST_URL": a.URL + "/actions/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RequestToken,
	}
}

func (a *Authority) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reject == "" {
		a.reject = wrongWith(r)
		defer func() { a.reject = "" }()
	}
	if a.reject != "" {
		respond(w, http.StatusUnauthorized, map[string]any{
			"error": "invalid_client", "error_description": fmt.Sprintf("%s: the stand-in rejects the request.", a.reject),
		})
		return
	}
	a.issued++
	respond(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": 3600, "access_token": AccessToken,
		// MSAL reads the tenant of a user's token from it.
		"client_info": "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ", "scope": r.FormValue("scope"),
	})
}

// wrongWith returns the error code for a request that is not as expected.
func wrongWith(r *http.Request) string {
	switch {
	case r.FormValue("client_id") != Client:
		return "AADSTS700016"
	case r.FormValue("grant_type") == "client_credentials" && r.FormValue("client_assertion") != Assertion:
		return "AADSTS700213"
	case r.FormValue("grant_type") == "client_credentials" && r.FormValue("scope") != Audience+"/.default openid offline_access profile" && r.FormValue("scope") != Audience+"/.default":
		return "AADSTS500011"
	}
	return ""
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client closed the connection
}
