// Package client calls azbackupflow's HTTP API. Responses have the types of
// package api. An error of the API is a *Problem; an API that cannot be called
// is *Unreachable.
//
// Each method makes one call and does not retry; IsUnavailable reports whether
// a retry may help. Only Wait polls and retries.
//
// Of this module the package imports internal/api and nothing else: it must
// not know how the server stores or runs operations.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Config selects the deployment that a Client calls.
type Config struct {
	// URL is the address of the Functions app, such as
	// https://name.azurewebsites.net. The API is below /api.
	URL string
	// FunctionKey is sent in the header x-functions-key, if the app requires one.
	// To other machines it is sent over https only.
	FunctionKey string
	// Token returns an access token for the header Authorization. Nil sends none.
	// To other machines it is sent over https only. Its errors are *SignInError.
	Token func(context.Context) (string, error)
	// HTTP sends the requests. The default has a timeout of one minute. The
	// client does not follow redirects, because they would carry the key along.
	HTTP *http.Client
	// Now and Sleep are the clock. Sleep returns early with the context's error.
	// Both are required.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// MinPause and MaxPause limit the pauses between the polls of Wait. The
	// defaults are 2 s and 10 s.
	MinPause, MaxPause time.Duration
	// MaxOutage is how long Wait retries while the API is unavailable. The
	// default is 5 min.
	MaxOutage time.Duration
}

// Client calls the API of one deployment. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	http http.Client
	// answered is set once something has responded.
	answered atomic.Bool
}

const (
	defaultMinPause  = 2 * time.Second
	defaultMaxPause  = 10 * time.Second
	defaultMaxOutage = 5 * time.Minute
	requestTimeout   = time.Minute
)

// New returns a client after it has checked the configuration. It makes no
// call.
func New(c Config) (*Client, error) {
	base, err := parseBase(c.URL, c.secret())
	if err != nil {
		return nil, err
	}
	if c.Now == nil || c.Sleep == nil {
		return nil, errors.New("client: Config needs a clock: set Now and Sleep")
	}
	if c.MinPause == 0 {
		c.MinPause = defaultMinPause
	}
	if c.MaxPause == 0 {
		c.MaxPause = max(defaultMaxPause, c.MinPause)
	}
	if c.MaxOutage == 0 {
		c.MaxOutage = defaultMaxOutage
	}
	client := http.Client{Timeout: requestTimeout}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: c, base: base, http: client}, nil
}

// URL returns the address of the app, without /api.
func (c *Client) URL() string { return c.base }

// secret names what the client would send; empty if that is nothing.
func (c Config) secret() string {
	switch {
	case c.Token != nil:
		return "access token"
	case c.FunctionKey != "":
		return "function key"
	}
	return ""
}

func parseBase(text, secret string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not the address of a Functions app; use one such as https://name.azurewebsites.net", text)
	}
	if secret != "" && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return "", fmt.Errorf("the %s would go to %s unencrypted; use https", secret, u.Host)
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/api"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
