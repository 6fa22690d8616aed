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

// checkOptionalRoles reports optional roles that a template assigns without a
// parameter that is off by default.
func checkOptionalRoles(all map[string]*template) []Finding {
	var found []Finding
	switches := map[string]bool{}
	for _, name := range sorted(all) {
		t := all[name]
		var visit func(n *node, condition string)
		visit = func(n *node, condition string) {
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
