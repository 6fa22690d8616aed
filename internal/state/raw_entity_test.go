package state

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// answering answers every request alike.
type answering struct {
	status int
	body   string
}

// Do implements policy.Transporter.
func (a answering) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{"Etag": {"e1"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func TestGetEntity_ReturnsTheEntityAsItWasSent(t *testing.T) {
	t.Parallel()
	const sent = `{"b": "2","a":1.0}`
	get := func(options *aztables.ClientOptions, a answering) ([]byte, string, error) {
		options.Transport = a
		table, err := aztables.NewClientWithNoCredential("http://127.0.0.1:1/account/table", options)
		require.NoError(t, err)
		return getEntity(t.Context(), table, "p", "r")
	}
	text, etag, err := get(ClientOptions(), answering{http.StatusOK, sent})
	require.NoError(t, err)
	require.True(t, bytes.Equal([]byte(sent), text), "%s", text)
	require.Equal(t, "e1", etag)

	text, etag, err = get(&aztables.ClientOptions{}, answering{http.StatusOK, sent})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":1,"b":"2"}`, string(text), "a client without the policy decodes the entity")
	require.Equal(t, "e1", etag)

	_, _, err = get(ClientOptions(), answering{http.StatusNotFound, `{"odata.error":{"code":"ResourceNotFound"}}`})
	require.True(t, missing(err))
}

// An answer without an entity is an outage. As an unreadable row it would reject
// requests permanently, and an empty shared row would be saved over the real one.
func TestGetEntity_AnswerWithoutAnEntityIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<html>sign in</html>", `{"operation":"{}"`, `"x"`, "[]"} {
		options := ClientOptions()
		options.Transport = answering{http.StatusOK, body}
		table, err := aztables.NewClientWithNoCredential("http://127.0.0.1:1/account/table", options)
		require.NoError(t, err)
		_, _, err = getEntity(t.Context(), table, "p", "r")
		require.Error(t, err, body)
		require.False(t, missing(err) || operation.IsUnreadable(err), "%v", err)
	}
}
