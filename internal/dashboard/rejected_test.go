package dashboard_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/rejected"
)

// reject stores a rejected request, and returns the path of its page.
func (s *site) reject(body string) string {
	s.t.Helper()
	id := rejected.NewID(clienttest.Began(), "", "m1", nil)
	require.NoError(s.t, s.api.Store.SaveRejected(s.t.Context(), rejected.Request{
		ID: id, At: clienttest.Began(), Source: "requests", MessageID: "m1", Flow: "protect-file-share", Reason: "invalid request", Body: body,
	}))
	return "rejected/" + id
}

var formAddress = regexp.MustCompile(`(?:action|formaction)="([^"]+)"`)

// forms returns the addresses of the forms of a page, as a browser resolves them.
func (s *site) forms(path, body string) (all []string) {
	s.t.Helper()
	base, err := url.Parse(s.url + "/" + path)
	require.NoError(s.t, err)
	for _, found := range formAddress.FindAllStringSubmatch(body, -1) {
		address, err := base.Parse(found[1])
		require.NoError(s.t, err)
		all = append(all, address.Path)
	}
	return all
}

func TestRejected_IsValidatedRepeatedlyAndReplayed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{"flow":"protect-file-share","key":"k","parameters":{}}`)
	want := []string{"/" + page + "/replay", "/" + page + "/validate", "/" + page + "/delete"}
	require.Equal(t, want, s.forms(page, s.page(page)))

	answer, body := s.submit(page, page+"/validate", url.Values{"body": {`{"flow":"protect-file-share","key":"k","parameters":{}}`}})
	require.Equal(t, http.StatusOK, answer.status)
	require.Contains(t, body, "parameters.vaultId")
	require.Equal(t, want, s.forms(page+"/validate", body), "the page of the result is below that of the request")

	right, err := json.Marshal(clienttest.Protect("k", "orders"))
	require.NoError(t, err)
	answer, body = s.submit(page, page+"/validate", url.Values{"body": {string(right)}})
	require.Equal(t, http.StatusOK, answer.status)
	require.Contains(t, body, "Dry run")

	answer, _ = s.submit(page, page+"/replay", url.Values{"body": {string(right)}, "reason": {"it was incomplete"}})
	require.Equal(t, http.StatusSeeOther, answer.status)
	replayed, err := s.client.GetRejected(t.Context(), page[len("rejected/"):])
	require.NoError(t, err)
	require.False(t, replayed.ReplayedAt.IsZero())
	require.Equal(t, "it was incomplete", replayed.ReplayReason)
}

func TestRejected_IsNotReplayedWithABodyThatIsNoJSON(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	answer, body := s.submit(page, page+"/replay", url.Values{"body": {"{"}})
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, body, "The body is not valid JSON.")
}

func TestRejected_IsDeletedWithAReason(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	answer, _ := s.submit(page, page+"/delete", url.Values{"reason": {"a test"}})
	require.Equal(t, http.StatusSeeOther, answer.status)
	status, _ := s.get(page)
	require.Equal(t, http.StatusNotFound, status)
	removals, err := s.client.ListRemovals(t.Context(), api.RejectedQuery{})
	require.NoError(t, err)
	require.Equal(t, "a test", removals.Removals[0].Reason)
}

func TestRejected_AddressOfAResultLeadsToTheRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.reject(`{}`)
	for _, action := range []string{"validate", "replay", "delete"} {
		answer, _ := s.send(http.MethodGet, page+"/"+action, nil, nil)
		require.Equal(t, http.StatusSeeOther, answer.status)
		require.Equal(t, "../"+page[len("rejected/"):], answer.header.Get("Location"))
	}
}
