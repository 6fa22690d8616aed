package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"azbackupflow/internal/api"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/step"
)

// ReadFile reads a file, or stdin if the name is "-". The error is a
// *UsageError.
func ReadFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		raw, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return raw, nil
	}
	raw, err := os.ReadFile(name) //nolint:gosec // G304: the user names the file
	var failed *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &UsageError{Text: fmt.Sprintf("file %s does not exist", name), Remedy: "name an existing file, or - for standard input"}
	case errors.Is(err, fs.ErrPermission):
		return nil, &UsageError{Text: fmt.Sprintf("file %s may not be read", name), Remedy: "change its permissions"}
	case errors.As(err, &failed):
		return nil, &UsageError{Text: fmt.Sprintf("file %s cannot be read: %v", name, failed.Err), Remedy: "name a file, not a folder"}
	}
	return raw, err
}

// DecodeRequest decodes a request file in JSON or YAML. It checks the shape of the
// request; the API checks the values.
func DecodeRequest(raw []byte, file string) (api.Request, error) {
	var r api.Request
	err := decode(raw, file, &r)
	return r, err
}

// DecodeBulk decodes a bulk file in JSON or YAML; see DecodeRequest.
func DecodeBulk(raw []byte, file string) (api.Bulk, error) {
	var b api.Bulk
	err := decode(raw, file, &b)
	return b, err
}

func decode(raw []byte, file string, into any) error {
	raw, err := ToJSON(raw, file)
	if err != nil {
		return err
	}
	if err := checkJSON(raw, file); err != nil {
		return err
	}
	err = step.Decode(raw, into, "")
	var invalid *step.Invalid
	if errors.As(err, &invalid) {
		return &UsageError{Text: file + ": " + invalid.Error()}
	}
	if err != nil {
		return fmt.Errorf("decode %s: %w", file, err)
	}
	return nil
}

// ToJSON returns the content of a file in JSON or YAML as JSON. A file that starts
// like JSON is returned as it is.
func ToJSON(raw []byte, file string) ([]byte, error) {
	start := bytes.TrimSpace(step.WithoutByteOrderMark(raw))
	if len(start) == 0 {
		return nil, &UsageError{Text: file + " is empty", Remedy: "write a request into it; azbackupflow start FLOW --example prints one"}
	}
	if start[0] == '{' || start[0] == '[' {
		return raw, nil
	}
	document, err := declaration.Parse(file, step.WithoutByteOrderMark(raw))
	var invalid *declaration.Invalid
	if errors.As(err, &invalid) {
		return nil, &UsageError{Text: invalid.Error()}
	}
	if err != nil {
		return nil, err
	}
	var value any
	if err := document.Decode(&value); err != nil {
		return nil, err
	}
	if _, isObject := value.(map[string]any); !isObject {
		return nil, &UsageError{Text: file + " does not hold a request", Remedy: "write fields such as flow: backup-now, or JSON"}
	}
	return json.Marshal(value)
}

// checkJSON returns an error with the line of the first character that is not JSON.
func checkJSON(raw []byte, file string) error {
	raw = step.WithoutByteOrderMark(raw)
	var any json.RawMessage
	err := json.NewDecoder(bytes.NewReader(raw)).Decode(&any)
	if err == nil {
		return nil
	}
	at := len(raw)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(int(syntax.Offset), len(raw))
	}
	line := 1 + bytes.Count(raw[:at], []byte("\n"))
	problem := fmt.Sprintf("is not JSON: something is wrong in line %d", line)
	if at > 0 && at < len(raw) {
		problem += fmt.Sprintf(", at %q", string([]rune(string(raw[at-1:]))[:1]))
	} else {
		problem = fmt.Sprintf("is not JSON: it ends in line %d before it is complete", line)
	}
	return &UsageError{Text: file + " " + problem, Remedy: "write one JSON object, or YAML"}
}
