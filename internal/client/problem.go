package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"azbackupflow/internal/api"
)

// Problem is an error response of the API (RFC 9457).
type Problem struct {
	api.Problem
	// RetryAfter is the response's Retry-After, zero if it has none.
	RetryAfter time.Duration
}

// Error returns the problem in one line.
func (p *Problem) Error() string {
	switch {
	case p.Detail == "":
		return fmt.Sprintf("%s (HTTP %d)", p.Title, p.Status)
	case p.Title == "":
		return fmt.Sprintf("%s (HTTP %d)", p.Detail, p.Status)
	}
	return fmt.Sprintf("%s (HTTP %d): %s", p.Title, p.Status, p.Detail)
}

// ProblemDenied is the type of a 401 or 403 that does not come from azbackupflow: the
// Functions host or App Service authentication responded.
const ProblemDenied = "urn:azbackupflow:problem:denied-by-host"

// Unreachable is the error of a call that got no response from azbackupflow:
// no server listens, the connection broke, or another server responded. The
// request may have taken effect.
type Unreachable struct {
	// URL is the address of the app, without /api.
	URL string
	Err error
	// Answered reports that something listens at the address: it responded to this
	// call or to an earlier one.
	Answered bool
	// Status is the HTTP status of the response to this call, zero if there was none.
	// RetryAfter is its Retry-After.
	Status     int
	RetryAfter time.Duration
}

// Error returns the address and the cause.
func (u *Unreachable) Error() string { return fmt.Sprintf("%s: %s", u.URL, u.Err) }

// Unwrap returns the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// SignInError is the error of a call that was not made, because Config.Token
// returned no token.
type SignInError struct{ Err error }

// Error returns the cause.
func (e *SignInError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *SignInError) Unwrap() error { return e.Err }

// LoginRedirect is the error of a call that was redirected to a sign-in page: App
// Service authentication found no valid access token.
type LoginRedirect struct {
	// URL is the address of the app, Host that of the page.
	URL, Host string
}

// Error returns the problem.
func (e *LoginRedirect) Error() string {
	return fmt.Sprintf("%s requires a sign-in: it redirects to %s", e.URL, e.Host)
}

// IsUnavailable reports whether a later retry may succeed: the API is
// unreachable, or cannot reach its storage or queue.
func IsUnavailable(err error) bool {
	var unreachable *Unreachable
	var problem *Problem
	switch {
	case errors.As(err, &unreachable):
		return true
	case errors.As(err, &problem):
		return problem.Status >= http.StatusInternalServerError || problem.Status == http.StatusTooManyRequests
	}
	return false
}

// Throttled reports whether the call was rejected with HTTP 429 before it had an
// effect, and the Retry-After.
func Throttled(err error) (retryAfter time.Duration, throttled bool) {
	var unreachable *Unreachable
	var problem *Problem
	switch {
	case errors.As(err, &unreachable):
		return unreachable.RetryAfter, unreachable.Status == http.StatusTooManyRequests
	case errors.As(err, &problem):
		return problem.RetryAfter, problem.Status == http.StatusTooManyRequests
	}
	return 0, false
}

// unreachable returns the error of a call that got no response.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // Unreachable names the URL already
	}
	return &Unreachable{URL: c.base, Err: explained(err), Answered: c.answered.Load()}
}

// failed returns the error of a response that is not a success.
func (c *Client) failed(res *http.Response, raw []byte, retryAfter time.Duration) error {
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == api.ContentTypeProblem {
		p := Problem{RetryAfter: retryAfter}
		if json.Unmarshal(raw, &p.Problem) == nil {
			p.Status = res.StatusCode
			return &p
		}
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return &Problem{Problem: api.Problem{Type: ProblemDenied, Title: "The Functions app denied the call", Status: res.StatusCode, Detail: excerpt(raw)}}
	case res.StatusCode == http.StatusNotFound:
		return &Unreachable{URL: c.base, Answered: true, Err: errors.New("HTTP 404: azbackupflow's API not found at this address")}
	case res.StatusCode < http.StatusBadRequest && isLogin(res):
		to, _ := res.Location() // isLogin read it
		return &LoginRedirect{URL: c.base, Host: to.Hostname()}
	case res.StatusCode < http.StatusBadRequest:
		return &Unreachable{URL: c.base, Answered: true, Err: fmt.Errorf("HTTP %d: the server redirects to %s; use that address", res.StatusCode, res.Header.Get("Location"))}
	case res.StatusCode >= http.StatusInternalServerError, res.StatusCode == http.StatusTooManyRequests:
		return &Unreachable{URL: c.base, Answered: true, Status: res.StatusCode, RetryAfter: retryAfter, Err: fmt.Errorf("HTTP %d %s", res.StatusCode, excerpt(raw))}
	}
	return &Problem{Problem: api.Problem{Title: http.StatusText(res.StatusCode), Status: res.StatusCode, Detail: excerpt(raw)}, RetryAfter: retryAfter}
}

// isLogin reports whether a response redirects to a sign-in page: that of Microsoft
// Entra, or that of App Service authentication.
func isLogin(res *http.Response) bool {
	to, err := res.Location()
	if err != nil {
		return false
	}
	host := strings.ToLower(to.Hostname())
	return strings.HasPrefix(to.Path, "/.auth/login") || strings.HasPrefix(host, "login.") || host == "sts.windows.net" || strings.Contains(to.Path, "/oauth2/")
}

const maxExcerpt = 200 // characters

// excerpt returns the start of a foreign server's text as one line without
// control characters.
func excerpt(raw []byte) string {
	if !utf8.Valid(raw) {
		return ""
	}
	text := strings.Join(strings.FieldsFunc(string(raw), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "…"
	}
	return text
}
