package functionshost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxRequest limits the body of a buffered HTTP request, in bytes. The real
// host's limit is 100 MB.
const maxRequest = 100 << 20

// errStatusCode is the error of an http output with an invalid status.
var errStatusCode = errors.New("statusCode of the http output is not an HTTP status; set 100 to 599")

// serveEnvelope invokes a function with the request in an envelope. The
// function's output becomes the response.
func (h *Host) serveEnvelope(w http.ResponseWriter, r *http.Request, function *Function, parameters map[string]string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "request body not readable", http.StatusBadRequest)
		return
	}
	i, err := newInvocation(function, h.random)
	if err == nil {
		err = fillRequest(i, r, parameters, string(body))
	}
	var result response
	if err == nil {
		result, err = h.invoke(r.Context(), i)
	}
	if err == nil {
		err = writeOutput(w, function, result)
	}
	if err != nil {
		http.Error(w, "function failed; see the host's log", http.StatusInternalServerError)
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
	i.merged = body
	return nil
}

// httpOutput is the value of an http output binding.
type httpOutput struct {
	StatusCode json.Number
	Status     json.Number
	Headers    map[string]string
	Body       json.RawMessage
}

// writeOutput writes the http output as the HTTP response. It responds with 204 if
// there is none.
func writeOutput(w http.ResponseWriter, function *Function, result response) error {
	var raw json.RawMessage
	for _, output := range function.Outputs {
		if !output.is(typeHTTP) {
			continue
		}
		raw = result.Outputs[output.Name]
		if output.Name == returnBinding {
			raw = result.ReturnValue
		}
	}
	if len(raw) == 0 || string(raw) == "null" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var output httpOutput
	if err := json.Unmarshal(raw, &output); err != nil {
		return fmt.Errorf("http output is not {statusCode, headers, body}: %w", err)
	}
	status := http.StatusOK
	for _, given := range []json.Number{output.Status, output.StatusCode} {
		if given == "" {
			continue
		}
		n, err := given.Int64()
		if err != nil || n < 100 || n > 599 {
			return errStatusCode
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
