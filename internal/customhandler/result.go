package customhandler

import (
	"encoding/json"
	"net/http"
)

// Result holds the values that a function returns to the host.
type Result struct {
	// Outputs are the values of the output bindings by name. Use objects, not
	// strings: the host decodes strings that look like base64.
	Outputs map[string]any
	// Logs are lines that the host logs at Information level, after a successful
	// invocation only.
	Logs []string
	// ReturnValue is the value of the $return binding.
	ReturnValue any
}

// MarshalJSON encodes all three fields. With an empty response the host would
// wait until its own timeout.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Outputs     map[string]any
		Logs        []string
		ReturnValue any
	}(r)
	if out.Outputs == nil {
		out.Outputs = map[string]any{}
	}
	if out.Logs == nil {
		out.Logs = []string{}
	}
	return json.Marshal(out)
}

// respond writes a result with a status.
func respond(w http.ResponseWriter, status int, r Result) error {
	body, err := json.Marshal(r)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"Outputs":{},"Logs":[],"ReturnValue":null}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, writeErr := w.Write(body); err == nil {
		err = writeErr
	}
	return err
}

// reject responds that the invocation failed. The reason helps people who trace
// the connection; the host ignores the body.
func reject(w http.ResponseWriter, status int, reason string) error {
	return respond(w, status, Result{Logs: []string{reason}})
}
