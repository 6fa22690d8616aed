package schema

import (
	"reflect"
	"slices"
	"strings"
)

// Kind is the kind of value that a parameter takes.
type Kind int

// Kinds of parameters. A Map holds texts by name. An Object holds the parameters
// that follow it in the list, and may be empty.
const (
	Text Kind = iota
	Time
	Integer
	Number
	Boolean
	TextList
	Map
	ObjectKind
	Other
)

// Parameter is one parameter of a flow, or one field of a parameter that is an
// object.
type Parameter struct {
	// Path is the path of the parameter, such as fileShare.vaultId.
	Path string
	Kind Kind
	Field
	// ResourceTypes are the types of the resources that the parameter may name by
	// their IDs; see ResourceTypes.
	ResourceTypes []string
	// Values are the only valid values; empty if there are others.
	Values []string
}

// List returns the parameters in the order of the struct. The fields of an object
// follow it.
func (p Parameters) List() []Parameter { return p.list(p.Type, "") }

func (p Parameters) list(t reflect.Type, path string) (all []Parameter) {
	for _, f := range jsonFields(t) {
		at := strings.TrimPrefix(path+"."+jsonName(f), ".")
		field := p.Fields[at]
		values, _ := field.Rule["enum"].([]string)
		kind := kindOf(f.Type)
		all = append(all, Parameter{Path: at, Kind: kind, Field: field, ResourceTypes: ResourceTypes(field.Rule), Values: slices.Clone(values)})
		if kind == ObjectKind {
			all = append(all, p.list(pointedTo(f.Type), at)...)
		}
	}
	return all
}

func kindOf(t reflect.Type) Kind {
	t = pointedTo(t)
	switch {
	case isTime(t):
		return Time
	case t.Kind() == reflect.Struct:
		return ObjectKind
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return Map
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return TextList
	case t.Kind() == reflect.String:
		return Text
	case t.Kind() == reflect.Bool:
		return Boolean
	case t.Kind() == reflect.Float64, t.Kind() == reflect.Float32:
		return Number
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return Integer
	}
	return Other
}
