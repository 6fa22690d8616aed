package main

import "strings"

// wholeGroup is the one template that assigns roles on a whole resource group:
// the groups that it is told.
const wholeGroup = "infra/app/group-access.bicep"

// checkScopes reports roles that are assigned on more than they are needed for:
// on a resource group instead of a resource in it, or on the subscription, where
// only the role with which the status of operations is read has to be. Samples
// give roles to vaults, not to the app.
func checkScopes(t *template) []Finding {
	if strings.HasPrefix(t.file, "infra/samples/") {
		return nil
	}
	var found []Finding
	for _, r := range t.resources {
		kind, _, _ := strings.Cut(strings.ToLower(r.id), "@")
		if kind != "microsoft.authorization/roleassignments" || r.existing || r.body == nil {
			continue
		}
		body := t.evaluate(r.body)
		if _, narrow := body.get("scope"); narrow {
			continue
		}
		properties, _ := body.get("properties")
		role, _ := properties.value.get("roleDefinitionId")
		status := false
		r.body.walk(func(n *node) {
			status = status || n.kind == "string_content" && n.text == "status" && n.line == role.line
		})
		switch {
		case t.scope == "subscription" && !status:
			found = append(found, Finding{t.file, r.line, "a role is assigned on the whole subscription"})
		case t.scope == "resourceGroup" && t.file != wholeGroup:
			found = append(found, Finding{t.file, r.line, "a role is assigned on a whole resource group"})
		}
	}
	return found
}
