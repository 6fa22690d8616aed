package roles_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/roles"
)

var update = flag.Bool("update", false, "write docs/roles.md")

func TestMarkdown_IsThePage(t *testing.T) {
	t.Parallel()
	const begin = "<!-- generated: go test ./internal/roles -update -->\n"
	file := filepath.Join("..", "..", "docs", "roles.md")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	before, after, ok := strings.Cut(string(page), begin)
	require.True(t, ok)
	want := "\n" + roles.Markdown(roles.Table())
	if *update {
		after = want
		require.NoError(t, os.WriteFile(file, []byte(before+begin+after), 0o600))
	}
	require.Equal(t, want, after, "run: go test ./internal/roles -update")
}

func TestActionOf_FollowsTheRuleOfAllProviders(t *testing.T) {
	t.Parallel()
	const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
	for _, c := range []struct{ method, path, want string }{
		{http.MethodGet, vault, "Microsoft.RecoveryServices/vaults/read"},
		{http.MethodGet, vault + "/backupJobs", "Microsoft.RecoveryServices/vaults/backupJobs/read"},
		{http.MethodGet, vault + "/backupJobs/j/", "Microsoft.RecoveryServices/vaults/backupJobs/read"},
		{http.MethodPost, vault + "/backupJobs/j/cancel", "Microsoft.RecoveryServices/vaults/backupJobs/cancel/action"},
		{http.MethodPut, vault + "/backupFabrics/Azure/protectionContainers/c", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/write"},
		{http.MethodPatch, vault, "Microsoft.RecoveryServices/vaults/write"},
		{http.MethodDelete, vault, "Microsoft.RecoveryServices/vaults/delete"},
		{http.MethodHead, vault, "Microsoft.RecoveryServices/vaults/read"},
		{http.MethodGet, "/subscriptions/s/providers/Microsoft.DataProtection/locations/l/operationStatus/o", "Microsoft.DataProtection/locations/operationStatus/read"},
		{http.MethodGet, vault + "/providers/Microsoft.Authorization/permissions", "Microsoft.Authorization/permissions/read"},
		{http.MethodGet, "/subscriptions/s", ""},
		{http.MethodGet, "/providers/", ""},
		{http.MethodGet, "", ""},
		{"TRACE", vault, ""},
	} {
		require.Equal(t, c.want, roles.ActionOf(c.method, c.path), "%s %s", c.method, c.path)
	}
}

func TestRecommendedAction_NamesTheMissingRoleAndItsScope(t *testing.T) {
	t.Parallel()
	const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
	const machine = "/subscriptions/s/resourceGroups/m/providers/Microsoft.Compute/virtualMachines/vm"
	for name, c := range map[string]struct {
		message, method, path string
		want                  []string
	}{
		"Azure names both": {
			message: "The client 'a' with object id 'b' does not have authorization to perform action 'Microsoft.RecoveryServices/vaults/backupJobs/read' over scope '" + vault + "/backupJobs/j' or the scope is invalid. If access was recently granted, please refresh your credentials.",
			method:  http.MethodGet, path: vault,
			want: []string{"azbackupflow Reader", "Microsoft.RecoveryServices/Vaults/backupJobs/read", vault + "/backupJobs/j."},
		},
		"a linked resource": {
			message: "The client 'a' with object id 'b' has permission to perform action 'Microsoft.RecoveryServices/vaults/x/write' on scope '" + vault + "'; however, it does not have permission to perform action(s) 'Microsoft.Compute/virtualMachines/write' on the linked scope(s) '" + machine + "' (respectively) or the linked scope(s) are invalid.",
			method:  http.MethodPut, path: vault,
			want: []string{"azbackupflow Virtual Machine Operator", "Microsoft.Compute/virtualMachines/write", machine + "."},
		},
		"an action of no role": {
			message: "… however, it does not have permission to perform action 'Microsoft.Storage/storageAccounts/write' on the linked scope '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a'",
			method:  http.MethodPut, path: vault,
			want: []string{"a role that allows Microsoft.Storage/storageAccounts/write on /subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a."},
		},
		"an action without a scope": {
			message: "it does not have permission to perform action 'Microsoft.RecoveryServices/Vaults/read'",
			want:    []string{"azbackupflow Reader", "on the resource."},
		},
		"nothing named": {
			message: "no", method: http.MethodPost, path: vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i/backup",
			want: []string{"azbackupflow Backup Operator", "protectedItems/backup/action", " on " + vault + "."},
		},
		"nothing named, on a subscription": {
			method: http.MethodGet, path: "/subscriptions/s/providers/Microsoft.DataProtection/locations/l/operationStatus/o",
			want: []string{"azbackupflow Operation Status Reader", " on /subscriptions/s."},
		},
		"nothing known": {want: []string{"docs/roles.md"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := roles.RecommendedAction(c.message, c.method, c.path)
			for _, want := range c.want {
				require.Contains(t, got, want)
			}
		})
	}
}

func TestAllows_MatchesAsAzureDoes(t *testing.T) {
	t.Parallel()
	const action = "Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action"
	for _, c := range []struct {
		grants []roles.Grant
		want   bool
	}{
		{nil, false},
		{[]roles.Grant{{Actions: []string{"*"}}}, true},
		{[]roles.Grant{{Actions: []string{"*/read"}}}, false},
		{[]roles.Grant{{Actions: []string{"microsoft.recoveryservices/vaults/backupjobs/*"}}}, true},
		{[]roles.Grant{{Actions: []string{"Microsoft.RecoveryServices/*/action"}}}, true},
		{[]roles.Grant{{Actions: []string{action}}}, true},
		{[]roles.Grant{{Actions: []string{"*"}, NotActions: []string{"Microsoft.RecoveryServices/*"}}}, false},
		{[]roles.Grant{{Actions: []string{"*"}, NotActions: []string{"*/action"}}, {Actions: []string{action}}}, true},
		{[]roles.Grant{{Actions: []string{action + "s"}}}, false},
	} {
		require.Equal(t, c.want, roles.Allows(c.grants, action), "%v", c.grants)
	}
}
