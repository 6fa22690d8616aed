package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stubAz is a program that keeps app registrations in files, as far as the script
// uses them, and records its calls. Its queries return what the script asks for.
const stubAz = `#!/bin/sh
echo "$*" >>"$STATE/calls"
what="$1 $2 $3"
shift 3
while [ $# -gt 0 ]; do
  case $1 in
  --app-roles) printf '%s' "$2" >"$STATE/roles" ;;
  --identifier-uris) printf '%s\n' "$2" >"$STATE/uris" ;;
  --query) query=$2 ;;
  esac
  shift
done
case $what in
"ad app list") cat "$STATE/ids" ;;
"ad app create") echo a1 >"$STATE/ids"; echo a1 ;;
"ad app update") ;;
"ad app show")
  case $query in
  identifierUris) cat "$STATE/uris" ;;
  appRoles*) sed 's/}, *{/}\n{/g' "$STATE/roles" | sed -n 's/.*"id": "\([^"]*\)", "value": "\([^"]*\)", "displayName": "\([^"]*\)", "description": "\([^"]*\)".*/\1|\2|\3|\4/p' ;;
  esac ;;
"ad sp show") [ -e "$STATE/sp" ] || { echo "ERROR: does not exist" >&2; exit 3; }; echo sp1 ;;
"ad sp create") touch "$STATE/sp" ;;
*) echo "unexpected: $what" >&2; exit 9 ;;
esac
`

// registration runs the script with the stub and returns its output and exit code.
func registration(t *testing.T, state string) (said string, code int) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "az"), []byte(stubAz), 0o700))
	script := exec.CommandContext(t.Context(), "sh", "../../infra/hooks/app-registration.sh", "azbackupflow-api")
	script.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "STATE=" + state}
	out, _ := script.CombinedOutput() // the exit code says whether it worked
	return string(out), script.ProcessState.ExitCode()
}

// contents returns the files of a folder, without the record of the calls.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != "calls" {
			raw, err := os.ReadFile(filepath.Join(folder, e.Name()))
			require.NoError(t, err)
			all[e.Name()] = string(raw)
		}
	}
	return all
}

// changing returns the recorded calls that change something, and forgets all.
func changing(t *testing.T, state string) (all []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(state, "calls"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(state, "calls")))
	for _, call := range regexp.MustCompile(`(?m)^ad (?:app|sp) (?:create|update|delete)[^\n]*`).FindAllString(string(raw), -1) {
		all = append(all, strings.Join(strings.Fields(call)[:5], " "))
	}
	return all
}

// newTenant returns the state of a tenant with some registrations of the name.
func newTenant(t *testing.T, ids string) string {
	t.Helper()
	state := t.TempDir()
	for name, content := range map[string]string{"ids": ids, "uris": "", "roles": "[]"} {
		require.NoError(t, os.WriteFile(filepath.Join(state, name), []byte(content), 0o600))
	}
	return state
}

func TestAppRegistration_SecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	state := newTenant(t, "")
	first, code := registration(t, state)
	require.Zero(t, code, first)
	require.Contains(t, first, "Application id: a1")
	require.Equal(t, []string{"ad app create --display-name azbackupflow-api", "ad app update --id a1", "ad app update --id a1", "ad sp create --id a1"}, changing(t, state))
	made := contents(t, state)
	require.Equal(t, "api://a1\n", made["uris"])

	var roles []struct {
		ID, Value, DisplayName, Description string
		IsEnabled                           bool
		AllowedMemberTypes                  []string
	}
	require.NoError(t, json.Unmarshal([]byte(made["roles"]), &roles), made["roles"])
	require.Len(t, roles, 4)
	for i, value := range []string{"Operations.Read", "Operations.Start", "Operations.Restore", "Operations.Validate"} {
		require.Equal(t, value, roles[i].Value)
		require.True(t, roles[i].IsEnabled)
		require.Equal(t, []string{"User", "Application"}, roles[i].AllowedMemberTypes)
		require.NotEmpty(t, roles[i].Description)
	}
	require.Contains(t, first, `"appRoleId": "`+roles[1].ID+`"`, "the printed assignment is for Operations.Start")
	for _, role := range roles {
		require.Contains(t, first, "  "+role.ID+"  "+role.Value+"\n")
	}

	second, code := registration(t, state)
	require.Zero(t, code, second)
	require.Equal(t, first, second)
	require.Empty(t, changing(t, state))
	require.Equal(t, made, contents(t, state))
}

func TestAppRegistration_UpdatesWhatIsMissing(t *testing.T) {
	t.Parallel()
	state := newTenant(t, "")
	_, code := registration(t, state)
	require.Zero(t, code)
	changing(t, state)
	made := contents(t, state)
	for name, c := range map[string]struct{ file, content, call string }{
		"a role of an older version": {"roles", strings.Replace(made["roles"], "Read operations, schedules", "Read schedules", 1), "ad app update --id a1"},
		"no role":                    {"roles", "[]", "ad app update --id a1"},
		"another identifier":         {"uris", "api://other\n", "ad app update --id a1"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(state, c.file), []byte(c.content), 0o600))
		said, code := registration(t, state)
		require.Zero(t, code, said)
		require.Equal(t, []string{c.call}, changing(t, state), name)
		require.Equal(t, made, contents(t, state), name)
	}
	require.NoError(t, os.Remove(filepath.Join(state, "sp")))
	_, code = registration(t, state)
	require.Zero(t, code)
	require.Equal(t, []string{"ad sp create --id a1"}, changing(t, state), "a run that stopped half-way is continued")
}

func TestAppRegistration_RefusesAnAmbiguousName(t *testing.T) {
	t.Parallel()
	state := newTenant(t, "a1\na2\n")
	said, code := registration(t, state)
	require.Equal(t, 1, code)
	require.Contains(t, said, "several app registrations are named azbackupflow-api; choose another name")
	require.Empty(t, changing(t, state))
}
