package main

import (
	"fmt"
	"slices"
)

// optionalRoles returns the keys of the custom roles that a deployment assigns only
// on request.
func optionalRoles() []string {
	return []string{"restore-and-delete", "virtual-machines", "datasources"}
}

// optionalLists returns the parameters with resource groups that only one feature
// uses, which is off by default. Optional roles may be assigned there.
func optionalLists() []string { return []string{"drillResourceGroups"} }

// loopsOverOptionalList reports whether a loop is over the elements of a parameter of
// optionalLists whose default is empty.
func loopsOverOptionalList(t *template, loop *node) (found bool) {
	if loop.kind != "for_statement" {
		return false
	}
	for _, c := range loop.kids {
		d, ok := t.names[c.text]
		if c.kind != "identifier" || !ok || d.what != "var" || d.value == nil {
			continue
		}
		d.value.walk(func(n *node) {
			p, ok := t.names[n.text]
			found = found || ok && slices.Contains(optionalLists(), n.text) && p.what == "param" && p.value != nil && p.value.text == "''"
		})
	}
	return found
}

// checkOptionalRoles reports optional roles that a template assigns without a
// parameter that is off by default.
func checkOptionalRoles(all map[string]*template) []Finding {
	var found []Finding
	switches := map[string]bool{}
	for _, name := range sorted(all) {
		t := all[name]
		var visit func(n *node, condition string)
		visit = func(n *node, condition string) {
			if loopsOverOptionalList(t, n) {
				return
			}
			if n.kind == "string_content" && slices.Contains(optionalRoles(), n.text) {
				if d, ok := t.names[condition]; ok && d.what == "param" {
					switches[condition] = true
				} else {
					found = append(found, Finding{t.file, n.line, fmt.Sprintf("the role %s is assigned without a parameter that allows it", n.text)})
				}
			}
			for _, c := range n.kids {
				below := condition
				if n.kind == "ternary_expression" && c.field == "consequence" {
					below = n.named("condition").text
				}
				visit(c, below)
			}
		}
		visit(t.root, "")
	}
	for _, name := range sorted(all) {
		for param := range switches {
			d, ok := all[name].names[param]
			if ok && d.what == "param" && (d.value == nil || d.value.text != "false") {
				found = append(found, Finding{name, d.line, fmt.Sprintf("the parameter %s allows a role, so its default must be false", param)})
			}
		}
	}
	return found
}
