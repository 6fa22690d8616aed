package roles_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

func TestTable_GrantsEveryRequestByOneRole(t *testing.T) {
	t.Parallel()
	for _, c := range goldens(t) {
		action := roles.ActionOf(c.method, c.path)
		found := []string{}
		for _, p := range roles.Table() {
			if strings.EqualFold(p.Action, action) {
				found = append(found, string(p.Role))
				if c.operation != "" {
					require.Contains(t, p.Calls, c.operation, "%s: %s", c.file, action)
				}
			}
		}
		require.Len(t, found, 1, "%s needs %s", c.file, action)
	}
}

func TestTable_HoldsOnlyCallsThatTheAppMakes(t *testing.T) {
	t.Parallel()
	made := map[string]bool{}
	for _, c := range goldens(t) {
		made[c.operation] = true
	}
	// Azure returns the URLs of these; azbackupflow does not compose them.
	followed := regexp.MustCompile(`Operation(Result|Results|Status|Statuses)[A-Za-z]*(_Get)?$`)
	for _, p := range roles.Table() {
		for _, c := range p.Calls {
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

func TestTable_MatchesTheAPIDescriptions(t *testing.T) {
	t.Parallel()
	actions := described(t, "Microsoft.RecoveryServices.Backup", "2025-02-01", "bms.json")
	maps.Copy(actions, described(t, "Microsoft.DataProtection", "2024-04-01", "dataprotection.json"))
	// The vaults of Recovery Services have a separate description.
	actions["Vaults_Get"] = "Microsoft.RecoveryServices/vaults/read"
	for _, p := range roles.Table() {
		for _, c := range p.Calls {
			require.True(t, strings.EqualFold(p.Action, actions[c]), "%s: %s asks for %q", p.Action, c, actions[c])
		}
	}
}

func TestTable_HoldsPublishedActions(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "published.txt"))
	require.NoError(t, err)
	published := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(string(raw), ""))
	for _, p := range roles.Table() {
		if strings.HasPrefix(p.Action, "Microsoft.RecoveryServices/") || strings.HasPrefix(p.Action, "Microsoft.DataProtection/") {
			require.Contains(t, published, p.Action)
		}
	}
}

func TestTable_GrantsEveryRecordedPoll(t *testing.T) {
	t.Parallel()
	status := regexp.MustCompile(`(?i)/(operationResults|operationsStatus|operationStatus|backupOperations|backupOperationResults)/`)
	polls := 0
	for _, file := range []string{"azure-cli_afs_backup_scenario.yaml", "azure-cli-dataprotection_pgflex.yaml"} {
		for _, x := range armtest.Recording(t, file) {
			u, err := url.Parse(x.Request.URI)
			require.NoError(t, err)
			if !status.MatchString(u.Path) {
				continue
			}
			polls++
			action := roles.ActionOf(http.MethodGet, u.Path)
			p, ok := roles.Find(action)
			require.True(t, ok, "%s asks for %s", u.Path, action)
			require.Contains(t, []roles.Role{roles.Read, roles.Status}, p.Role)
		}
	}
	require.Greater(t, polls, 30)
}

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
		require.Equal(t, reads, p.Role == roles.Read || p.Role == roles.Status, p.Action)
		if strings.HasSuffix(p.Action, "/delete") || strings.HasSuffix(strings.ToLower(p.Action), "restore/action") {
			require.Equal(t, roles.Delete, p.Role, p.Action)
		}
		require.Contains(t, roles.All(), p.Role)
	}
	for _, r := range roles.All() {
		require.NotEmpty(t, r.Permissions(), r)
		require.NotEqual(t, string(r), r.Name())
		require.NotEmpty(t, r.Description())
	}
}
