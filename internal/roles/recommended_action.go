package roles

import (
	"fmt"
	"regexp"
)

// RecommendedAction returns what to assign after Azure answered a request with
// 403. Azure's message names the missing action and its scope, which for a linked
// resource differ from those of the request. If the message names none, they are
// derived from the request.
func RecommendedAction(message, method, path string) string {
	action, scope := named(message)
	if action == "" {
		action, scope = ActionOf(method, path), scopeOf(path)
	}
	if action == "" {
		return "Check that the function app's managed identity has the roles of docs/roles.md on the vault and the item."
	}
	if scope == "" {
		scope = "the resource"
	}
	p, ok := Find(action)
	if !ok {
		return fmt.Sprintf("Assign the function app's managed identity a role that allows %s on %s.", action, scope)
	}
	return p.Assignment(scope)
}

// named returns the last action and scope that a message names: if a linked
// resource is forbidden, the first ones are those that were allowed.
//
//	The client 'x' … does not have authorization to perform action 'A' over scope 'S' or …
//	The client has permission to perform action 'A' on scope 'S', however the current … does not
//	have permission to perform action(s) 'B' on the linked scope(s) 'L' …
func named(message string) (action, scope string) {
	all := regexp.MustCompile(`action(?:\(s\)|s)? '([\w./*-]+)(?:,[^']*)?' (?:over|on)(?: the)?(?: linked)? scope(?:\(s\)|s)? '(/[^',]*)(?:,[^']*)?'`).
		FindAllStringSubmatch(message, -1)
	if len(all) > 0 {
		last := all[len(all)-1]
		return last[1], last[2]
	}
	if m := regexp.MustCompile(`action(?:\(s\)|s)? '([\w./*-]+)'`).FindAllStringSubmatch(message, -1); len(m) > 0 {
		return m[len(m)-1][1], ""
	}
	return "", ""
}
