package step

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxFieldErrors limits the field errors of one decoding.
const maxFieldErrors = 50

// checker collects the field errors of a JSON document, which must be valid JSON.
type checker struct {
	fields []FieldError
}

func (c *checker) add(path, problem, want string) {
	at := pathOrRequest(path)
	known := slices.ContainsFunc(c.fields, func(f FieldError) bool { return f.Field == at })
	if len(c.fields) < maxFieldErrors && !known {
		c.fields = append(c.fields, FieldError{Field: at, Problem: problem, Want: want})
	}
}

// level is one object or list around the current position of a document.
type level struct {
	names map[string]bool // of an object; nil for a list
	name  string          // of the current member
	index int             // of the current element
	key   bool            // the next token is a name
}

// repeated adds every field that occurs more than once in its object, at any
// depth. It reads the document once.
func (c *checker) repeated(raw []byte, path string) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var levels []level
	for {
		token, err := d.Token()
		if err != nil {
			return // the end
		}
		if name, isText := token.(string); isText && len(levels) > 0 && levels[len(levels)-1].key {
			l := &levels[len(levels)-1]
			l.name, l.key = name, false
			if l.names[name] {
				c.add(pathOf(path, levels), "occurs more than once", "each field once")
			}
			l.names[name] = true
			continue
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: map[string]bool{}, key: true})
			continue
		case json.Delim('['):
			levels = append(levels, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
		if len(levels) > 0 { // a value has ended
			l := &levels[len(levels)-1]
			l.key = l.names != nil
			l.index++
		}
	}
}

func pathOf(path string, levels []level) string {
	for _, l := range levels {
		if l.names == nil {
			path += fmt.Sprintf("[%d]", l.index)
			continue
		}
		path = Join(path, l.name)
	}
	return path
}

// value adds the errors of a value that is decoded to a type.
func (c *checker) value(raw []byte, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	raw = bytes.TrimSpace(raw)
	kind := kindOf(raw)
	if kind == "null" || t == reflect.TypeFor[json.RawMessage]() || t.Kind() == reflect.Interface || len(c.fields) == maxFieldErrors {
		return // encoding/json ignores null
	}
	if t == reflect.TypeFor[time.Time]() {
		var at time.Time
		if json.Unmarshal(raw, &at) != nil {
			c.add(path, string(raw)+" is not a time", "a time such as 2030-01-31T18:00:00Z")
		}
		return
	}
	want := jsonTypeName(t)
	if kind != kindFor(t) {
		c.add(path, "is "+article(kind), "a "+want)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.object(raw, t, path)
	case reflect.Map:
		members := membersOf(raw)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			c.value(members[name], t.Elem(), Join(path, name))
		}
	case reflect.Slice, reflect.Array:
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements) // it is a list
		for n, element := range elements {
			c.value(element, t.Elem(), fmt.Sprintf("%s[%d]", path, n))
		}
	default:
		if json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
			c.add(path, "is a "+kind+" "+string(raw), "a "+want)
		}
	}
}

// object adds the errors of an object that is decoded to a struct.
func (c *checker) object(raw []byte, t reflect.Type, path string) {
	members := membersOf(raw)
	types, names := fieldsOf(t)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := Join(path, name)
		if i := slices.Index(names, name); i >= 0 {
			c.value(members[name], types[i], at)
			continue
		}
		// encoding/json would accept another case.
		if i := slices.IndexFunc(names, func(known string) bool { return strings.EqualFold(known, name) }); i >= 0 {
			c.add(at, "is spelled in another case", names[i])
			continue
		}
		c.add(at, "is an unknown field", "one of "+strings.Join(names, ", "))
	}
}

// membersOf returns the members of an object.
func membersOf(raw []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // it is an object
	return members
}

// kindOf returns the JSON kind of a value.
func kindOf(raw []byte) string {
	if len(raw) == 0 {
		return "null"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// kindFor returns the JSON kind that is decoded to a type.
func kindFor(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	default:
		return "number"
	}
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
