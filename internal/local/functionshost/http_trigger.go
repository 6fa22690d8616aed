package functionshost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"

	"azbackupflow/internal/local/fault"
)

// maxRequest bounds the body of a buffered HTTP request in bytes; the real
// host's limit is 100 MB.
const maxRequest = 100 << 20

// serveRoute runs the HTTP function that a request is for.
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

// passOn hands the original request to the handler and its answer back:
// streamed if host.json asks for proxying, else buffered, which loses the body
// of a request without a length.
func (h *Host) passOn(w http.ResponseWriter, r *http.Request, function *Function) {
	i, err := newInvocation(function, h.random)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	request := fault.Request{Service: "host", Kind: "invoke " + function.Name, Detail: r.Method + " " + r.URL.Path}
	h.fault.At(fault.Before, request)
	if !h.app.Host.ProxyHTTP && r.ContentLength < 0 {
		r.Body = http.NoBody
	}
	var answered atomic.Bool
	worker, err := h.gate.wait(r.Context())
	if err == nil {
		err = h.bounded(r.Context(), worker, func(ctx context.Context) error {
			return h.proxy(ctx, worker, i, request, &answered, w, r)
		})
	}
	h.fault.At(fault.After, request)
	if err == nil {
		return
	}
	h.log.ErrorContext(r.Context(), "invocation failed", "function", function.Name, "invocationId", i.id, "error", err)
	if answered.Load() {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to show the caller that the answer is cut
	}
	http.Error(w, "the function failed", http.StatusInternalServerError)
}

// proxy sends one request to the handler and its answer back. The error says
// that there was none, or that it was cut after answered was set.
func (h *Host) proxy(ctx context.Context, to *worker, i *invocation, request fault.Request, answered *atomic.Bool, w http.ResponseWriter, r *http.Request) (failure error) {
	defer func() {
		if value := recover(); value != nil {
			failure = fmt.Errorf("%w in the middle of its answer: %v", errConnectionLost, value)
		}
	}()
	proxy := &httputil.ReverseProxy{
		Transport:     to.client.Transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(h.log.Handler(), slog.LevelDebug), // what it says is returned, too
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to.url)
			p.Out.Host = p.In.Host
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values := p.In.Header.Values(name); len(values) > 0 {
					p.Out.Header[name] = values
				}
			}
			setHostHeaders(p.Out.Header, i.id)
		},
		ModifyResponse: func(*http.Response) error {
			h.fault.At(fault.During, request)
			answered.Store(true)
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			failure = fmt.Errorf("%w: %w", errConnectionLost, err)
		},
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	return failure
}

// serveEnvelope invokes a function with the request in an envelope and turns
// its output into the response.
func (h *Host) serveEnvelope(w http.ResponseWriter, r *http.Request, function *Function, parameters map[string]string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "the request cannot be read", http.StatusBadRequest)
		return
	}
	i, err := newInvocation(function, h.random)
	if err == nil {
		err = fillRequest(i, r, parameters, string(body))
	}
	var a answer
	if err == nil {
		a, err = h.invoke(r.Context(), i)
	}
	if err == nil {
		err = writeOutput(w, function, a)
	}
	if err != nil {
		http.Error(w, "the function failed", http.StatusInternalServerError)
	}
}

// fillRequest writes an HTTP request into an invocation.
func fillRequest(i *invocation, r *http.Request, parameters map[string]string, body string) error {
	query, headers, joined := map[string]string{}, map[string][]string{}, map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
		i.metadata.set(name, encodeText(query[name]))
	}
	for name, values := range r.Header {
		headers[name], joined[name] = values, strings.Join(values, ",")
	}
	headers["Host"], joined["Host"] = []string{r.Host}, r.Host
	request, err := encodeObject(struct {
		URL        string `json:"Url"`
		Method     string
		Query      map[string]string
		Headers    map[string][]string
		Params     map[string]string
		Identities []any
		Body       string
	}{"http://" + r.Host + r.URL.RequestURI(), r.Method, query, headers, parameters, []any{}, body})
	if err != nil {
		return err
	}
	i.data.set(i.function.Trigger.Name, request)
	queryJSON, err := encodeObject(query)
	if err != nil {
		return err
	}
	headersJSON, err := encodeObject(joined)
	if err != nil {
		return err
	}
	i.metadata.set("query", queryJSON)
	i.metadata.set("headers", headersJSON)
	for name, value := range parameters {
		i.metadata.set(name, encodeText(value))
	}
	mergeBody(&i.metadata, body)
	return nil
}

// httpOutput is the value of an http output binding.
type httpOutput struct {
	StatusCode json.Number
	Status     json.Number
	Headers    map[string]string
	Body       json.RawMessage
}

// writeOutput turns a handler's answer into an HTTP response: 204 if the
// function has no http output or gave none.
func writeOutput(w http.ResponseWriter, function *Function, a answer) error {
	var raw json.RawMessage
	for _, output := range function.Outputs {
		if !output.is(typeHTTP) {
			continue
		}
		raw = a.Outputs[output.Name]
		if output.Name == returnBinding {
			raw = a.ReturnValue
		}
	}
	if len(raw) == 0 || string(raw) == "null" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var output httpOutput
	if err := json.Unmarshal(raw, &output); err != nil {
		return fmt.Errorf("the http output is not {statusCode, headers, body}: %w", err)
	}
	status := http.StatusOK
	for _, given := range []json.Number{output.Status, output.StatusCode} {
		if given == "" {
			continue
		}
		n, err := given.Int64()
		if err != nil || n < 100 || n > 599 {
			return errors.New("the http output's statusCode is not a status")
		}
		status = int(n)
	}
	body := []byte(output.Body)
	var text string
	if json.Unmarshal(output.Body, &text) == nil {
		body = []byte(text)
	}
	for name, value := range output.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}
