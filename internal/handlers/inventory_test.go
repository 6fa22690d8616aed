package handlers_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/operation"
)

// vaultLists is an inventory whose answer the requested ID names.
type vaultLists struct{}

func (vaultLists) list(id string) ([]inventory.Entry, error) {
	switch id {
	case "missing":
		return nil, &operation.Error{Code: "ResourceNotFound", Class: operation.Fatal, HTTPStatus: http.StatusNotFound, Message: "no such vault"}
	case "broken":
		return nil, &operation.Error{Code: "AuthorizationFailed", Class: operation.UserAction, HTTPStatus: http.StatusForbidden, Message: "no access"}
	case "busy":
		return nil, &operation.Error{Code: "TooManyRequests", Class: operation.Throttled, HTTPStatus: http.StatusTooManyRequests, Message: "slowly"}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return []inventory.Entry{{
		ID: id, Name: "vm1", Type: "VM", Source: "/s/vm1", State: "SoftDeleted", Policy: "p", Detail: "d", Time: at, LastRecoveryPoint: at, Purge: at,
	}}, nil
}

func (l vaultLists) Items(_ context.Context, id string) ([]inventory.Entry, error) { return l.list(id) }
func (l vaultLists) Deleted(_ context.Context, id string) ([]inventory.Entry, error) {
	return l.list(id)
}
func (l vaultLists) RecoveryPoints(_ context.Context, id string) ([]inventory.Entry, error) {
	return l.list(id)
}
func (l vaultLists) Policies(_ context.Context, id string) ([]inventory.Entry, error) {
	return l.list(id)
}
func (l vaultLists) Protectable(_ context.Context, id, _ string) ([]inventory.Entry, error) {
	return l.list(id)
}

// explained explains a resource whose answer the requested ID names.
func explained(_ context.Context, id string) ([]autoprotect.Explanation, error) {
	entries, err := vaultLists{}.list(id)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return []autoprotect.Explanation{{ResourceID: id, Type: autoprotect.VirtualMachine, PolicyGaps: []string{"it has no tag"}, Decision: autoprotect.Decision{
		Outcome: autoprotect.Protect, Rule: &autoprotect.Rule{Name: "machines"}, Reason: "rule machines matches", DryRunMatches: []string{"all: protect"},
		Results: []autoprotect.RuleResult{{Rule: "all", Matches: true, DryRun: true, Reason: "would protect"}, {Rule: "machines", Matches: true, Reason: "protects"}},
	}}}, nil
}

// inventoryRoutes are the routes that read vaults, with the start of their
// queries.
func inventoryRoutes() map[string]string {
	return map[string]string{
		"/items": "?vault=", "/deleted": "?vault=", "/policies": "?vault=", "/protectable": "?type=VM&vault=", "/recovery-points": "?item=",
	}
}

// azureRoutes are the routes that read Azure by an ID.
func azureRoutes() map[string]string {
	routes := inventoryRoutes()
	routes["/explanations"] = "?resource="
	return routes
}

func TestExplanations_ReportWhatTheRulesDecide(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var list wire.ExplanationList
	require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, "/explanations?resource=vm", nil, &list).StatusCode)
	require.Equal(t, []wire.Explanation{{
		ResourceID: "vm", Type: "virtualMachine", Outcome: "protect", Rule: "machines", Reason: "rule machines matches", DryRunMatches: []string{"all: protect"},
		Rules:      []wire.RuleResult{{Rule: "all", Matches: true, DryRun: true, Reason: "would protect"}, {Rule: "machines", Matches: true, Reason: "protects"}},
		PolicyGaps: []string{"it has no tag"},
	}}, list.Resources)
	for id, status := range map[string]int{"": http.StatusBadRequest, "missing": http.StatusNotFound, "broken": http.StatusBadGateway, "busy": http.StatusServiceUnavailable} {
		require.Equal(t, status, r.call(r.api, http.MethodGet, "/explanations?resource="+id, nil, nil).StatusCode, id)
	}
}

func TestInventory_ReportsWhatAzureAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for route, query := range inventoryRoutes() {
		var list wire.Inventory
		require.Equal(t, http.StatusOK, r.call(r.api, http.MethodGet, route+query+"v", nil, &list).StatusCode)
		require.Equal(t, "v", list.Entries[0].ID)
		require.NotNil(t, list.Entries[0].PurgeAt)
		for id, want := range map[string]int{"missing": http.StatusNotFound, "broken": http.StatusBadGateway, "busy": http.StatusServiceUnavailable, "": http.StatusBadRequest} {
			res := r.call(r.api, http.MethodGet, route+query+id, nil, nil)
			require.Equal(t, want, res.StatusCode, "%s %s", route, id)
			if id == "busy" {
				require.Equal(t, "60", res.Header.Get("Retry-After"))
			}
		}
	}
}
