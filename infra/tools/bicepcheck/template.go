package main

import (
	"strings"
)

// template is a Bicep file.
type template struct {
	file string
	root *node
	// scope is the target scope.
	scope     string
	names     map[string]*declaration
	resources []*resource
	modules   []*module
}

// declaration is the declaration of a name.
type declaration struct {
	what string // param, var, resource, module, output, loop
	name string
	line int
	// kind is the declared type of a parameter or an output.
	kind string
	// value is the value of a variable, or the default of a parameter.
	value *node
	used  bool
	// conditional reports a resource or module that is deployed only on a
	// condition.
	conditional bool
	// busy prevents an endless recursion through variables.
	busy bool
}

// resource is the declaration of a resource.
type resource struct {
	name string
	line int
	// id is Type@version.
	id       string
	existing bool
	parent   *resource
	body     *node
}

// module is a use of another template.
type module struct {
	name string
	path string
	line int
	body *node
}

// read returns the template of a parse tree.
func read(file string, root *node) *template {
	t := &template{file: file, root: root, scope: "resourceGroup", names: map[string]*declaration{}}
	for _, n := range root.kids {
		t.declare(n)
	}
	return t
}

func (t *template) declare(n *node) {
	id := n.child("identifier", "compatible_identifier")
	add := func(what string) *declaration {
		if id == nil {
			return &declaration{}
		}
		d := &declaration{what: what, name: id.text, line: n.line}
		key := id.text
		if what == "output" {
			key = "output " + key
		}
		t.names[key] = d
		return d
	}
	switch n.kind {
	case "target_scope_assignment":
		if s, ok := n.child("string").literal(); ok {
			t.scope = s
		}
	case "parameter_declaration":
		d := add("param")
		d.kind = declaredType(n)
		if last := n.last(); last != id && last.kind != "type" && last.kind != "array_type" && last.kind != "nullable_type" {
			d.value = last
		}
	case "variable_declaration":
		add("var").value = n.last()
	case "output_declaration":
		add("output").kind = declaredType(n)
	case "resource_declaration":
		add("resource").conditional = conditional(n)
		t.resource(n, nil)
	case "module_declaration":
		add("module").conditional = conditional(n)
		m := &module{line: n.line, body: body(n)}
		if id != nil {
			m.name = id.text
		}
		m.path, _ = n.child("string").literal()
		t.modules = append(t.modules, m)
	}
}

func declaredType(n *node) string {
	for _, c := range n.kids {
		switch c.kind {
		case "type", "array_type", "nullable_type":
			return strings.TrimSpace(c.text)
		}
	}
	return ""
}

// optional reports whether a parameter can be omitted.
func (d *declaration) optional() bool { return d.value != nil || strings.HasSuffix(d.kind, "?") }

func (t *template) resource(n *node, parent *resource) {
	r := &resource{line: n.line, parent: parent, body: body(n)}
	if id := n.child("identifier", "compatible_identifier"); id != nil {
		r.name = id.text
		t.names[id.text] = &declaration{what: "resource", name: id.text, line: n.line, conditional: conditional(n)}
	}
	for _, token := range n.tokens {
		r.existing = r.existing || token == "existing"
	}
	r.id, _ = n.child("string").literal()
	if parent != nil {
		above, version, _ := strings.Cut(parent.id, "@")
		kind, own, ok := strings.Cut(r.id, "@")
		if ok {
			version = own
		}
		r.id = above + "/" + kind + "@" + version
	}
	t.resources = append(t.resources, r)
	if r.body == nil {
		return
	}
	for _, p := range r.body.kids {
		if nested := p.child("resource_declaration"); nested != nil {
			t.resource(nested, r)
		}
	}
}

// body returns the object of a resource or module, below its loop or condition.
func body(n *node) *node {
	for _, c := range n.kids {
		switch c.kind {
		case "object":
			return c
		case "if_statement", "for_statement":
			return body(c)
		}
	}
	return nil
}

// conditional reports whether a resource or module, or each of a loop, is deployed
// only on a condition.
func conditional(n *node) bool {
	for _, c := range n.kids {
		switch c.kind {
		case "if_statement":
			return true
		case "for_statement":
			return conditional(c)
		}
	}
	return false
}
