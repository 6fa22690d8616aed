package arm

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// jwt looks like a token, so that tests can find it in texts.
const jwt = "eyJ0b2tlbg.c2VjcmV0.c2lnbmF0dXJl"

// tokens is a credential that always returns a token, or always fails.
type tokens struct {
	err error
}

func (c tokens) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if c.err != nil {
		return azcore.AccessToken{}, c.err
	}
	return azcore.AccessToken{Token: jwt, ExpiresOn: testTime().Add(time.Hour * 24 * 365 * 100)}, nil
}

func testTime() time.Time { return time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) }

// seen is a request as received.
type seen struct {
	Method, Target, Auth, ClientRequestID, Body string
}

// azure is an ARM that answers from a function and records the requests.
type azure struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func (a *azure) requests() []seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]seen(nil), a.seen...)
}

func newAzure(t *testing.T, answer http.HandlerFunc) *azure {
	t.Helper()
	a := &azure{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.seen = append(a.seen, seen{
			Method: r.Method, Target: r.RequestURI, Auth: r.Header.Get("Authorization"),
			ClientRequestID: r.Header.Get(headerClientRequestID),
		})
		a.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

// client returns a client of this ARM.
func (a *azure) client(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	return newClient(t, append([]func(*Config){func(c *Config) { c.Endpoint = a.URL }}, change...)...)
}

func newClient(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	c := Config{Credential: tokens{}, Now: testTime}
	for _, f := range change {
		f(&c)
	}
	client, err := New(c)
	require.NoError(t, err)
	return client
}

// answers returns a handler with one answer: status, body, headers in pairs.
func answers(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// asError returns the operation.Error that a call must have failed with.
func asError(t *testing.T, err error) *operation.Error {
	t.Helper()
	var e *operation.Error
	require.ErrorAs(t, err, &e)
	return e
}

// transporter is a transport as a function.
type transporter func(*http.Request) (*http.Response, error)

func (f transporter) Do(r *http.Request) (*http.Response, error) { return f(r) }

// hangUp closes the connection instead of answering.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
