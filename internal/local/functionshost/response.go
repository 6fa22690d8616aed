package functionshost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// errNoResponse is the error of a 2xx response without a value. The host then
// waits until the function's time limit.
var errNoResponse = errors.New("the handler responded with an empty body; the host keeps waiting")

// maxResponse limits the body of a response, in bytes.
const maxResponse = 64 << 20

// response is the handler's response to an envelope.
type response struct {
	Outputs     map[string]json.RawMessage
	Logs        []string
	ReturnValue json.RawMessage
}

// readResponse reads a handler's response as strictly as the host does.
func readResponse(r *http.Response) (response, error) {
	if r.StatusCode < 200 || r.StatusCode > 299 {
		return response{}, fmt.Errorf("the handler responded with status %s", r.Status)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil {
		return response{}, fmt.Errorf("%w during the response: %w", errConnectionLost, err)
	}
	if len(body) == 0 {
		return response{}, errNoResponse
	}
	contentType := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || (kind != "application/json" && kind != "text/json") {
		return response{}, fmt.Errorf("the handler responded with content type %q; send application/json", contentType)
	}
	if string(bytes.TrimSpace(body)) == "null" {
		return response{}, errNoResponse
	}
	var parsed response
	if err := json.Unmarshal(body, &parsed); err != nil {
		return response{}, fmt.Errorf("the handler's response is not {Outputs, Logs, ReturnValue}: %w", err)
	}
	return parsed, nil
}
