package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/client"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/flow"
)

// dashboardFunction is the function that serves the dashboard. The host requires no
// key for it: App Service authentication signs its callers in.
const dashboardFunction = "dashboard"

// dashboardPath is the path of the dashboard: the host's route prefix, and the route
// of its function.
const dashboardPath = "/" + apiFunction + "/" + dashboardFunction

// withDashboard returns a handler that serves the dashboard below its path, and the
// API everywhere else. The pages are made at the first request, so that the program
// starts as fast without them.
func withDashboard(b *base, api http.Handler) http.Handler {
	pages := sync.OnceValues(func() (http.Handler, error) { return newDashboard(b, api) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.Path, dashboardPath)
		if !found || rest != "" && !strings.HasPrefix(rest, "/") {
			api.ServeHTTP(w, r)
			return
		}
		if status, reason := dashboardOff(b); reason != "" {
			http.Error(w, reason, status)
			return
		}
		if rest == "" {
			w.Header().Set("Location", dashboardFunction+"/")
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		handler, err := pages()
		if err != nil {
			b.log.ErrorContext(r.Context(), "dashboard not assembled", "error", err)
			http.Error(w, "The dashboard cannot be shown; see the log of the app.", http.StatusInternalServerError)
			return
		}
		http.StripPrefix(dashboardPath, handler).ServeHTTP(w, r)
	})
}

// dashboardOff returns why the dashboard is not served, with the status of the
// response; the reason is empty if it is served. Without app roles and App Service
// authentication, everybody could use it.
func dashboardOff(b *base) (status int, reason string) {
	switch {
	case !b.settings.Dashboard:
		return http.StatusNotFound, "The dashboard is off. Set AZBACKUPFLOW_DASHBOARD to true to serve it."
	case !b.settings.APIRoles:
		return http.StatusNotFound, "The dashboard needs app roles: set AZBACKUPFLOW_API_ROLES to true, with App Service authentication."
	}
	if err := b.settings.SignInUnchecked(); err != nil { // as the API answers
		return http.StatusServiceUnavailable, err.Error()
	}
	return http.StatusOK, ""
}

// newDashboard returns the dashboard. It calls the API in this process with the
// sign-in of the person who looks at it, so that their app roles apply.
func newDashboard(b *base, api http.Handler) (http.Handler, error) {
	definitions, err := flow.Definitions(flow.Config{Now: b.now})
	if err != nil {
		return nil, err
	}
	flows, err := dashboard.Flows(definitions)
	if err != nil {
		return nil, err
	}
	// The address is never dialed.
	calls, err := client.New(client.Config{
		URL: "http://127.0.0.1", Now: b.now, Sleep: b.sleep,
		HTTP: &http.Client{Timeout: time.Minute, Transport: handlerTransport{api}},
	})
	if err != nil {
		return nil, err
	}
	pages, err := dashboard.New(dashboard.Config{
		API: func(*http.Request) dashboard.API { return calls }, Flows: flows, Name: b.settings.Tenant, NewID: b.newID, Now: b.now, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, signIn(r.Header))))
	}), nil
}

// callerKey is the key of the sign-in headers in the context of a page's request.
type callerKey struct{}

// signIn returns the headers of App Service authentication, which it removes from
// requests that it has not checked.
func signIn(all http.Header) http.Header {
	headers := http.Header{}
	for name, values := range all {
		if strings.HasPrefix(name, "X-Ms-Client-Principal") {
			headers[name] = values
		}
	}
	return headers
}

// handlerTransport sends requests to a handler in this process, with the sign-in of
// the page's request.
type handlerTransport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	headers, _ := r.Context().Value(callerKey{}).(http.Header)
	maps.Copy(r.Header, headers)
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := answer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(&answer, r)
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if !a.wrote && status >= http.StatusOK {
		a.status, a.wrote = status, true
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	return a.body.Write(p)
}
