package schema

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// rules say of each field, by its path, what its Go type does not.
type rules map[string]object

// required marks a field that must be given.
const required = "x-required"

// of gives the schema of a struct that encoding/json reads, with the rules of
// its fields. A rule for a field that does not exist is a mistake.
func of(t reflect.Type, r rules) (object, error) {
	left := maps.Clone(r)
	s, err := structure(t, "", left)
	if err != nil {
		return nil, err
	}
	for path := range left {
		return nil, fmt.Errorf("%s has no field %s", t, path)
	}
	return s, nil
}

// structure is the schema of a struct. It takes the rules that it uses.
func structure(t reflect.Type, path string, left rules) (object, error) {
	properties := object{}
	var must []string
	for _, f := range fields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		s, err := value(f.Type, at, left)
		if err != nil {
			return nil, err
		}
		for key, v := range left[at] {
			if key == required {
				must = append(must, name)
				continue
			}
			s[key] = v
		}
		delete(left, at)
		properties[name] = s
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(must) > 0 {
		s["required"] = must
	}
	return s, nil
}

// fields lists a struct's fields, those of embedded structs among them.
func fields(t reflect.Type) (all []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous:
			all = append(all, fields(f.Type)...)
		case f.Tag.Get("json") != "" && f.Tag.Get("json") != "-":
			all = append(all, f)
		}
	}
	return all
}

// value is the schema of one field.
func value(t reflect.Type, path string, left rules) (object, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time", "pattern": rfc3339}, nil
	case t.Kind() == reflect.Struct:
		return structure(t, path, left)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return object{"type": "object", "additionalProperties": object{"type": "string"}}, nil
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}, nil
	case t.Kind() == reflect.String:
		return object{"type": "string"}, nil
	}
	return nil, fmt.Errorf("field %s: a schema for %s is not known", path, t)
}
