package main

import (
	"slices"
	"strings"
)

// kind is the type of a value, as far as it is known.
type kind string

const (
	unknown kind = ""
	object  kind = "object"
	array   kind = "array"
	text    kind = "string"
	boolean kind = "bool"
	number  kind = "int"
	null    kind = "null"
)

// value is the result of an expression.
type value struct {
	kind kind
	line int
	// known reports whether text holds the value; otherwise only its kind is known.
	known bool
	text  string
	// props are the properties of an object, items the elements of an array. open
	// reports whether there may be more.
	props []property
	items []value
	open  bool
	// either holds the two values of a conditional expression.
	either []value
}

type property struct {
	name  string
	line  int
	value value
}

func (v value) get(name string) (property, bool) {
	i := slices.IndexFunc(v.props, func(p property) bool { return p.name == name })
	if i < 0 {
		return property{}, false
	}
	return v.props[i], true
}

// results returns for each known function the kind of its result.
func results() map[string]kind {
	return map[string]kind{
		"array": array, "concat": unknown, "split": array, "items": array, "objectKeys": array, "range": array,
		"guid": text, "uniqueString": text, "toLower": text, "toUpper": text, "trim": text, "join": text, "replace": text,
		"string": text, "format": text, "resourceId": text, "subscriptionResourceId": text, "loadTextContent": text,
		"uri": text, "base64": text, "substring": text, "take": unknown, "skip": unknown,
		"empty": boolean, "contains": boolean, "startsWith": boolean, "endsWith": boolean, "bool": boolean,
		"length": number, "int": number, "min": number, "max": number,
		"loadJsonContent": unknown, "union": unknown, "first": unknown, "last": unknown, "coalesce": unknown,
		"subscription": object, "resourceGroup": object, "environment": object, "tenant": object, "deployment": object,
		"managementGroup": object, "reference": unknown, "map": array, "filter": array, "sys": unknown,
	}
}

// evaluate returns the value of an expression.
func (t *template) evaluate(n *node) value {
	v := value{line: n.line}
	switch n.kind {
	case "object":
		return t.object(n)
	case "array":
		v.kind = array
		for _, c := range n.kids {
			v.items = append(v.items, t.evaluate(c))
		}
	case "for_statement":
		v.kind, v.open = array, true
		if body := n.named("body"); body != nil {
			v.items = []value{t.evaluate(body)}
		}
	case "string":
		v.kind = text
		v.text, v.known = n.literal()
	case "boolean":
		v.kind, v.known, v.text = boolean, true, n.text
	case "number":
		v.kind, v.known, v.text = number, true, n.text
	case "null":
		v.kind = null
	case "parenthesized_expression":
		if n.last() != nil {
			return t.evaluate(n.last())
		}
	case "ternary_expression":
		for _, f := range []string{"consequence", "alternative"} {
			if c := n.named(f); c != nil {
				v.either = append(v.either, t.evaluate(c))
			}
		}
	case "unary_expression":
		if slices.Contains(n.tokens, "!") || strings.HasPrefix(n.text, "!") {
			v.kind = boolean
		} else {
			v.kind = number
		}
	case "binary_expression":
		v.kind = t.binary(n)
	case "call_expression":
		if f := n.named("function"); f != nil && f.kind == "identifier" {
			v.kind = results()[f.text]
			v.open = true
		}
	case "identifier", "compatible_identifier":
		return t.lookup(n)
	}
	return v
}

func (t *template) binary(n *node) kind {
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">", "&&", "||", "=~", "!~"} {
		if slices.Contains(n.tokens, op) || (n.named("operator") != nil && n.named("operator").text == op) {
			return boolean
		}
	}
	return unknown
}

// lookup returns the value of a name: the value of a variable, or the declared type of
// a parameter.
func (t *template) lookup(n *node) value {
	d, ok := t.names[n.text]
	if !ok {
		return value{line: n.line}
	}
	switch d.what {
	case "var":
		if d.value != nil && !d.busy {
			d.busy = true
			v := t.evaluate(d.value)
			d.busy = false
			v.line = n.line
			return v
		}
	case "param":
		return value{kind: kinds(d.kind), line: n.line, open: true}
	}
	return value{line: n.line}
}

func kinds(declared string) kind {
	switch k := kind(declared); {
	case slices.Contains([]kind{object, array, text, boolean, number}, k):
		return k
	case strings.HasSuffix(declared, "[]"):
		return array
	}
	return unknown
}

func (t *template) object(n *node) value {
	v := value{kind: object, line: n.line}
	for _, c := range n.kids {
		if c.kind != "object_property" || c.child("resource_declaration") != nil || len(c.kids) < 2 {
			if c.kind != "object_property" && c.kind != "decorators" {
				v.open = true
			}
			continue
		}
		name, ok := c.kids[0].text, true
		if c.kids[0].kind == "string" {
			name, ok = c.kids[0].literal()
		}
		p := property{name: name, line: c.line, value: t.evaluate(c.last())}
		if !ok {
			// The name is not known. The type of additional properties can still be
			// checked.
			v.open, p.name = true, "*"
		}
		v.props = append(v.props, p)
	}
	return v
}
