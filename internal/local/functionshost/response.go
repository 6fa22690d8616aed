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

// errNoAnswer means that the handler answered 2xx with nothing in it, on which
// the host waits until the function's time is over.
var errNoAnswer = errors.New("the handler answered without a body, and the host goes on waiting")

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// answer is what a handler says to an envelope.
type answer struct {
	Outputs     map[string]json.RawMessage
	Logs        []string
	ReturnValue json.RawMessage
}

// readAnswer reads a handler's response as strictly as the host does.
func readAnswer(response *http.Response) (answer, error) {
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer{}, fmt.Errorf("the handler answered %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("%w in the middle of its answer: %w", errConnectionLost, err)
	}
	if len(body) == 0 {
		return answer{}, errNoAnswer
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || (kind != "application/json" && kind != "text/json") {
		return answer{}, fmt.Errorf("the handler answered with content type %q, not application/json", response.Header.Get("Content-Type"))
	}
	if string(bytes.TrimSpace(body)) == "null" {
		return answer{}, errNoAnswer
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{}, fmt.Errorf("the handler's answer is not {Outputs, Logs, ReturnValue}: %w", err)
	}
	return a, nil
}
