package dashboard_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/dashboard"
)

// Browsers send a cookie to each port of a host.
func TestCookies_DashboardsOfOneMachineKeepTheirSessions(t *testing.T) {
	t.Parallel()
	first := newSite(t, func(c *dashboard.Config) { c.Session = "first" })
	second := newSite(t, func(c *dashboard.Config) { c.Session = "second"; c.NewID = func() string { return "other" } })
	second.http = first.http
	_, _ = first.get("?session=first")
	firstForm := tokenField.FindStringSubmatch(first.page("start/backup-now"))[1]
	_, _ = second.get("?session=second")
	secondForm := tokenField.FindStringSubmatch(second.page("start/backup-now"))[1]
	require.NotEqual(t, firstForm, secondForm)
	for s, token := range map[*site]string{first: firstForm, second: secondForm} {
		require.Contains(t, s.page("operations"), "Operations")
		answer, body := s.send(http.MethodPost, "start/backup-now", url.Values{"form-token": {token}}, http.Header{"Sec-Fetch-Site": {"same-origin"}})
		require.Equal(t, http.StatusBadRequest, answer.status, "the form is accepted, and its request is not complete")
		require.NotContains(t, body, "Form rejected")
	}
}

// A browser sends no Strict cookie with a link of another site. The response to it
// would replace the token, and the forms in other tabs would be rejected.
func TestCookies_LinkOfAnotherSiteKeepsTheTokenOfForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *dashboard.Config) { c.Session = "secret" })
	res, _ := s.send(http.MethodGet, "?session=secret", nil, nil)
	session, err := http.ParseSetCookie(res.header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.Equal(t, http.SameSiteStrictMode, session.SameSite)
	require.True(t, session.HttpOnly)
	res, _ = s.send(http.MethodGet, "start/backup-now", nil, nil)
	form, err := http.ParseSetCookie(res.header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.Equal(t, http.SameSiteLaxMode, form.SameSite)
	require.True(t, form.HttpOnly)
}

// The Functions host passes the address on in a header. It has no port.
func TestCookies_AreNamedByTheAddressOfTheBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.http.Jar = nil
	for host, want := range map[string]string{"app.azurewebsites.net": "azbackupflow-form", "localhost:7071": "azbackupflow-form-7071"} {
		res, _ := s.send(http.MethodGet, "start/backup-now", nil, http.Header{"X-Forwarded-Host": {host}})
		cookie, err := http.ParseSetCookie(res.header.Get("Set-Cookie"))
		require.NoError(t, err)
		require.Equal(t, want, cookie.Name)
	}
}
