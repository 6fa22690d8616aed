package customhandler

import (
	"encoding/json"
	"net/http"
)

// Result is what a function hands back to the host.
type Result struct {
	// Outputs are the values of the output bindings by name. Emit objects, not
	// strings: the host decodes strings that look like base64.
	Outputs map[string]any
	// Logs are lines that the host logs at Information level, of a successful
	// invocation only.
	Logs []string
	// ReturnValue is the value of the $return binding.
	ReturnValue any
}

// MarshalJSON writes the result with all three fields, since the host waits
// for its own time limit when the answer is empty.
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

// answer writes a result under a status.
func answer(w http.ResponseWriter, status int, r Result) error {
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

// refuse answers that the invocation failed, with a reason for whoever reads
// the wire; the host itself ignores the body.
func refuse(w http.ResponseWriter, status int, reason string) error {
	return answer(w, status, Result{Logs: []string{reason}})
}
