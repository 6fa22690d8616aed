package dashboard

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Cookies and the form field of the token against forged requests.
const (
	formCookie    = "azbackupflow-form"
	sessionCookie = "azbackupflow-session"
	formField     = "form-token"
)

// secure sets the headers of every response. Scripts, styles and requests come from
// this origin only, none of them inline.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	}, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// admits reports whether a request may reach the pages, and answers it if not.
func (d *Dashboard) admits(w http.ResponseWriter, r *http.Request) bool {
	if len(d.cfg.Hosts) > 0 && !slices.Contains(d.cfg.Hosts, r.Host) {
		http.Error(w, "This address is not served here.", http.StatusMisdirectedRequest)
		return false
	}
	if d.cfg.Session == "" {
		return true
	}
	if secret := r.URL.Query().Get("session"); secret != "" {
		if !same(secret, d.cfg.Session) {
			http.Error(w, "The link is not valid any more. Start the dashboard again.", http.StatusForbidden)
			return false
		}
		setCookie(w, r, sessionCookie, secret)
		seeOther(w, "operations")
		return false
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || !same(cookie.Value, d.cfg.Session) {
		http.Error(w, "Open the link that azbackupflow printed.", http.StatusForbidden)
		return false
	}
	return true
}

// setCookie sets a cookie that scripts cannot read and other sites cannot send.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: a laptop serves the pages without TLS
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}

// formToken returns the token that forms of this browser must send, and sets its
// cookie if there is none.
func (d *Dashboard) formToken(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(formCookie); err == nil && cookie.Value != "" {
		return cookie.Value
	}
	token := d.cfg.NewID()
	setCookie(w, r, formCookie, token)
	return token
}

// checkForm rejects a form that another site sent: by the browser's headers, and by
// the token, which no other site can read.
func (d *Dashboard) checkForm(r *http.Request) error {
	forged := &pageError{http.StatusForbidden, "Form rejected", "The form did not come from this page. Reload the page and send it again."}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return forged
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != forwardedHost(r) {
			return forged
		}
	}
	if err := r.ParseForm(); err != nil {
		return &pageError{http.StatusBadRequest, "Form not readable", "The form is too large or not complete."}
	}
	cookie, err := r.Cookie(formCookie)
	if err != nil || cookie.Value == "" || !same(cookie.Value, r.PostForm.Get(formField)) {
		return forged
	}
	return nil
}

// forwardedHost returns the host that the browser addressed. The Functions host
// passes it on in a header that a page of another site cannot set.
func forwardedHost(r *http.Request) string {
	if host := r.Header.Get("X-Forwarded-Host"); host != "" {
		return host
	}
	return r.Host
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
