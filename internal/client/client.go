// Package client calls azbackupflow's HTTP API. Answers have the shapes of
// package handlers; errors of the API are *Problem, and an API that cannot be
// asked at all is *Unreachable.
//
// A call is made once: whoever calls decides whether to call again (see
// OutOfReach). Only Wait asks again by itself.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config says which API is called, and how.
type Config struct {
	// URL is the Functions app's address, such as
	// https://name.azurewebsites.net. The API is below /api.
	URL string
	// FunctionKey, where the app asks for one, goes into the header
	// x-functions-key. Beyond this machine it is sent over https only.
	FunctionKey string
	// HTTP makes the requests; one with a time-out of a minute if nil.
	// Redirects are not followed, because the key would go with them.
	HTTP *http.Client
	// Now and Sleep are the clock. Sleep waits, or returns early with the
	// context's error. Both are needed.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Shortest and Longest bound the pauses of Wait: 2 s and 10 s if zero.
	Shortest, Longest time.Duration
	// Patience is how long Wait bears that the API is out of reach: 5 min if
	// zero.
	Patience time.Duration
}

// Client calls the API of one deployment. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	http http.Client
}

const (
	defaultShortest = 2 * time.Second
	defaultLongest  = 10 * time.Second
	defaultPatience = 5 * time.Minute
	requestLimit    = time.Minute
)

// New checks the configuration. It calls nobody.
func New(c Config) (*Client, error) {
	base, err := parseBase(c.URL, c.FunctionKey != "")
	if err != nil {
		return nil, err
	}
	if c.Now == nil || c.Sleep == nil {
		return nil, errors.New("client: needs a clock and a sleep")
	}
	if c.Shortest == 0 {
		c.Shortest = defaultShortest
	}
	if c.Longest == 0 {
		c.Longest = max(defaultLongest, c.Shortest)
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	client := http.Client{Timeout: requestLimit}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: c, base: base, http: client}, nil
}

// URL is the address that is called, without /api.
func (c *Client) URL() string { return c.base }

func parseBase(text string, withKey bool) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not the address of a Functions app; want one such as https://name.azurewebsites.net", text)
	}
	if withKey && u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", fmt.Errorf("the function key is not sent to %s unencrypted; use https", u.Host)
	}
	return strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/api"), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// request is one request of the API.
type request struct {
	method, path string
	query        url.Values
	ifNoneMatch  string
	body         any
}

// answer is what came back beside the body.
type answer struct {
	status     int
	etag       string
	retryAfter time.Duration
}

// largestAnswer is the longest body that is read, in bytes. The longest
// history of an operation is far below it.
const largestAnswer = 64 << 20

// do makes one request and decodes its answer into into.
func (c *Client) do(ctx context.Context, r request, into any) (answer, error) {
	req, err := c.build(ctx, r)
	if err != nil {
		return answer{}, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.away(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(res.Body, largestAnswer))
	if err != nil {
		return answer{}, c.away(ctx, err)
	}
	a := answer{status: res.StatusCode, etag: res.Header.Get("ETag"), retryAfter: c.retryAfter(res.Header.Get("Retry-After"))}
	switch {
	case res.StatusCode == http.StatusNotModified:
		return a, nil
	case res.StatusCode >= 200 && res.StatusCode < 300:
		if err := json.Unmarshal(raw, into); err != nil {
			return a, &Unreachable{URL: c.base, Err: fmt.Errorf("answered HTTP %d with something else than azbackupflow's JSON: %w", res.StatusCode, err)}
		}
		return a, nil
	}
	return a, c.refused(res, raw, a.retryAfter)
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	address := c.base + "/api" + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "azbackupflow")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.ifNoneMatch != "" {
		req.Header.Set("If-None-Match", r.ifNoneMatch)
	}
	if c.cfg.FunctionKey != "" {
		req.Header.Set("x-functions-key", c.cfg.FunctionKey)
	}
	return req, nil
}

// retryAfter reads the header, which holds seconds or a date; zero if it is
// not there or has passed.
func (c *Client) retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(c.cfg.Now()), 0)
	}
	return 0
}
