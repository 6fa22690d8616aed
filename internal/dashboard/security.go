package dashboard

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Cookies and the form field of the token against forged requests. The names of the
// cookies end with the port; see cookieName.
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
		setCookie(w, r, sessionCookie, secret, http.SameSiteStrictMode)
		seeOther(w, "operations")
		return false
	}
	cookie, err := r.Cookie(cookieName(r, sessionCookie))
	if err != nil || !same(cookie.Value, d.cfg.Session) {
		http.Error(w, "Open the link that azbackupflow printed.", http.StatusForbidden)
		return false
	}
	return true
}

// setCookie sets a cookie that scripts cannot read and forms of other sites cannot send.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, sameSite http.SameSite) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: a laptop serves the pages without TLS
		Name: cookieName(r, name), Value: value, Path: "/", HttpOnly: true, SameSite: sameSite,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}

// cookieName returns the name of a cookie with the port of the address, if it has one.
// Browsers do not separate cookies by port, so two dashboards on one machine would
// replace each other's.
func cookieName(r *http.Request, name string) string {
	_, port, err := net.SplitHostPort(forwardedHost(r))
	if _, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil {
		return name
	}
	return name + "-" + port
}

// formToken returns the token that forms of this browser must send, and sets its
// cookie if there is none.
func (d *Dashboard) formToken(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(cookieName(r, formCookie)); err == nil && cookie.Value != "" {
		return cookie.Value
	}
	token := d.cfg.NewID()
	// With Strict, a link of another site would come without the cookie, and the
	// response would replace it. No other site can send a form with a Lax cookie.
	setCookie(w, r, formCookie, token, http.SameSiteLaxMode)
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
	cookie, err := r.Cookie(cookieName(r, formCookie))
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
