package main

import (
	"slices"
	"strings"
)

// wholeGroups returns the templates that may assign roles on a whole resource group:
// on the groups that their parameters name. The first assigns the roles of the app,
// the second those of a Backup vault.
func wholeGroups() []string {
	return []string{"infra/app/group-access.bicep", "infra/app/datasource-access.bicep", "infra/app/cluster-identity-access.bicep"}
}

// checkScopes reports roles with a scope that is too wide: a resource group instead of
// a resource in it, or the subscription. Only the role that reads the status of
// operations must be assigned on the subscription. Samples are exempt: they assign
// roles to vaults, not to the app.
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
		case t.scope == "resourceGroup" && !slices.Contains(wholeGroups(), t.file):
			found = append(found, Finding{t.file, r.line, "a role is assigned on a whole resource group"})
		}
	}
	return found
}
