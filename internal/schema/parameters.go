package schema

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// Object is a JSON object.
type Object = map[string]any

// Parameters describe what a flow takes.
type Parameters struct {
	// Type is the struct that encoding/json reads.
	Type reflect.Type
	// Fields describe the struct's fields by path, such as fileShare.vaultId, or
	// paths[].type for the elements of a list.
	Fields Fields
	// Rules are keywords of the whole object, for rules between fields.
	Rules Object
}

// Fields are the fields of a struct, by path.
type Fields map[string]Field

// Field describes one parameter.
type Field struct {
	// Required marks a field without which its object is rejected.
	Required bool
	// When documents the condition of the field, if it depends on other fields:
	// "databases only".
	When string
	// Meaning documents the field.
	Meaning string
	// Rule holds the keywords of JSON Schema that the Go type cannot express.
	Rule Object
	// Items are the kinds of protected items that a field with the ID of an item
	// takes, as far as the ID can be made of the names of what the item protects.
	Items []ItemKind
}

// ItemKind is a kind of protected items.
type ItemKind string

// The kinds of protected items whose IDs can be made of names.
const (
	MachineItem  ItemKind = "virtual machine"
	DatabaseItem ItemKind = "database"
)

// With returns the fields of both; more wins.
func (f Fields) With(more Fields) Fields {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

// Schema returns the JSON Schema of the parameters. A Field without a field of
// the struct is an error, and so is a field of the struct without a Field.
func (p Parameters) Schema() (Object, error) {
	left := maps.Clone(p.Fields)
	s, err := structure(p.Type, "", left)
	if err != nil {
		return nil, err
	}
	for path := range left {
		return nil, fmt.Errorf("%s has no field %s", p.Type, path)
	}
	maps.Copy(s, p.Rules)
	return s, nil
}

// Table returns the parameters as a Markdown table, in the order of the struct.
func (p Parameters) Table() string {
	var b strings.Builder
	b.WriteString("| parameter | | meaning |\n|---|---|---|\n")
	p.rows(&b, p.Type, "")
	return b.String()
}

func (p Parameters) rows(b *strings.Builder, t reflect.Type, path string) {
	for _, f := range jsonFields(t) {
		at := strings.TrimPrefix(path+"."+jsonName(f), ".")
		field := p.Fields[at]
		when := field.When
		if when == "" && field.Required {
			when = "required"
			if path != "" {
				when = "required in `" + path + "`"
			}
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", at, when, field.Meaning)
		inner := pointedTo(f.Type)
		if inner.Kind() == reflect.Slice {
			inner, at = pointedTo(inner.Elem()), at+elements
		}
		if inner.Kind() == reflect.Struct && !isTime(inner) {
			p.rows(b, inner, at)
		}
	}
}
