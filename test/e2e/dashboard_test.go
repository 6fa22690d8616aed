package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/stack"
)

// dashboardSettings serve the dashboard as in a deployed app.
func dashboardSettings(platform string) map[string]string {
	s := withoutSweep()
	s["AZBACKUPFLOW_DASHBOARD"], s["AZBACKUPFLOW_API_ROLES"] = "true", "true"
	if platform != "" {
		s["WEBSITE_AUTH_ENABLED"] = platform
	}
	return s
}

// person looks at the dashboard of a deployed app with a browser. App Service
// authentication has added the header that names the person and their roles.
type person struct {
	l         *local
	browser   *http.Client
	principal string
}

// signIn returns a browser of a reader with some app roles. Without roles, its
// requests name no one.
func (l *local) signIn(roles ...string) person {
	l.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(l.t, err)
	p := person{l: l, browser: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if roles == nil {
		return p
	}
	p.principal = principal(l.t, roles...)
	return p
}

// principal returns the header by which App Service authentication names a caller.
func principal(t testing.TB, roles ...string) string {
	t.Helper()
	claims := []map[string]string{{"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": "00000000-0000-0000-0000-00000000abcd"}}
	for _, role := range roles {
		claims = append(claims, map[string]string{"typ": "roles", "val": role})
	}
	raw, err := json.Marshal(map[string]any{"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims})
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

// send sends a request of the browser: a form if there is one.
func (p person) send(path string, form url.Values) (status int, header http.Header, body string) {
	t := p.l.t
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.l.URL()+"/api/dashboard/"+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", p.l.URL())
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if p.principal != "" {
		req.Header.Set("X-Ms-Client-Principal", p.principal)
	}
	res, err := p.browser.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(raw)
}

var formToken = regexp.MustCompile(`name="form-token" value="([^"]+)"`)

// act opens a page, and sends one of its forms.
func (p person) act(page, action string, form url.Values) (status int, header http.Header, body string) {
	t := p.l.t
	t.Helper()
	status, _, body = p.send(page, nil)
	require.Equal(t, http.StatusOK, status, body)
	found := formToken.FindStringSubmatch(body)
	require.NotNil(t, found, "the page has a form")
	form.Set("form-token", found[1])
	return p.send(action, form)
}

// TestDashboard_ServesSignedInPeopleInTheApp drives the dashboard of the deployed
// program behind the Functions host. Readers look, starters start and change
// operations, restorers those that are guarded. A denied action names the missing role.
func TestDashboard_ServesSignedInPeopleInTheApp(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, Settings: dashboardSettings("True")})
	const read, start, restore = "Operations.Read", "Operations.Start", "Operations.Restore"
	reader, starter, restorer := l.signIn(read), l.signIn(read, start), l.signIn(read, restore)

	form := url.Values{
		"p.vaultId": {demoVault}, "p.storageAccountId": {demoAccount}, "p.fileShare": {"testshare"}, "p.policy": {"schedule1"}, "key": {"from the page"}, "do": {"start"},
	}
	status, _, body := reader.act("start/protect-file-share", "start/protect-file-share", form)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "caller lacks the app role Operations.Start")
	require.Contains(t, body, "Ask the owner of the app for the role. Nothing was changed.")

	status, header, body := starter.act("start/protect-file-share", "start/protect-file-share", form)
	require.Equal(t, http.StatusSeeOther, status, body)
	page, _, _ := strings.Cut(strings.TrimPrefix(header.Get("Location"), "../"), "?")
	status, _, body = reader.send(page, nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "by user 00000000-0000-0000-0000-00000000abcd", "the page names who started it")

	status, _, body = reader.act(page, page+"/pause", url.Values{"reason": {"no role"}})
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "Not allowed")
	_, _, body = reader.send(page, nil)
	require.NotContains(t, body, "no role", "nothing was changed")
	status, _, body = starter.act(page, page+"/pause", url.Values{"reason": {"maintenance"}})
	require.Equal(t, http.StatusSeeOther, status, body)
	_, _, body = reader.send(page, nil)
	require.Contains(t, body, "maintenance")

	deletion := url.Values{"p.itemId": {demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i"}, "do": {"start"}}
	status, _, body = starter.act("start/delete-protection", "start/delete-protection", deletion)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "caller lacks the app role Operations.Restore")
	status, _, body = restorer.act("start/delete-protection", "start/delete-protection", deletion)
	require.NotEqual(t, http.StatusForbidden, status, "the guardrails of the app may still refuse it: %s", body)

	for _, nobody := range []person{l.signIn(), l.signIn("Another.Role")} {
		for _, path := range []string{"operations", page, "attention", "limits", "trends", "protection?resource=" + url.QueryEscape(demoAccount)} {
			status, _, body = nobody.send(path, nil)
			require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, path)
			require.NotContains(t, body, "testshare", path)
		}
	}
	cross := starter
	cross.browser = &http.Client{CheckRedirect: starter.browser.CheckRedirect} // a form of another site has no token
	status, _, body = cross.send(page+"/cancel", url.Values{"form-token": {"guess"}})
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "Form rejected")
}

// TestDashboard_BelievesNoHeaderWithoutAuthentication sends the header of App Service
// authentication to an app without it: everybody could write such a header.
func TestDashboard_BelievesNoHeaderWithoutAuthentication(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, Settings: dashboardSettings("")})
	forger := l.signIn("Operations.Read", "Operations.Start", "Operations.Restore")
	for _, path := range []string{"", "operations", "attention", "assets/dashboard.css"} {
		status, _, body := forger.send(path, nil)
		require.Equal(t, http.StatusServiceUnavailable, status, path)
		require.Contains(t, body, "WEBSITE_AUTH_ENABLED is not set", path)
	}
	status, _, _ := forger.send("operations/x/cancel", url.Values{})
	require.Equal(t, http.StatusServiceUnavailable, status)
}

// TestDashboard_IsOffWithoutItsSetting checks the addresses of the dashboard in an
// app that does not serve it.
func TestDashboard_IsOffWithoutItsSetting(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, Settings: withoutSweep()})
	for _, path := range []string{"", "operations", "start/backup-now", "assets/dashboard.js"} {
		status, _, body := l.signIn("Operations.Read").send(path, nil)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Contains(t, body, "Set AZBACKUPFLOW_DASHBOARD to true", path)
		require.NotContains(t, body, "<html", path)
	}
	var version api.Version
	require.Equal(t, http.StatusOK, l.call(http.MethodGet, "/version", nil, &version).StatusCode, "the API is served")
}
