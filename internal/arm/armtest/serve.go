package armtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
)

// PublicARM is the endpoint that golden requests show.
const PublicARM = "https://management.azure.com"

// Request is a request as Azure Resource Manager received it. Golden files have
// this form.
type Request struct {
	// Operation is the name of the operation in the API description.
	Operation       string          `json:"operation"`
	Method          string          `json:"method"`
	URL             string          `json:"url"`
	ClientRequestID string          `json:"clientRequestId,omitempty"`
	Body            json.RawMessage `json:"body,omitempty"`
}

// Serve starts an ARM that answers from a function. It also returns a function
// that lists the received requests.
func Serve(t testing.TB, answer http.HandlerFunc) (*httptest.Server, func() []Request) {
	t.Helper()
	var mu sync.Mutex
	var sent []Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		sent = append(sent, Request{
			Method: r.Method, URL: PublicARM + r.RequestURI, Body: body,
			ClientRequestID: r.Header.Get("x-ms-client-request-id"),
		})
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, func() []Request {
		mu.Lock()
		defer mu.Unlock()
		return append([]Request(nil), sent...)
	}
}

// AnyAnswer answers every call with a readable answer.
func AnyAnswer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte(`{"value":[]}`))
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// Says answers every call with this body.
func Says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// Answers answers every call with this status and no body.
func Answers(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// Client returns a client of that ARM.
func Client(t testing.TB, server *httptest.Server) *arm.Client {
	t.Helper()
	c, err := arm.New(arm.Config{
		Endpoint: server.URL, Credential: anyToken{},
		Now: func() time.Time { return time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC) },
	})
	require.NoError(t, err)
	return c
}

type anyToken struct{}

// GetToken returns a token that never expires.
func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}
