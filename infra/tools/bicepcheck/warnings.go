package main

import (
	"fmt"
	"slices"
)

// checkWarnings reports two warnings of the official compiler, under its own
// names: BCP318 (access to a resource or module that may be null) and
// use-safe-access (a ternary expression instead of a safe access). The third one,
// BCP225, belongs to the types: see (*typeChecker).discriminated.
// https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-core-diagnostics
func checkWarnings(t *template) []Finding {
	var found []Finding
	t.root.walk(func(n *node) {
		switch n.kind {
		case "member_expression":
			found = append(found, t.nullAccess(n)...)
		case "ternary_expression":
			found = append(found, t.unsafeAccess(n)...)
		}
	})
	return found
}

// nullAccess reports an access to a conditional resource or module without ! or
// .?, which fails if the condition is false.
func (t *template) nullAccess(n *node) []Finding {
	object := n.named("object")
	if object != nil && object.kind == "subscript_expression" {
		object = object.named("object")
	}
	if object == nil || object.kind != "identifier" {
		return nil
	}
	d, ok := t.names[object.text]
	property := n.last().text
	if !ok || !d.conditional || slices.Contains(n.tokens, "!") || slices.Contains(n.tokens, ".?") || slices.Contains(alwaysKnown(d.what), property) {
		return nil
	}
	return []Finding{{t.file, n.line, fmt.Sprintf(
		"%s may be null, because its deployment has a condition: write !.%s where the condition holds, or .?%[2]s (BCP318)", object.text, property)}}
}

// alwaysKnown returns the properties that Bicep computes without the deployed
// resource.
func alwaysKnown(what string) []string {
	if what == "module" {
		return []string{"name"}
	}
	return []string{"id", "name", "type", "apiVersion"}
}

// unsafeAccess reports contains(x, k) ? x[k] : d, which is x[?k] ?? d.
func (t *template) unsafeAccess(n *node) []Finding {
	condition, access := n.named("condition"), n.named("consequence")
	if condition == nil || access == nil || condition.kind != "call_expression" {
		return nil
	}
	function, arguments := condition.named("function"), condition.named("arguments")
	if function == nil || function.text != "contains" || arguments == nil || len(arguments.kids) != 2 {
		return nil
	}
	object := access.named("object")
	if object == nil || object.text != arguments.kids[0].text || !accesses(access, arguments.kids[1]) {
		return nil
	}
	return []Finding{{t.file, n.line, fmt.Sprintf("write %s[?%s] ?? … instead of testing it with contains (use-safe-access)", object.text, arguments.kids[1].text)}}
}

// accesses reports whether the expression reads the member that the key names.
func accesses(access, key *node) bool {
	switch access.kind {
	case "subscript_expression":
		return access.named("index") != nil && access.named("index").text == key.text
	case "member_expression":
		name, ok := key.literal()
		return ok && name == access.last().text
	}
	return false
}
