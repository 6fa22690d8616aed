package schema

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"
)

// structure returns the schema of a struct and removes the fields that it used
// from left.
func structure(t reflect.Type, path string, left Fields) (Object, error) {
	properties := Object{}
	var required []string
	for _, f := range jsonFields(t) {
		name := jsonName(f)
		at := strings.TrimPrefix(path+"."+name, ".")
		described, ok := left[at]
		if !ok {
			return nil, fmt.Errorf("field %s of %s is not described; add it to the Fields", at, t)
		}
		delete(left, at)
		s, err := value(f.Type, at, left)
		if err != nil {
			return nil, err
		}
		maps.Copy(s, described.Rule)
		if described.Meaning != "" {
			s["description"] = described.Meaning
		}
		if described.Required {
			required = append(required, name)
		}
		properties[name] = s
	}
	s := Object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s, nil
}

// jsonFields returns the fields of a struct that encoding/json reads, those of
// embedded structs included.
func jsonFields(t reflect.Type) (all []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous:
			all = append(all, jsonFields(f.Type)...)
		case f.Tag.Get("json") != "" && f.Tag.Get("json") != "-":
			all = append(all, f)
		}
	}
	return all
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func pointedTo(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func isTime(t reflect.Type) bool { return t == reflect.TypeFor[time.Time]() }

// elements follows the path of a list in the paths of its elements, such as
// paths[].type.
const elements = "[]"

// list returns the schema of a list. Elements that are not objects may be
// described, too: by a Field for the elements.
func list(element reflect.Type, path string, left Fields) (Object, error) {
	items, err := value(element, path, left)
	if err != nil {
		return nil, err
	}
	if described, ok := left[path]; ok {
		delete(left, path)
		maps.Copy(items, described.Rule)
	}
	return Object{"type": "array", "items": items}, nil
}

// value returns the schema of one field.
func value(t reflect.Type, path string, left Fields) (Object, error) {
	t = pointedTo(t)
	switch {
	case isTime(t):
		return Object{"type": "string", "format": "date-time", "pattern": rfc3339}, nil
	case t.Kind() == reflect.Struct:
		return structure(t, path, left)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return Object{"type": "object", "additionalProperties": Object{"type": "string"}}, nil
	case t.Kind() == reflect.Slice:
		return list(t.Elem(), path+elements, left)
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int32:
		return Object{"type": "integer"}, nil
	case t.Kind() == reflect.Bool:
		return Object{"type": "boolean"}, nil
	case t.Kind() == reflect.String:
		return Object{"type": "string"}, nil
	}
	return nil, fmt.Errorf("field %s: type %s has no schema; add it to package schema", path, t)
}
