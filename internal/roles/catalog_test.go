package roles_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/roles"
)

// call is a request of a golden file.
type call struct {
	file, method, path, operation string
}

// goldens returns the requests in the golden files of the packages arm/… and
// flow.
func goldens(t *testing.T) []call {
	t.Helper()
	var all []call
	files, err := filepath.Glob(filepath.Join("..", "arm", "*", "testdata", "*.json"))
	require.NoError(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Clean(f))
		require.NoError(t, err)
		var g armtest.Request
		require.NoError(t, json.Unmarshal(raw, &g))
		u, err := url.Parse(g.URL)
		require.NoError(t, err)
		all = append(all, call{file: f, method: g.Method, path: u.Path, operation: g.Operation})
	}
	require.Greater(t, len(all), 50, "the golden requests have moved")
	files, err = filepath.Glob(filepath.Join("..", "flow", "testdata", "backup-*.golden"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Clean(f))
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(raw), "\n")
		method, address, ok := strings.Cut(first, " ")
		require.True(t, ok, f)
		u, err := url.Parse(address)
		require.NoError(t, err)
		all = append(all, call{file: f, method: method, path: u.Path})
	}
	return all
}

func TestCatalog_HoldsEveryRequestOnce(t *testing.T) {
	t.Parallel()
	for _, c := range goldens(t) {
		action := roles.ActionOf(c.method, c.path)
		found := 0
		for _, p := range roles.Catalog() {
			if strings.EqualFold(p.Action, action) {
				found++
				if c.operation != "" {
					require.True(t, slices.Contains(p.Calls, c.operation) || slices.Contains(p.Calls, "Item"+c.operation), "%s: %s", c.file, action)
				}
			}
		}
		require.Equal(t, 1, found, "%s needs %s", c.file, action)
	}
}

// A permission is in the table only if a call needs it: a flow makes the call,
// Azure returns a URL or checks another resource because of it, or the source of
// another package contains it.
func TestTable_HasNoPermissionWithoutACall(t *testing.T) {
	t.Parallel()
	for _, p := range roles.Table() {
		for _, u := range p.Uses {
			require.Contains(t, source(t, u.Package), u.Text, "%s: %s no longer needs it", p.Action, u.Package)
		}
	}
	only := roles.Derive(map[string]roles.Role{"Vaults_Get": roles.Read})
	actions := map[string]bool{}
	// Without other calls, these are all permissions.
	for _, p := range only {
		require.True(t, len(p.Uses) > 0 || p.Action == "Microsoft.RecoveryServices/Vaults/read", "no call needs %s", p.Action)
		actions[p.Action] = true
	}
	require.True(t, actions["Microsoft.RecoveryServices/Vaults/read"])
	for call, added := range map[string][]string{
		"BackupInstances_SuspendBackups": {"Microsoft.DataProtection/backupVaults/backupInstances/suspendBackups/action", "Microsoft.DataProtection/locations/operationStatus/read"},
		"ResourceGuardProxies_Get":       {"Microsoft.RecoveryServices/Vaults/backupResourceGuardProxies/read"},
		"DppResourceGuardProxy_List":     {"Microsoft.DataProtection/backupVaults/backupResourceGuardProxies/read"},
		"ProtectionContainers_Get":       {"Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/read"},
		"ProtectedItems_CreateOrUpdate":  {"Microsoft.Compute/virtualMachines/write", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/operationsStatus/read"},
	} {
		with := map[string]bool{}
		for _, p := range roles.Derive(map[string]roles.Role{call: roles.Protect}) {
			require.NotEmpty(t, p.Role, p.Action)
			with[p.Action] = true
		}
		for _, action := range added {
			require.False(t, actions[action], action)
			require.True(t, with[action], "%s needs %s", call, action)
		}
	}
}

// source returns the Go source of a package, without tests.
func source(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	require.NoError(t, err)
	var all strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(filepath.Clean(f))
		require.NoError(t, err)
		all.Write(raw)
	}
	require.NotEmpty(t, all.String(), folder)
	return all.String()
}

// The permission to change virtual machines has a role of its own, so that it is
// off unless an operator assigns it.
func TestRoles_ChangeVirtualMachinesByOneRoleOnly(t *testing.T) {
	t.Parallel()
	for _, p := range roles.Table() {
		require.Equal(t, strings.HasPrefix(p.Action, "Microsoft.Compute/virtualMachines/"), p.Role == roles.VirtualMachines, p.Action)
	}
}

// The role for drills touches no vault: an operator assigns it on drill targets.
func TestRoles_DrillChangesDrillTargetsOnly(t *testing.T) {
	t.Parallel()
	for _, p := range roles.Table() {
		if p.Role == roles.Drill {
			require.Equal(t, roles.DrillTarget, p.On, p.Action)
			require.NotContains(t, p.Action, "RecoveryServices", p.Action)
			require.NotContains(t, p.Action, "DataProtection", p.Action)
		}
	}
}

func TestMarkdown_NamesEveryActionOfTheBuiltInRole(t *testing.T) {
	t.Parallel()
	page := roles.Markdown(roles.Table())
	require.Len(t, roles.StorageAccountBackupContributor(), 18)
	for _, action := range roles.StorageAccountBackupContributor() {
		require.Contains(t, page, "- `"+action+"`\n")
	}
}

func TestCatalog_HoldsOnlyCallsThatTheClientsMake(t *testing.T) {
	t.Parallel()
	made := map[string]bool{}
	for _, c := range goldens(t) {
		made[c.operation], made["Item"+c.operation] = true, true
	}
	made["VirtualMachines_Get"] = true // a datasource; it has no golden file
	// Azure returns the URLs of these; azbackupflow does not compose them.
	followed := regexp.MustCompile(`Operation(Result|Results|Status|Statuses)[A-Za-z]*(_Get)?$`)
	for _, p := range roles.Catalog() {
		for _, c := range slices.Concat(p.Calls, p.After) {
			require.True(t, made[c] || followed.MatchString(c), "%s: nothing calls %s", p.Action, c)
		}
	}
}

// described returns the action that Azure requires for each operation of a
// provider's API description.
func described(t *testing.T, file ...string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "..", "shared", "specs"}, file...)...))
	if err != nil {
		t.Skip("the providers' API descriptions are not available")
	}
	var d struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	require.NoError(t, json.Unmarshal(raw, &d))
	actions := map[string]string{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			actions[o.OperationID] = roles.ActionOf(strings.ToUpper(method), path)
		}
	}
	require.NotEmpty(t, actions)
	return actions
}

func TestCatalog_MatchesTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	actions := described(t, "Microsoft.RecoveryServices.Backup", "2025-02-01", "bms.json")
	for name, action := range maps.Clone(actions) {
		actions["Item"+name] = action
	}
	actions["VirtualMachines_Get"] = "Microsoft.Compute/virtualMachines/read"
	maps.Copy(actions, described(t, "Microsoft.DataProtection", "2024-04-01", "dataprotection.json"))
	// The vaults of Recovery Services have a separate description.
	actions["Vaults_Get"] = "Microsoft.RecoveryServices/vaults/read"
	// So have storage accounts and disks.
	const shares, containers = "Microsoft.Storage/storageAccounts/fileServices/shares/", "Microsoft.Storage/storageAccounts/blobServices/containers/"
	maps.Copy(actions, map[string]string{
		"StorageAccounts_GetProperties": "Microsoft.Storage/storageAccounts/read",
		"FileShares_Get":                shares + "read", "FileShares_Create": shares + "write", "FileShares_Delete": shares + "delete",
		"BlobContainers_Get": containers + "read", "BlobContainers_Create": containers + "write", "BlobContainers_Update": containers + "write", "BlobContainers_Delete": containers + "delete",
		"Disks_Get": "Microsoft.Compute/disks/read", "Disks_ListByResourceGroup": "Microsoft.Compute/disks/read", "Disks_Update": "Microsoft.Compute/disks/write", "Disks_Delete": "Microsoft.Compute/disks/delete",
	})
	for _, p := range roles.Catalog() {
		for _, c := range p.Calls {
			require.True(t, strings.EqualFold(p.Action, actions[c]), "%s: %s requires %q", p.Action, c, actions[c])
		}
	}
}

func TestCatalog_HoldsPublishedActions(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "published.txt"))
	require.NoError(t, err)
	published := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(string(raw), ""))
	for _, p := range roles.Catalog() {
		if strings.HasPrefix(p.Action, "Microsoft.RecoveryServices/") || strings.HasPrefix(p.Action, "Microsoft.DataProtection/") {
			require.Contains(t, published, p.Action)
		}
	}
}

// Every URL that Azure returned in a recording to a call of the app is one that the
// catalog expects after this call, and the roles that only read grant it.
func TestTable_GrantsEveryRecordedPoll(t *testing.T) {
	t.Parallel()
	polls := 0
	for _, file := range []string{"azure-cli_afs_backup_scenario.yaml", "azure-cli-dataprotection_pgflex.yaml"} {
		for _, x := range armtest.Recording(t, file) {
			u, err := url.Parse(x.Request.URI)
			require.NoError(t, err)
			caller, ok := roles.Find(roles.ActionOf(x.Request.Method, u.Path))
			if !ok || len(caller.Calls) == 0 || statusPath.MatchString(u.Path) {
				continue
			}
			for name, values := range x.Response.Headers {
				if !strings.EqualFold(name, "Location") && !strings.EqualFold(name, "Azure-AsyncOperation") {
					continue
				}
				for _, value := range values {
					followed, err := url.Parse(value)
					require.NoError(t, err)
					if !statusPath.MatchString(followed.Path) {
						continue
					}
					polls++
					action := roles.ActionOf(http.MethodGet, followed.Path)
					p, ok := roles.Find(action)
					require.True(t, ok, "%s returns %s, which needs %s", caller.Action, followed.Path, action)
					require.Contains(t, []roles.Role{roles.Read, roles.Status}, p.Role)
					require.Subset(t, p.After, caller.Calls, "%s follows after %v", action, caller.Calls)
				}
			}
		}
	}
	require.GreaterOrEqual(t, polls, 25)
}

var statusPath = regexp.MustCompile(`(?i)/(operationResults|operationsStatus|operationStatus|backupOperations|backupOperationResults)/`)

func TestRoles_AreNoWiderThanDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range roles.Table() {
		require.Regexp(t, `^Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)$`, p.Action, "no wildcards")
		require.NotContains(t, p.Action, "roleAssignments/write")
		require.NotContains(t, strings.ToLower(p.Action), "listkeys")
		require.False(t, seen[strings.ToLower(p.Action)], "%s is granted twice", p.Action)
		seen[strings.ToLower(p.Action)] = true
		require.NotEmpty(t, p.For)
		reads := strings.HasSuffix(p.Action, "/read")
		if p.Role != roles.VirtualMachines && p.Role != roles.Datasources {
			require.Equal(t, reads, p.Role == roles.Read || p.Role == roles.Status, p.Action)
		}
		if strings.HasSuffix(p.Action, "/delete") || strings.HasSuffix(strings.ToLower(p.Action), "restore/action") {
			want := roles.Delete
			if p.On == roles.DrillTarget {
				want = roles.Drill
			}
			require.Equal(t, want, p.Role, p.Action)
		}
		require.Contains(t, roles.All(), p.Role)
	}
	for _, r := range roles.All() {
		require.NotEmpty(t, r.Permissions(), r)
		require.NotEqual(t, string(r), r.Name())
		require.NotEmpty(t, r.Description())
	}
}
