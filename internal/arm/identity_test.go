package arm

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The real credential reads its endpoint from the environment, so these tests
// do not run in parallel.

// freshIdentity returns an unused identity: the process caches tokens by client
// ID.
func freshIdentity() *azidentity.ManagedIdentityCredentialOptions {
	return &azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(uuid.NewString())}
}

func TestDo_UnassignedIdentityIsAUserAction(t *testing.T) {
	identity := newAzure(t, answers(400, `{"statusCode":400,"message":"Unable to load the managed identity. `+jwt+`"}`))
	t.Setenv("IDENTITY_ENDPOINT", identity.URL+"/msi/token?signature=SIGNATURE")
	t.Setenv("IDENTITY_HEADER", "HEADERSECRET")
	credential, err := azidentity.NewManagedIdentityCredential(freshIdentity())
	require.NoError(t, err)
	azure := newAzure(t, answers(200, `{}`))
	recorder := &step.Recorder{}
	client := azure.client(t, func(c *Config) { c.Credential = credential }).With(CallOptions{Record: recorder.Record})
	_, err = client.Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
	e := asError(t, err)
	require.Equal(t, azerr.CodeTokenUnavailable, e.Code)
	require.Equal(t, operation.UserAction, e.Class)
	require.False(t, e.Ambiguous)
	require.NotEmpty(t, e.RecommendedAction)
	require.Empty(t, azure.requests())
	require.Len(t, recorder.Exchanges(), 1)
	for _, secret := range []string{"HEADERSECRET", "SIGNATURE", jwt} {
		require.NotContains(t, e.Error(), secret)
		require.NotContains(t, recorder.Exchanges()[0].Failure, secret)
	}
}

func TestDo_SendsTheTokenOfTheManagedIdentity(t *testing.T) {
	identity := newAzure(t, answers(200, `{"access_token":"`+jwt+`","expires_on":"4102444800","resource":"https://management.core.windows.net/","token_type":"Bearer"}`))
	t.Setenv("IDENTITY_ENDPOINT", identity.URL+"/msi/token")
	t.Setenv("IDENTITY_HEADER", "h")
	credential, err := azidentity.NewManagedIdentityCredential(freshIdentity())
	require.NoError(t, err)
	azure := newAzure(t, answers(200, `{}`))
	_, err = azure.client(t, func(c *Config) { c.Credential = credential }).Do(t.Context(), Request{Method: http.MethodGet, Path: "/x"})
	require.NoError(t, err)
	require.Equal(t, "Bearer "+jwt, azure.requests()[0].Auth)
	require.Contains(t, identity.requests()[0].Target, "management.core.windows.net")
}
