package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// invalidField finds the innermost field that does not decode. encoding/json does
// not name the object around an unknown field, or a field whose value decodes
// itself, such as a time.
func invalidField(raw []byte, t reflect.Type, path string) (FieldError, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		return invalidElement(raw, t.Elem(), path)
	}
	var members map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.Unmarshal(raw, &members) != nil {
		return FieldError{}, false
	}
	fields, names := fieldsOf(t)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := Join(path, name)
		i := slices.IndexFunc(names, func(known string) bool { return strings.EqualFold(known, name) })
		if i < 0 {
			return FieldError{Field: at, Problem: "is an unknown field", Want: "one of " + strings.Join(names, ", ")}, true
		}
		if found, ok := invalidValue(members[name], fields[i], at); ok {
			return found, true
		}
	}
	return FieldError{}, false
}

// invalidElement finds the invalid field within a list.
func invalidElement(raw []byte, t reflect.Type, path string) (FieldError, bool) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return FieldError{}, false
	}
	for n, element := range elements {
		if found, ok := invalidValue(element, t, fmt.Sprintf("%s[%d]", path, n)); ok {
			return found, true
		}
	}
	return FieldError{}, false
}

// invalidValue finds the invalid field within the value of one field.
func invalidValue(raw []byte, t reflect.Type, path string) (FieldError, bool) {
	value := reflect.New(t).Interface()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(value)
	if err == nil {
		return FieldError{}, false
	}
	if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[*time.Time]() {
		return FieldError{Field: path, Problem: string(raw) + " is not a time", Want: "a time such as 2030-01-31T18:00:00Z"}, true
	}
	if found, ok := invalidField(raw, t, path); ok {
		return found, true
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fieldError(err, raw, value, path), true
	}
	return FieldError{Field: path, Problem: err.Error(), Want: "a " + jsonTypeName(t)}, true
}

// fieldsOf returns the types of a struct's fields and their JSON names, in order.
func fieldsOf(t reflect.Type) (types []reflect.Type, names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "" {
			// encoding/json treats its fields as this struct's own.
			inner, innerNames := fieldsOf(f.Type)
			types, names = append(types, inner...), append(names, innerNames...)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			types, names = append(types, f.Type), append(names, name)
		}
	}
	return types, names
}
