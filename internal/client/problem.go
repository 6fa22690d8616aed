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

	"azbackupflow/internal/handlers"
)

// Problem is an answer that says no (RFC 9457).
type Problem struct {
	handlers.Problem
	// RetryAfter is how long to wait before asking again; zero if the answer
	// did not say.
	RetryAfter time.Duration
}

// Error says what the problem is in one line.
func (p *Problem) Error() string {
	switch {
	case p.Detail == "":
		return fmt.Sprintf("%s (HTTP %d)", p.Title, p.Status)
	case p.Title == "":
		return fmt.Sprintf("%s (HTTP %d)", p.Detail, p.Status)
	}
	return fmt.Sprintf("%s (HTTP %d): %s", p.Title, p.Status, p.Detail)
}

// Unreachable is an API that cannot be asked: nobody listens, the connection
// broke, or someone else than azbackupflow answered. What was asked for may
// have happened.
type Unreachable struct {
	// URL is the address that was called, without /api.
	URL string
	Err error
}

// Error names the address.
func (u *Unreachable) Error() string { return fmt.Sprintf("%s: %s", u.URL, u.Err) }

// Unwrap gives the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// OutOfReach reports whether asking again later may help: the API cannot be
// asked, or cannot reach its own state or queue.
func OutOfReach(err error) bool {
	var away *Unreachable
	var problem *Problem
	switch {
	case errors.As(err, &away):
		return true
	case errors.As(err, &problem):
		return problem.Status >= http.StatusInternalServerError || problem.Status == http.StatusTooManyRequests
	}
	return false
}

// away is the error of a request that got no answer.
func (c *Client) away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the URL, which Unreachable names
	}
	return &Unreachable{URL: c.base, Err: err}
}

// refused is the error of an answer that is no success.
func (c *Client) refused(res *http.Response, raw []byte, retryAfter time.Duration) error {
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "application/problem+json" {
		p := Problem{RetryAfter: retryAfter}
		if json.Unmarshal(raw, &p.Problem) == nil {
			p.Status = res.StatusCode
			return &p
		}
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return &Problem{Problem: handlers.Problem{Title: "The Functions app does not let you call it", Status: res.StatusCode, Detail: excerpt(raw)}}
	case res.StatusCode == http.StatusNotFound:
		return &Unreachable{URL: c.base, Err: errors.New("answered HTTP 404: azbackupflow's API is not there")}
	case res.StatusCode < http.StatusBadRequest:
		return &Unreachable{URL: c.base, Err: fmt.Errorf("answered HTTP %d: it wants to be called as %s", res.StatusCode, res.Header.Get("Location"))}
	case res.StatusCode >= http.StatusInternalServerError, res.StatusCode == http.StatusTooManyRequests:
		return &Unreachable{URL: c.base, Err: fmt.Errorf("answered HTTP %d %s", res.StatusCode, excerpt(raw))}
	}
	return &Problem{Problem: handlers.Problem{Title: http.StatusText(res.StatusCode), Status: res.StatusCode, Detail: excerpt(raw)}, RetryAfter: retryAfter}
}

const longestExcerpt = 200 // characters

// excerpt is the beginning of a text that someone else wrote, in one line.
func excerpt(raw []byte) string {
	if !utf8.Valid(raw) {
		return ""
	}
	text := strings.Join(strings.FieldsFunc(string(raw), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > longestExcerpt {
		return string(runes[:longestExcerpt]) + "…"
	}
	return text
}
