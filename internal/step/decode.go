package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// WithoutByteOrderMark returns a text without the UTF-8 byte order mark that .NET
// senders and some editors write at its start. The Functions host passes it on.
func WithoutByteOrderMark(text []byte) []byte {
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
}

// Decode decodes one JSON object into a struct. The object may begin with a byte
// order mark. Decode returns an *Invalid that names every field that is unknown,
// repeated, spelled in another case or of a wrong type, or that names invalid
// JSON. The valid fields are decoded even then. Field names are prefixed with the
// given path, such as "parameters".
func Decode(raw []byte, into any, path string) error {
	raw = WithoutByteOrderMark(raw)
	if problem := notOneValue(raw); problem != "" {
		return &Invalid{Fields: []FieldError{{Field: pathOrRequest(path), Problem: problem, Want: "one JSON object"}}}
	}
	c := checker{}
	c.repeated(raw, path)
	c.value(raw, reflect.TypeOf(into), path)
	// Every error is among those of the checker, which words them.
	if err := json.Unmarshal(raw, into); err != nil && len(c.fields) == 0 {
		c.add(path, "cannot be read", "one JSON object")
	}
	if len(c.fields) > 0 {
		return &Invalid{Fields: c.fields}
	}
	return nil
}

// notOneValue returns the problem of a text that is not one JSON value; empty if
// it is.
func notOneValue(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	var value json.RawMessage
	err := d.Decode(&value)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return "holds more than one JSON value"
		}
		return ""
	case errors.Is(err, io.EOF):
		return "is empty"
	case errors.As(err, &syntax) && syntax.Offset > 0 && int(syntax.Offset) <= len(raw):
		line := 1 + bytes.Count(raw[:syntax.Offset], []byte("\n"))
		return fmt.Sprintf("is not JSON: unexpected %q at byte %d (line %d)", raw[syntax.Offset-1:syntax.Offset], syntax.Offset, line)
	}
	return "is not JSON: it ends too early"
}

// Join returns the path of a field: the path of its object, a dot, its name.
func Join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

// pathOrRequest returns the path, or "request" for the request itself.
func pathOrRequest(path string) string {
	if path == "" {
		return "request"
	}
	return path
}

// jsonTypeName returns the JSON name of a Go type.
func jsonTypeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Bool:
		return "JSON true or false"
	case t.Kind() == reflect.String:
		return "JSON string"
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return "JSON array"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "JSON object"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "JSON number"
	}
	return "whole number"
}

// JoinInvalid returns one *Invalid with the fields of several errors. It names a
// field once, with its first problem. It returns another error unchanged, and nil
// if there is none.
func JoinInvalid(errs ...error) error {
	joined := &Invalid{}
	seen := map[string]bool{}
	for _, err := range errs {
		if err == nil {
			continue
		}
		var invalid *Invalid
		if !errors.As(err, &invalid) {
			return err
		}
		for _, f := range invalid.Fields {
			if f.Field == "request" && len(joined.Fields) > 0 || seen[f.Field] {
				continue
			}
			seen[f.Field] = true
			joined.Fields = append(joined.Fields, f)
		}
		if seen["request"] {
			return joined // the fields are not known
		}
	}
	if len(joined.Fields) == 0 {
		return nil
	}
	return joined
}

// article returns a JSON kind with its article.
func article(kind string) string {
	if strings.ContainsAny(kind[:1], "aeiou") {
		return "an " + kind
	}
	return "a " + kind
}
