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
// order mark. Decode returns an *Invalid that names
// the field for an unknown field, a wrong type, invalid JSON or more than one
// value. Field names are prefixed with the given path, such as "parameters".
func Decode(raw []byte, into any, path string) error {
	raw = WithoutByteOrderMark(raw)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &Invalid{Fields: []FieldError{fieldError(err, raw, into, path)}}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &Invalid{Fields: []FieldError{{Field: pathOrRequest(path), Problem: "holds more than one JSON value", Want: "one JSON object"}}}
	}
	return nil
}

// fieldError returns the field error for a decoding error.
func fieldError(err error, raw []byte, into any, path string) FieldError {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		want := "a " + jsonTypeName(wrongType.Type)
		if wrongType.Field == "" {
			return FieldError{Field: pathOrRequest(path), Problem: "is a JSON " + wrongType.Value, Want: want}
		}
		article := "a "
		if strings.HasPrefix(wrongType.Value, "object") || strings.HasPrefix(wrongType.Value, "array") {
			article = "an "
		}
		return FieldError{Field: Join(path, jsonPath(reflect.TypeOf(into), wrongType.Field)), Problem: "is " + article + wrongType.Value, Want: want}
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
		return FieldError{Field: pathOrRequest(path), Problem: fmt.Sprintf("is not JSON: %s, at byte %d (line %d)", syntax.Error(), syntax.Offset, line), Want: "one JSON object"}
	case errors.Is(err, io.EOF):
		return FieldError{Field: pathOrRequest(path), Problem: "is empty", Want: "one JSON object"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return FieldError{Field: pathOrRequest(path), Problem: "is not JSON: it ends too early", Want: "one JSON object"}
	}
	if found, ok := invalidField(raw, reflect.TypeOf(into), path); ok {
		return found
	}
	return FieldError{Field: pathOrRequest(path), Problem: err.Error(), Want: "one JSON object"}
}

// jsonPath returns the path of a field in the JSON object. encoding/json adds the
// names of embedded structs, which the object does not have.
func jsonPath(t reflect.Type, field string) string {
	var path []string
	for _, name := range strings.Split(field, ".") {
		for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
			t = t.Elem()
		}
		inner, embedded := memberOf(t, name)
		if t = inner; !embedded {
			path = append(path, name)
		}
	}
	return strings.Join(path, ".")
}

// memberOf returns the type of a struct's field, by its JSON name or by the name of
// an embedded struct; nil if there is none.
func memberOf(t reflect.Type, name string) (member reflect.Type, embedded bool) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "" && f.Name == name:
			return f.Type, true
		case tag == name:
			return f.Type, false
		}
	}
	return nil, false
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
