package functionshost

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"azbackupflow/internal/local/fault"
)

// headerForwardedInvocationID repeats the invocation's id in a proxied request.
const headerForwardedInvocationID = "X-Ms-Invocation-Id"

// serveRoute runs the HTTP function that serves the request's route.
func (h *Host) serveRoute(w http.ResponseWriter, r *http.Request) {
	function, parameters := findRoute(h.routes, r)
	switch {
	case function == nil && r.URL.Path == "/":
		w.WriteHeader(http.StatusOK)
	case function == nil:
		http.NotFound(w, r)
	case function.receivesOriginalRequest() && (h.app.Host.ProxyHTTP || h.app.Host.ForwardHTTP):
		h.passOn(w, r, function)
	default:
		h.serveEnvelope(w, r, function, parameters)
	}
}

// passOn sends the original request to the handler and returns its response. With
// enableProxyingHttpRequest both are streamed. Otherwise they are buffered, and a
// request without a length loses its body.
func (h *Host) passOn(w http.ResponseWriter, r *http.Request, function *Function) {
	i, err := h.proxiedInvocation(function, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	request := fault.Request{Service: "host", Kind: "invoke " + function.Name, Detail: r.Method + " " + r.URL.Path}
	h.fault.At(fault.Before, request)
	if !h.app.Host.ProxyHTTP && r.ContentLength < 0 {
		r.Body = http.NoBody
	}
	var responded atomic.Bool
	worker, err := h.gate.wait(r.Context())
	if err == nil {
		err = h.bounded(r.Context(), worker, func(ctx context.Context) error {
			return h.proxy(ctx, worker, i, request, &responded, w, r)
		})
	}
	h.fault.At(fault.After, request)
	if err == nil {
		return
	}
	h.log.Log(r.Context(), levelOf(err), "invocation failed", "function", function.Name, "invocationId", i.id, "error", err)
	if responded.Load() {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to show the caller that the response is incomplete
	}
	http.Error(w, "function failed; see the host's log", http.StatusInternalServerError)
}

// proxiedInvocation returns the invocation of a proxied request. The host creates
// a traceparent if the request has none.
func (h *Host) proxiedInvocation(function *Function, r *http.Request) (*invocation, error) {
	i, err := newInvocation(function, h.random)
	if err != nil {
		return nil, err
	}
	if r.Header.Get(headerTraceParent) == "" {
		i.trace, err = newTraceParent(h.random)
	}
	return i, err
}

// proxy sends one request to the handler and returns its response to the caller.
// It sets responded before it writes the response. It returns an error if the
// response is missing or incomplete.
func (h *Host) proxy(ctx context.Context, to *worker, i *invocation, request fault.Request, responded *atomic.Bool, w http.ResponseWriter, r *http.Request) (failure error) {
	defer func() {
		if value := recover(); value != nil {
			failure = fmt.Errorf("%w during the response: %v", errConnectionLost, value)
		}
	}()
	proxy := &httputil.ReverseProxy{
		Transport:     to.client.Transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(h.log.Handler(), slog.LevelDebug), // ErrorHandler returns the same errors
		Rewrite:       func(p *httputil.ProxyRequest) { rewrite(p, to.url, i) },
		ModifyResponse: func(*http.Response) error {
			h.fault.At(fault.During, request)
			responded.Store(true)
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			failure = fmt.Errorf("%w: %w", errConnectionLost, err)
		},
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	return failure
}

// rewrite turns the caller's request into the host's request to the handler.
func rewrite(p *httputil.ProxyRequest, handler *url.URL, i *invocation) {
	p.SetURL(handler)
	p.Out.URL.RawPath = proxiedPath(p.In.URL.EscapedPath())
	if path, err := url.PathUnescape(p.Out.URL.RawPath); err == nil {
		p.Out.URL.Path = path
	}
	if values := p.In.Header.Values("X-Forwarded-For"); len(values) > 0 {
		p.Out.Header["X-Forwarded-For"] = values
	}
	p.SetXForwarded()
	if _, ok := p.In.Header["User-Agent"]; !ok {
		p.Out.Header["User-Agent"] = []string{""} // or net/http sets its own
	}
	if i.trace != "" {
		p.Out.Header.Set(headerTraceParent, i.trace)
	}
	setHostHeaders(p.Out.Header, i.id)
	p.Out.Header.Set(headerForwardedInvocationID, i.id)
}

// proxiedPath returns the escaped path of a proxied request. The host's web server
// decodes all escapes except %2F, and its proxy escapes the result again: %2F
// becomes %252F, and %20 stays.
func proxiedPath(escaped string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		if c == '%' && i+2 < len(escaped) && !strings.EqualFold(escaped[i:i+3], "%2F") {
			if decoded, err := url.PathUnescape(escaped[i : i+3]); err == nil {
				c = decoded[0]
				i += 2
			}
		}
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@/", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('%')
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&15])
	}
	return out.String()
}
