package armsim

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

// authorization holds the permissions and role assignments of the simulator.
// Every action is allowed except the denied ones. The identity of the vaults
// has the roles that the demo's servers and restore targets need, except the
// removed ones. Assignments are listed with their scopes, inherited ones
// included, as in Azure.
type authorization struct {
	withheld []string
	// missing holds IDs of role definitions.
	missing []string
	queues  map[string]map[string]any
}

// DemoServiceBus is the namespace whose queue properties the simulator serves.
const DemoServiceBus = "/subscriptions/" + DemoSubscription + "/resourceGroups/azbackupflow/providers/Microsoft.ServiceBus/namespaces/local"

// IDs of built-in roles that the identity of a vault needs.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
const (
	roleReader          = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	rolePostgreSQLLTR   = "c088a766-074b-43ba-90d4-1fb21feae531"
	roleBlobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
)

// DenyAction denies one action to every caller, by its name in Azure. The
// returned function allows it again.
func (s *Simulator) DenyAction(action string) (giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authorization.withheld = append(s.authorization.withheld, action)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.authorization.withheld = slices.DeleteFunc(s.authorization.withheld, func(a string) bool { return a == action })
	}
}

// RemoveRole removes a role, by the ID of its definition, from the identity of
// the vaults. The returned function restores it.
func (s *Simulator) RemoveRole(role string) (giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authorization.missing = append(s.authorization.missing, role)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.authorization.missing = slices.DeleteFunc(s.authorization.missing, func(r string) bool { return r == role })
	}
}

// SetQueueProperty sets one property of a queue of DemoServiceBus. The returned
// function restores the old value.
func (s *Simulator) SetQueueProperty(queue, property string, value any) (setBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	properties := s.authorization.queues[queue]
	was := properties[property]
	properties[property] = value
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		properties[property] = was
	}
}

func newAuthorization() authorization {
	a := authorization{queues: map[string]map[string]any{}}
	for _, name := range []string{"requests", "steps", "rejected"} {
		a.queues[name] = map[string]any{
			"lockDuration": "PT5M", "maxDeliveryCount": 10, "requiresDuplicateDetection": true, "requiresSession": false,
			"deadLetteringOnMessageExpiration": true, "enablePartitioning": false, "status": "Active",
		}
	}
	return a
}

// authorize rejects a request whose action is denied.
func (s *Simulator) authorize(c *call) *armError {
	action := roles.ActionOf(c.r.Method, c.r.URL.Path)
	if action == "" || !slices.ContainsFunc(s.authorization.withheld, func(w string) bool { return strings.EqualFold(w, action) }) {
		return nil
	}
	return &armError{
		status: http.StatusForbidden, code: "AuthorizationFailed",
		message: "The client '" + systemIdentity + "' with object id '" + systemIdentity + "' does not have authorization to perform action '" + action + "' over scope '" + c.r.URL.Path + "' or the scope is invalid. If access was recently granted, please refresh your credentials.",
	}
}

// serveAccess serves permissions and role assignments at any scope, and the
// properties of the queues.
func (s *Simulator) serveAccess(c *call) (a answer, served bool) {
	path := c.r.URL.Path
	if name, ok := cutFold(path, DemoServiceBus+"/queues/"); ok {
		properties := s.authorization.queues[name]
		if properties == nil || c.r.Method != http.MethodGet {
			return answer{}, false
		}
		return jsonAnswer(http.StatusOK, map[string]any{"id": path, "name": name, "properties": maps.Clone(properties)}), true
	}
	at := regexp.MustCompile(`(?i)^(/subscriptions/.+)/providers/Microsoft\.Authorization/(permissions|roleAssignments)$`).FindStringSubmatch(path)
	if at == nil || c.r.Method != http.MethodGet {
		return answer{}, false
	}
	if strings.EqualFold(at[2], "permissions") {
		grant := map[string]any{"actions": []string{"*"}, "notActions": append([]string{}, s.authorization.withheld...), "dataActions": []string{}, "notDataActions": []string{}}
		return jsonAnswer(http.StatusOK, map[string]any{"value": []any{grant}}), true
	}
	value := []any{}
	for _, a := range s.assignments() {
		near := within(a.scope, at[1]) || within(at[1], a.scope)
		if near && !slices.Contains(s.authorization.missing, a.role) && c.query.Get("$filter") == "principalId eq '"+systemIdentity+"'" {
			value = append(value, map[string]any{"properties": map[string]any{
				"principalId": systemIdentity, "scope": a.scope,
				"roleDefinitionId": "/subscriptions/" + DemoSubscription + "/providers/Microsoft.Authorization/roleDefinitions/" + a.role,
			}})
		}
	}
	return jsonAnswer(http.StatusOK, map[string]any{"value": value}), true
}

type assignment struct{ role, scope string }

// assignments returns the role assignments of the vaults' identity: on each
// flexible server, on its resource group, on each single server that exists, and on
// the storage account of the demo's restores.
func (s *Simulator) assignments() []assignment {
	all := []assignment{{roleBlobContributor, "/subscriptions/" + DemoSubscription + "/resourceGroups/restores/providers/Microsoft.Storage/storageAccounts/testossstorageaccount"}}
	for _, server := range s.world.flexibleServers {
		id := server.ID()
		group, _, _ := strings.Cut(id, "/providers/")
		all = append(all, assignment{rolePostgreSQLLTR, id}, assignment{roleReader, group})
	}
	for _, server := range s.world.singleServers {
		if !server.Gone {
			all = append(all, assignment{roleReader, server.ID()})
		}
	}
	for _, id := range s.sources() {
		all = append(all, s.assignmentsOn(id)...)
	}
	return all
}

// assignmentsOn returns what the table of datasources demands for the backup and
// the restore of a resource.
func (s *Simulator) assignmentsOn(id string) (all []assignment) {
	const groups = "/subscriptions/" + DemoSubscription + "/resourceGroups/"
	for _, k := range kinds.All() {
		if _, known := s.world.datasource(id, k.Type); !known {
			continue
		}
		for _, need := range k.Roles {
			switch need.On {
			case kinds.OnSource, kinds.OnTarget:
				all = append(all, assignment{need.ID, id})
			case kinds.OnSourceGroup:
				all = append(all, assignment{need.ID, resourceid.GroupOf(id)})
			case kinds.OnSnapshotGroup, kinds.OnTargetGroup:
				all = append(all, assignment{need.ID, groups + "snapshots"}, assignment{need.ID, groups + "restored"})
			}
		}
	}
	return all
}

// sources returns the IDs of the storage accounts and of World.Resources.
func (s *Simulator) sources() (ids []string) {
	for _, a := range s.world.accounts {
		ids = append(ids, a.ID())
	}
	for _, r := range s.world.resources {
		ids = append(ids, r.ID)
	}
	return ids
}

// within reports whether a scope equals the other scope or lies below it.
func within(scope, other string) bool {
	_, ok := cutFold(scope+"/", strings.TrimSuffix(other, "/")+"/")
	return ok
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
