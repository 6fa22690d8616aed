package armsim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
)

// This file serves the reads of datasources: storage accounts, their file
// shares, PostgreSQL flexible servers, and the resources of the other datasources
// of Backup vaults, with their tags. Source: the API documents of
// Microsoft.Storage 2023-05-01, Microsoft.DBforPostgreSQL 2024-08-01 and the
// other providers. Shares have no tags.

// storageHandlers returns the handlers of Microsoft.Storage, by method.
func storageHandlers(p route) map[string]handler {
	switch p.pattern() {
	case "storageAccounts":
		return map[string]handler{http.MethodGet: (*Simulator).listAccounts}
	case "storageAccounts/*":
		return map[string]handler{http.MethodGet: (*Simulator).readAccount}
	case "storageAccounts/*/fileServices/*/shares":
		return map[string]handler{http.MethodGet: (*Simulator).listShares}
	}
	return placeHandlers(p.pattern())
}

// postgreSQLHandlers returns the handlers of Microsoft.DBforPostgreSQL, by
// method.
func postgreSQLHandlers(p route) map[string]handler {
	switch p.pattern() {
	case "flexibleServers":
		return map[string]handler{http.MethodGet: (*Simulator).listFlexibleServers}
	case "flexibleServers/*":
		return map[string]handler{http.MethodGet: (*Simulator).readFlexibleServer}
	}
	return nil
}

// readAccount answers GET Microsoft.Storage/storageAccounts/{a}.
func (s *Simulator) readAccount(c *call) (answer, *armError) {
	a, missing := s.world.account(c.path.parentID())
	if missing != nil {
		return answer{}, c.notFound(1)
	}
	return jsonAnswer(http.StatusOK, a.view()), nil
}

// listAccounts answers GET Microsoft.Storage/storageAccounts of a subscription.
func (s *Simulator) listAccounts(c *call) (answer, *armError) {
	var found []*account
	for _, a := range s.world.accounts {
		if strings.EqualFold(a.Subscription, c.path.subscription) {
			found = append(found, a)
		}
	}
	return page(s, c, found, (*account).view)
}

func (a *account) view() map[string]any {
	endpoints := map[string]any{}
	for _, service := range []string{"blob", "queue", "table", "file"} {
		endpoints[service] = "https://" + a.Name + "." + service + ".core.windows.net/"
	}
	return map[string]any{
		"sku": map[string]any{"name": "Standard_LRS", "tier": "Standard"}, "kind": "StorageV2",
		"id": a.ID(), "name": a.Name, "type": "Microsoft.Storage/storageAccounts", "location": a.Location,
		"tags": tagsOf(a.Tags),
		"properties": map[string]any{
			"provisioningState": "Succeeded", "creationTime": a.since.UTC().Format(azureTime),
			"primaryEndpoints": endpoints, "primaryLocation": a.Location, "statusOfPrimary": "available",
			"supportsHttpsTrafficOnly": true, "isHnsEnabled": a.Hierarchical,
		},
	}
}

// listShares answers GET storageAccounts/{a}/fileServices/default/shares.
func (s *Simulator) listShares(c *call) (answer, *armError) {
	a, missing := s.world.account(c.path.parentID())
	if missing != nil {
		return answer{}, c.notFound(1)
	}
	return page(s, c, a.shares, func(sh *share) map[string]any {
		return map[string]any{
			"id":   a.ID() + "/fileServices/default/shares/" + sh.name,
			"name": sh.name, "type": "Microsoft.Storage/storageAccounts/fileServices/shares",
			"properties": map[string]any{
				"accessTier": "TransactionOptimized", "enabledProtocols": "SMB", "shareQuota": 100,
				"lastModifiedTime": a.since.UTC().Format(time.RFC3339),
			},
		}
	})
}

// readFlexibleServer answers GET flexibleServers/{s} of PostgreSQL.
func (s *Simulator) readFlexibleServer(c *call) (answer, *armError) {
	for _, f := range s.world.flexibleServers {
		if sameID(f.ID(), c.path.parentID()) {
			return jsonAnswer(http.StatusOK, s.serverView(f)), nil
		}
	}
	return answer{}, c.notFound(1)
}

// listFlexibleServers answers GET flexibleServers of a subscription.
func (s *Simulator) listFlexibleServers(c *call) (answer, *armError) {
	var found []FlexibleServer
	for _, f := range s.world.flexibleServers {
		if strings.EqualFold(f.Subscription, c.path.subscription) {
			found = append(found, f)
		}
	}
	return page(s, c, found, s.serverView)
}

func (s *Simulator) serverView(f FlexibleServer) map[string]any {
	return map[string]any{
		"id": f.ID(), "name": f.Name, "type": flexibleServerType, "location": f.Location,
		"tags":       tagsOf(f.Tags),
		"systemData": map[string]any{"createdAt": s.world.since.UTC().Format(azureTime)},
		"sku":        map[string]any{"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
		"properties": map[string]any{
			"version": f.Version, "state": "Ready", "administratorLogin": "pgadmin",
			"fullyQualifiedDomainName": f.Name + ".postgres.database.azure.com",
		},
	}
}

// resourceHandlers returns the handlers of the resources that Backup vaults
// protect and that have no handlers of their own, by method.
func resourceHandlers(p route) map[string]handler {
	known := len(p.types) == 1 && slices.ContainsFunc(kinds.All(), func(k kinds.Kind) bool {
		return k.SourceVersion != "" && strings.EqualFold(k.SourceType, p.provider+"/"+p.types[0])
	})
	switch {
	case !known:
		return nil
	case len(p.names) == 0:
		return map[string]handler{http.MethodGet: (*Simulator).listResources}
	}
	return map[string]handler{http.MethodGet: (*Simulator).readResource}
}

// readResource answers GET of a managed disk, a cluster or a MySQL server.
func (s *Simulator) readResource(c *call) (answer, *armError) {
	for _, r := range s.world.resources {
		if sameID(r.ID, c.path.parentID()) {
			return jsonAnswer(http.StatusOK, s.resourceView(r)), nil
		}
	}
	return answer{}, c.notFound(1)
}

// listResources answers GET of the resources of a type in a subscription.
func (s *Simulator) listResources(c *call) (answer, *armError) {
	var found []*Resource
	for _, r := range s.world.resources {
		id, err := resourceid.Parse(r.ID)
		if err == nil && strings.EqualFold(id.SubscriptionID, c.path.subscription) && strings.EqualFold(id.ResourceType.String(), c.path.provider+"/"+c.path.types[0]) {
			found = append(found, r)
		}
	}
	return page(s, c, found, s.resourceView)
}

func (s *Simulator) resourceView(r *Resource) map[string]any {
	view := map[string]any{
		"id": r.ID, "name": resourceid.LastName(r.ID), "location": r.Location, "tags": tagsOf(r.Tags),
		"systemData": map[string]any{"createdAt": s.world.since.UTC().Format(azureTime)}, "properties": map[string]any{},
	}
	if id, err := resourceid.Parse(r.ID); err == nil {
		view["type"] = id.ResourceType.String()
	}
	return view
}

func tagsOf(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}
