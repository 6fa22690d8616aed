package arm

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

func TestDo_SendsPathQueryBodyTokenAndRequestID(t *testing.T) {
	t.Parallel()
	var body, contentType string
	arm := newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body, contentType = string(b), r.Header.Get("Content-Type")
		answers(202, `{}`, "x-ms-correlation-request-id", "c1", "x-ms-request-id", "r1", "Retry-After", "60",
			"Date", "Tue, 11 Jun 2024 10:32:26 GMT", "x-ms-ratelimit-remaining-subscription-writes", "199")(w, r)
	})
	answer, err := arm.client(t).Do(t.Context(), Request{
		Method: http.MethodPut, Path: "/subscriptions/s/StorageContainer;Storage;a b;c",
		Query:           url.Values{"api-version": {"2025-02-01"}, "$filter": {"a eq 'AzureStorage' and b eq '1+1'"}},
		Body:            map[string]any{"properties": 1},
		ClientRequestID: "attempt-1",
	})
	require.NoError(t, err)
	require.Equal(t, []seen{{
		Method:          "PUT",
		Target:          "/subscriptions/s/StorageContainer%3BStorage%3Ba%20b%3Bc?%24filter=a%20eq%20%27AzureStorage%27%20and%20b%20eq%20%271%2B1%27&api-version=2025-02-01",
		Auth:            "Bearer " + jwt,
		ClientRequestID: "attempt-1",
	}}, arm.requests())
	require.JSONEq(t, `{"properties":1}`, body)
	require.Equal(t, "application/json", contentType)
	require.Equal(t, 202, answer.Status)
	require.Equal(t, "c1", answer.CorrelationID)
	require.Equal(t, "r1", answer.RequestID)
	require.Equal(t, time.Minute, answer.RetryAfter)
	require.Equal(t, time.Date(2024, 6, 11, 10, 32, 26, 0, time.UTC), answer.Date)
	require.Equal(t, map[string]int{"subscription-writes": 199}, answer.Remaining)
}

func TestDo_RejectsPathsThatAddressAnotherResource(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(200, `{}`))
	for _, path := range []string{"", "x", "/a/../b", "/a/./b", "/a//b", "/a/"} {
		_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: path})
		e := asError(t, err)
		require.Equal(t, azerr.CodeMalformedRequest, e.Code, path)
		require.Equal(t, operation.Fatal, e.Class)
	}
	require.Empty(t, arm.requests())
}

func TestDo_KeepsQuestionMarksAndHashesInThePath(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(200, `{}`))
	_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: "/a?x=1/b#c/d%2e"})
	require.NoError(t, err)
	require.Equal(t, "/a%3Fx=1/b%23c/d%252e", arm.requests()[0].Target)
}

func TestDo_NeverRetries(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		arm := newAzure(t, answers(status, ``, "Retry-After", "1"))
		_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
		require.Error(t, err)
		require.Len(t, arm.requests(), 1, status)
	}
}

func TestDo_DoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := newAzure(t, answers(200, `{}`))
	arm := newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/stolen", http.StatusTemporaryRedirect)
	})
	_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: "/x"})
	e := asError(t, err)
	require.Equal(t, operation.Transient, e.Class)
	require.Equal(t, 307, e.HTTPStatus)
	require.Empty(t, elsewhere.requests())
}

func TestDo_RejectsAGatewaysPage(t *testing.T) {
	t.Parallel()
	for method, ambiguous := range map[string]bool{http.MethodGet: false, http.MethodPost: true, http.MethodPut: true} {
		arm := newAzure(t, answers(200, `<html>maintenance</html>`, "Content-Type", "text/html"))
		_, err := arm.client(t).Do(t.Context(), Request{Method: method, Path: "/x"})
		e := asError(t, err)
		require.Equal(t, azerr.CodeUnreadableAnswer, e.Code)
		require.Equal(t, operation.Transient, e.Class)
		require.Equal(t, ambiguous, e.Ambiguous, method)
	}
}

func TestDo_RejectsTooLargeAnswers(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(200, `"`+strings.Repeat("x", maxAnswer)+`"`))
	_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: "/x"})
	e := asError(t, err)
	require.Equal(t, azerr.CodeAnswerTooLarge, e.Code)
	require.Equal(t, operation.Fatal, e.Class)
	require.False(t, e.Ambiguous)

	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		_, err := arm.client(t).Do(t.Context(), Request{Method: method, Path: "/x"})
		e := asError(t, err)
		require.Equal(t, azerr.CodeAnswerTooLarge, e.Code)
		require.True(t, e.Ambiguous, "Azure has answered the %s, so it has taken effect", method)
	}

	arm = newAzure(t, answers(200, `"`+strings.Repeat("x", maxAnswer-2)+`"`))
	answer, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: "/x"})
	require.NoError(t, err)
	require.Len(t, answer.Body, maxAnswer)
}

func TestDo_RequestThatWasNeverSentIsNotAmbiguous(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	tls := httptest.NewTLSServer(answers(200, `{}`))
	t.Cleanup(tls.Close)

	for name, change := range map[string]func(*Config){
		"no listener":              func(c *Config) { c.Endpoint = closed },
		"the name does not exist":  func(c *Config) { c.Endpoint = "https://nowhere.invalid" },
		"the certificate is wrong": func(c *Config) { c.Endpoint = tls.URL },
		"there is no token": func(c *Config) {
			c.Endpoint, c.Credential = closed, tokens{err: errors.New("identity endpoint is unavailable")}
		},
	} {
		_, err := newClient(t, change).Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
		e := asError(t, err)
		require.Equal(t, operation.Transient, e.Class, name)
		require.False(t, e.Ambiguous, name)
		require.Contains(t, []string{azerr.CodeConnectionFailed, azerr.CodeTokenUnavailable}, e.Code, name)
	}
}

func TestDo_WriteThatMayHaveArrivedIsAmbiguous(t *testing.T) {
	t.Parallel()
	reset := newAzure(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	cut := newAzure(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"half":`))
	})
	for name, arm := range map[string]*azure{"reset": reset, "cut": cut} {
		for method, ambiguous := range map[string]bool{http.MethodGet: false, http.MethodPost: true, http.MethodPut: true, http.MethodDelete: true} {
			_, err := arm.client(t).Do(t.Context(), Request{Method: method, Path: "/x"})
			e := asError(t, err)
			require.Equal(t, azerr.CodeNoAnswer, e.Code, name)
			require.Equal(t, operation.Transient, e.Class)
			require.Equal(t, ambiguous, e.Ambiguous, method)
		}
	}
}

func TestDo_TimeoutAfterSendingIsAmbiguous(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	arm := newAzure(t, func(http.ResponseWriter, *http.Request) { <-done })
	t.Cleanup(func() { close(done) })
	_, err := arm.client(t, func(c *Config) { c.Timeout = 50 * time.Millisecond }).
		Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
	e := asError(t, err)
	require.Equal(t, azerr.CodeNoAnswer, e.Code)
	require.True(t, e.Ambiguous)
	require.Contains(t, e.Message, "timed out")
}

func TestDo_TransportWithoutTracesCountsAsSent(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(c *Config) {
		c.Transport = transporter(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken") })
	})
	_, err := client.Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
	require.True(t, asError(t, err).Ambiguous)
}

func TestDo_ServerErrorOfAWriteIsAmbiguous(t *testing.T) {
	t.Parallel()
	for status, ambiguous := range map[int]bool{400: false, 403: false, 404: false, 409: false, 429: false, 408: true, 500: true, 502: true, 503: true} {
		arm := newAzure(t, answers(status, `{"error":{"code":"Some","message":"m"}}`))
		_, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
		require.Equal(t, ambiguous, asError(t, err).Ambiguous, status)
		_, err = arm.client(t).Do(t.Context(), Request{Method: http.MethodGet, Path: "/x"})
		require.False(t, asError(t, err).Ambiguous, status)
	}
}

func TestDo_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	arm := newAzure(t, answers(200, `{}`))
	_, err := arm.client(t).Do(ctx, Request{Method: http.MethodPost, Path: "/x"})
	e := asError(t, err)
	require.False(t, e.Ambiguous)
	require.Empty(t, arm.requests())
}
