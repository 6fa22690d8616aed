package armsim

import (
	"strings"
)

// resourcesProvider is the provider of the list of all resources, whose path names
// none.
const resourcesProvider = "Microsoft.Resources"

// listAllResources answers GET /subscriptions/{s}/resources: storage accounts, virtual
// machines, servers and other resources, with their tags. Vaults are left out: they
// are not sources of backups. Source: the API document of Microsoft.Resources
// 2021-04-01, Resources - List.
func (s *Simulator) listAllResources(c *call) (answer, *armError) {
	var found []map[string]any
	add := func(id, kind, location string, tags map[string]string) {
		if parts := strings.Split(id, "/"); len(parts) > 2 && strings.EqualFold(parts[2], c.path.subscription) {
			found = append(found, map[string]any{"id": id, "name": parts[len(parts)-1], "type": kind, "location": location, "tags": tagsOf(tags)})
		}
	}
	for _, a := range s.world.accounts {
		add(a.ID(), "Microsoft.Storage/storageAccounts", a.Location, a.Tags)
	}
	for _, m := range s.world.machines {
		add(m.ID(), "Microsoft.Compute/virtualMachines", m.Location, m.Tags)
	}
	for _, f := range s.world.flexibleServers {
		add(f.ID(), flexibleServerType, f.Location, f.Tags)
	}
	for _, r := range s.world.resources {
		add(r.ID, typeOf(r.ID), r.Location, r.Tags)
	}
	return page(s, c, found, func(v map[string]any) map[string]any { return v })
}

// typeOf returns the type of a resource that is directly below its provider.
func typeOf(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 9 {
		return ""
	}
	return parts[6] + "/" + parts[7]
}
