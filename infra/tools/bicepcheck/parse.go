package main

import (
	"fmt"
	"strings"

	bicep "github.com/tree-sitter-grammars/tree-sitter-bicep/bindings/go"
	sitter "github.com/tree-sitter/go-tree-sitter"
)

// node is one node of a parse tree.
type node struct {
	kind, text string
	// line counts from 1.
	line int
	// field is the name of the node in the grammar within its parent, if any.
	field string
	kids  []*node
	// tokens are the anonymous children, such as the keyword existing.
	tokens []string
}

// parse parses a template. Syntax errors are findings.
func parse(name string, source []byte) (*node, []Finding, error) {
	parser := sitter.NewParser()
	defer parser.Close()
	if err := parser.SetLanguage(sitter.NewLanguage(bicep.Language())); err != nil {
		return nil, nil, fmt.Errorf("load the grammar of Bicep: %w", err)
	}
	tree := parser.Parse(source, nil)
	defer tree.Close()
	var findings []Finding
	var convert func(n *sitter.Node, field string) *node
	convert = func(n *sitter.Node, field string) *node {
		out := &node{kind: n.Kind(), text: n.Utf8Text(source), line: int(n.StartPosition().Row) + 1, field: field}
		switch {
		case n.IsMissing():
			findings = append(findings, Finding{name, out.line, fmt.Sprintf("syntax error: %q is missing", n.Kind())})
		case n.IsError():
			findings = append(findings, Finding{name, out.line, fmt.Sprintf("syntax error near %q", firstLine(out.text))})
		}
		var before *sitter.Node
		for i := range n.ChildCount() {
			c := n.Child(i)
			if out.kind == "array" || out.kind == "object" {
				if before != nil && c.IsNamed() && before.EndPosition().Row == c.StartPosition().Row && before.EndByte() != c.StartByte() {
					findings = append(findings, Finding{name, out.line, fmt.Sprintf("syntax error: a comma is missing before %q", firstLine(c.Utf8Text(source)))})
				}
				if before = nil; c.IsNamed() && c.Kind() != "comment" {
					before = c
				}
			}
			if !c.IsNamed() && !c.IsMissing() && !c.IsError() {
				out.tokens = append(out.tokens, c.Kind())
				continue
			}
			if k := c.Kind(); k != "comment" && k != "diagnostic_comment" {
				out.kids = append(out.kids, convert(c, n.FieldNameForChild(uint32(i))))
			}
		}
		return out
	}
	root := convert(tree.RootNode(), "")
	return root, findings, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// child returns the first child of one of the kinds.
func (n *node) child(kinds ...string) *node {
	for _, c := range n.kids {
		for _, k := range kinds {
			if c.kind == k {
				return c
			}
		}
	}
	return nil
}

// named returns the child with the field name.
func (n *node) named(field string) *node {
	for _, c := range n.kids {
		if c.field == field {
			return c
		}
	}
	return nil
}

// property returns the value of an object's property.
func (n *node) property(name string) *node {
	for _, c := range n.kids {
		if c.kind == "object_property" && len(c.kids) > 1 && c.kids[0].text == name {
			return c.last()
		}
	}
	return nil
}

// last returns the last child.
func (n *node) last() *node {
	if len(n.kids) == 0 {
		return nil
	}
	return n.kids[len(n.kids)-1]
}

// walk calls f for the node and then for all nodes below it.
func (n *node) walk(f func(*node)) {
	f(n)
	for _, c := range n.kids {
		c.walk(f)
	}
}

// literal returns the text of a string without interpolation.
func (n *node) literal() (string, bool) {
	if n == nil || n.kind != "string" {
		return "", false
	}
	var b strings.Builder
	for _, c := range n.kids {
		switch c.kind {
		case "string_content":
			b.WriteString(c.text)
		case "escape_sequence":
			b.WriteString(unescape(c.text))
		default:
			return "", false
		}
	}
	return b.String(), true
}

func unescape(s string) string {
	switch s {
	case `\n`:
		return "\n"
	case `\t`:
		return "\t"
	case `\r`:
		return "\r"
	}
	return strings.TrimPrefix(s, `\`)
}
