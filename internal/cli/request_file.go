package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"azbackupflow/internal/api"
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
	if errors.As(err, &failed) {
		return nil, &UsageError{Text: fmt.Sprintf("file %s cannot be read: %v", name, failed.Err)}
	}
	return raw, err
}

// DecodeRequest decodes a request file. It checks the shape of the request; the
// API checks the values.
func DecodeRequest(raw []byte, file string) (api.Request, error) {
	var r api.Request
	err := decode(raw, file, &r)
	return r, err
}

// DecodeBulk decodes a bulk file.
func DecodeBulk(raw []byte, file string) (api.Bulk, error) {
	var b api.Bulk
	err := decode(raw, file, &b)
	return b, err
}

func decode(raw []byte, file string, into any) error {
	err := step.Decode(raw, into, "")
	var invalid *step.Invalid
	if errors.As(err, &invalid) {
		return &UsageError{Text: file + ": " + invalid.Error()}
	}
	if err != nil {
		return fmt.Errorf("decode %s: %w", file, err)
	}
	return nil
}
