package main

import (
	"fmt"
	"strings"
)

// vaultSample is the template that shows which roles a vault's identity needs.
const vaultSample = "infra/samples/backup-vault.bicep"

// checkVaultRoles reports roles that the preflight expects of a vault's own
// identity, but that the sample does not assign.
func checkVaultRoles(all map[string]*template, c *code) []Finding {
	t, ok := all[vaultSample]
	if !ok {
		return nil
	}
	assigned := map[string]bool{}
	for _, r := range t.resources {
		kind, _, _ := strings.Cut(strings.ToLower(r.id), "@")
		if kind != "microsoft.authorization/roleassignments" {
			continue
		}
		for _, role := range assignedRoles(t, r) {
			assigned[role] = true
		}
	}
	var found []Finding
	for _, role := range sorted(c.vaultRoles) {
		if !assigned[role] {
			at := c.vaultRoles[role]
			found = append(found, Finding{vaultSample, 1, fmt.Sprintf("the role %s (%s) is not assigned to the vault, which %s:%d expects", role, builtIn()[role], at.file, at.line)})
		}
	}
	return found
}

// assignedRoles returns the built-in roles that a role assignment, or a loop of
// them, assigns.
func assignedRoles(t *template, r *resource) []string {
	var ids []string
	add := func(v value) {
		if v.known && builtIn()[v.text] != "" {
			ids = append(ids, v.text)
		}
	}
	for _, item := range looped(t, r) {
		add(item)
	}
	properties := r.body.property("properties")
	if properties == nil {
		return ids
	}
	if id := properties.property("roleDefinitionId"); id != nil {
		id.walk(func(n *node) {
			if n.kind == "identifier" || n.kind == "string" {
				add(t.evaluate(n))
			}
		})
	}
	return ids
}
