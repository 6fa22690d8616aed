package arm

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/azerr"
)

func TestList_ReadsAllPages(t *testing.T) {
	t.Parallel()
	var arm *azure
	arm = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page") {
		case "":
			answers(200, `{"value":[1,2],"nextLink":"`+arm.URL+`/next?page=2&%24skiptoken=%3c%3f+1!28!"}`)(w, r)
		case "2":
			answers(200, `{"value":null,"nextLink":"/next?page=3"}`)(w, r)
		default:
			answers(200, `{"value":[3]}`)(w, r)
		}
	})
	var got []string
	err := arm.client(t).List(t.Context(), "/list", nil, func(item json.RawMessage) error {
		got = append(got, string(item))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, got)
	require.Equal(t, "/next?page=2&%24skiptoken=%3c%3f+1!28!", arm.requests()[1].Target)
}

func TestList_WithoutEndFails(t *testing.T) {
	t.Parallel()
	var arm *azure
	arm = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(200, `{"value":[],"nextLink":"`+arm.URL+`/same"}`)(w, r)
	})
	err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
	require.Equal(t, azerr.CodeTooManyPages, asError(t, err).Code)
}

func TestList_DoesNotFollowANextLinkToAnotherHost(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"https://evil.example/x", "//evil.example/x"} {
		arm := newAzure(t, answers(200, `{"value":[],"nextLink":"`+next+`"}`))
		err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
		require.Contains(t, []string{azerr.CodeUntrustedPollHost, azerr.CodeMalformedPollURL}, asError(t, err).Code)
		require.Len(t, arm.requests(), 1)
	}
}

func TestList_RejectsOtherBodies(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `[]`, `{"value":{}}`, `{"value":[],"nextLink":5}`} {
		arm := newAzure(t, answers(200, body))
		err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
		require.Equal(t, azerr.CodeUnreadableAnswer, asError(t, err).Code, body)
	}
}
