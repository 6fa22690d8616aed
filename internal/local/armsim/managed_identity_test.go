package armsim_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// credential returns the managed identity credential of azidentity for the
// identity endpoint. It uses the environment of the process, so its tests
// cannot run in parallel.
func credential(t *testing.T, sim *armsim.Simulator, id azidentity.ManagedIDKind) azcore.TokenCredential {
	t.Helper()
	t.Setenv("IDENTITY_ENDPOINT", sim.IdentityEndpoint())
	t.Setenv("IDENTITY_HEADER", sim.IdentityHeader())
	c, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: id})
	require.NoError(t, err)
	return c
}

//nolint:paralleltest // sets the environment
func TestManagedIdentity_AzidentityGetsAValidToken(t *testing.T) {
	sim, err := armsim.New(armsim.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, sim.Close()) }()
	client := uuid.NewString() // azidentity keeps tokens for the lifetime of the process
	for _, id := range []azidentity.ManagedIDKind{nil, azidentity.ClientID(client)} {
		token, err := credential(t, sim, id).GetToken(context.Background(), policy.TokenRequestOptions{
			Scopes: []string{"https://management.azure.com/.default"},
		})
		require.NoError(t, err)
		require.True(t, sim.ValidToken(token.Token))
		b := &bench{t: t, sim: sim, token: token.Token}
		require.Equal(t, http.StatusOK, b.get(vaultID+"?"+version).status)
	}
	require.True(t, slices.ContainsFunc(sim.Requests(), func(r armsim.Request) bool {
		return r.Kind == "GET token" && r.Query.Get("client_id") == client
	}))
}

func TestToken_OutlivesTheSimulator(t *testing.T) {
	t.Parallel()
	first, second := start(t), start(t)
	require.True(t, second.sim.ValidToken(first.token))
	require.False(t, second.sim.ValidToken(first.token+"x"))
	require.False(t, second.sim.ValidToken("nonsense"))
}

func TestToken_InvalidIsRejected(t *testing.T) {
	t.Parallel()
	b := start(t)
	other := b.send(http.MethodGet, "/msi/token?api-version=2019-08-01&resource=https://vault.azure.net", "", "X-IDENTITY-HEADER", b.sim.IdentityHeader())
	require.Equal(t, http.StatusOK, other.status)
	otherToken, _ := other.at("access_token").(string)
	for header, code := range map[string]string{
		"":                     "AuthenticationFailed",
		"Basic eDp5":           "AuthenticationFailed",
		"Bearer nonsense":      "InvalidAuthenticationToken",
		"Bearer " + otherToken: "InvalidAuthenticationTokenAudience",
	} {
		r := b.send(http.MethodGet, vaultID+"?"+version, "", "Authorization", header)
		require.Equal(t, http.StatusUnauthorized, r.status, header)
		require.Equal(t, code, r.at("error/code"))
		require.Contains(t, r.header.Get("WWW-Authenticate"), "Bearer authorization_uri=")
	}
	require.Equal(t, http.StatusOK, b.get(vaultID+"?"+version).status)
	b.clock.Advance(25 * time.Hour)
	require.Equal(t, "ExpiredAuthenticationToken", b.get(vaultID+"?"+version).at("error/code"))
	require.False(t, b.sim.ValidToken(b.token))
}

func TestManagedIdentity_RejectsInvalidRequests(t *testing.T) {
	t.Parallel()
	b := start(t)
	const good = "/msi/token?api-version=2019-08-01&resource=https://management.azure.com/"
	require.Equal(t, http.StatusUnauthorized, b.get(good).status)
	secret := []string{"X-IDENTITY-HEADER", b.sim.IdentityHeader()}
	require.Equal(t, http.StatusOK, b.send(http.MethodGet, good, "", secret...).status)
	require.Equal(t, http.StatusMethodNotAllowed, b.send(http.MethodPost, good, "", secret...).status)
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodGet, "/msi/token?api-version=2017-09-01&resource=x", "", secret...).status)
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodGet, "/msi/token?api-version=2019-08-01", "", secret...).status)
}

func TestSimulator_ListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "nowhere"} {
		_, err := armsim.New(armsim.Config{Address: address})
		require.Error(t, err, address)
	}
}
