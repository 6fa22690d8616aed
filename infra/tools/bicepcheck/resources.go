package main

import (
	"maps"
	"slices"
	"strings"
)

// bicepProperties returns the properties of a resource that Bicep itself defines.
func bicepProperties() []string { return []string{"parent", "scope", "dependsOn"} }

// checkResources compares every resource with its type.
func checkResources(t *template, types *catalog) ([]Finding, error) {
	c := &typeChecker{types: types, file: t.file}
	for _, r := range t.resources {
		s, ok, err := types.resource(r.id)
		if err != nil {
			return nil, err
		}
		if !ok {
			kind, version, _ := strings.Cut(r.id, "@")
			if known := types.versions(kind); len(known) > 0 {
				slices.Sort(known)
				c.report(r.line, "%s has no api-version %q; the newest are %s", kind, version, strings.Join(known[max(0, len(known)-3):], ", "))
			} else {
				c.report(r.line, "%s is not a resource type that Azure knows", kind)
			}
			continue
		}
		if r.body == nil {
			c.report(r.line, "the resource has no body")
			continue
		}
		v := t.evaluate(r.body)
		_, scoped := v.get("scope")
		if bit := scopes()[t.scope]; !scoped && !r.existing && r.parent == nil && s.ScopeType != 0 && s.ScopeType&bit == 0 {
			c.report(r.line, "%s cannot be deployed to a %s, which is the target scope of this template", strings.Split(r.id, "@")[0], t.scope)
		}
		v.props = slices.DeleteFunc(v.props, func(p property) bool { return slices.Contains(bicepProperties(), p.name) })
		if r.existing {
			if _, ok := v.get("name"); !ok {
				c.report(r.line, "name is missing")
			}
			continue
		}
		c.check(v, types.body(c, s), "")
	}
	return c.found, c.err
}

func (c *catalog) body(check *typeChecker, s *schema) *schema { return check.follow(s, s.Body) }

// scopes returns the bits of the target scopes.
func scopes() map[string]int {
	return map[string]int{"tenant": 1, "managementGroup": 2, "subscription": 4, "resourceGroup": 8}
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// looped returns the items of a resource's loop, as far as they are known.
func looped(t *template, r *resource) []value {
	var items []value
	t.root.walk(func(n *node) {
		loop := n.child("for_statement")
		if n.kind != "resource_declaration" || n.line != r.line || loop == nil {
			return
		}
		for _, c := range loop.kids {
			if c.field != "initializer" && c.field != "body" && c.kind != "for_loop_parameters" {
				items = append(items, t.evaluate(c).items...)
			}
		}
	})
	return items
}
