package flows_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/flows"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
	"azbackupflow/internal/roles"
)

var update = flag.Bool("update", false, "write the generated files")

const root = "../.."

func definitions(t *testing.T) []flow.Definition {
	t.Helper()
	all, err := flow.Definitions(flow.Config{Now: time.Now, Guardrails: flow.ExampleGuardrails()})
	require.NoError(t, err)
	return all
}

// holds compares a file with the generated text.
func holds(t *testing.T, file string, text []byte) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(file))
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(text), string(got), "%s: run go test ./generate/flows -update", file)
}

// holdsPart compares the generated part of a page with the text.
func holdsPart(t *testing.T, page, name, text string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	begin := "<!-- generated " + name + ": go test ./generate/flows -update -->\n"
	end := "<!-- end of generated " + name + " -->\n"
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok, "%s has no %q", page, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q", page, end)
	holds(t, page, []byte(before+begin+"\n"+text+"\n"+end+after))
}

func TestPage_FollowsFromTheDefinitions(t *testing.T) {
	t.Parallel()
	text, err := flows.Page(definitions(t))
	require.NoError(t, err)
	holdsPart(t, "docs/flows.md", "flows", text)
}

func TestExamples_FollowFromTheDefinitions(t *testing.T) {
	t.Parallel()
	files, err := flows.ExampleFiles(definitions(t))
	require.NoError(t, err)
	for name, text := range files {
		holds(t, "examples/"+name, text)
	}
	published, err := filepath.Glob(filepath.Join(root, "examples", "*.json"))
	require.NoError(t, err)
	for _, file := range published {
		require.Contains(t, files, filepath.Base(file), "no definition has this example")
	}
}

func TestExamples_AreValidRequestsWithoutKeys(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	for _, d := range definitions(t) {
		require.NotEmpty(t, d.Examples, "%s has no example", d.Name)
		for _, e := range d.Examples {
			raw, err := d.RequestJSON(e)
			require.NoError(t, err)
			r, err := request.Read(raw)
			require.NoError(t, err, e.File)
			_, err = d.Check(r.Parameters)
			require.NoError(t, err, e.File)
			require.Empty(t, r.Key, "%s would start nothing the second time", e.File)
			require.NotEmpty(t, e.Key, e.File)
			require.Empty(t, keys[e.Key], "%s has the key of another example", e.File)
			keys[e.Key] = e.File
			require.NotEmpty(t, e.About, e.File)
		}
	}
}

func TestPlan_FollowsFromTheDefinitions(t *testing.T) {
	t.Parallel()
	text, err := flows.PlanJSON(definitions(t))
	require.NoError(t, err)
	holds(t, "examples/demo/plan.json", text)
}

func TestPlan_RunsEachExampleAfterThoseThatItWaitsFor(t *testing.T) {
	t.Parallel()
	plan, err := flows.Plan(definitions(t))
	require.NoError(t, err)
	files, err := flows.ExampleFiles(definitions(t))
	require.NoError(t, err)
	require.Len(t, plan, len(files))
	seen := map[string]bool{}
	for _, s := range plan {
		for _, file := range slices.Concat(s.After, []string{s.JobOf}) {
			require.True(t, file == "" || seen[file], "%s waits for %s", s.File, file)
		}
		seen[s.File] = true
	}
}

func TestPlan_RejectsExamplesThatWaitForEachOther(t *testing.T) {
	t.Parallel()
	d := definitions(t)[0]
	d.Examples = []flow.Example{{File: "a", After: []string{"b"}}, {File: "b", JobOf: "a"}}
	_, err := flows.Plan([]flow.Definition{d})
	require.ErrorContains(t, err, "example a waits for [b]")
}

func TestGranted_FollowsFromTheDefinitions(t *testing.T) {
	t.Parallel()
	text, err := flows.GrantedSource(definitions(t))
	require.NoError(t, err)
	holds(t, "internal/roles/granted.go", text)
}

func TestRoleTable_FollowsFromTheDefinitions(t *testing.T) {
	t.Parallel()
	text, err := flows.RoleTable(definitions(t))
	require.NoError(t, err)
	holdsPart(t, "docs/roles.md", "flows", text)
}

// The custom roles and their page follow from the same derivation, so that one
// run of -update writes them all.
func TestRoles_FollowFromTheDefinitions(t *testing.T) {
	t.Parallel()
	granted, err := flows.Granted(definitions(t))
	require.NoError(t, err)
	table := roles.Derive(granted)
	text, err := roles.JSON(table)
	require.NoError(t, err)
	holds(t, "infra/app/roles.json", text)
	for _, p := range table {
		require.NotEmpty(t, p.Role, "%s has no role", p.Action)
	}
}

// Every call of a flow has one permission, and every permission that is not used
// elsewhere follows from a call of a flow.
func TestRoles_GrantWhatTheFlowsCall(t *testing.T) {
	t.Parallel()
	called := map[string]bool{}
	for _, d := range definitions(t) {
		for _, s := range d.Steps {
			for _, c := range s.Calls {
				called[c] = true
			}
		}
	}
	granting := map[string]int{}
	for _, p := range roles.Table() {
		needed := len(p.Uses) > 0
		for _, c := range p.Calls {
			granting[c]++
			needed = needed || called[c]
		}
		for _, c := range p.After {
			needed = needed || called[c]
		}
		require.True(t, needed, "no call needs %s", p.Action)
	}
	for c := range called {
		require.Equal(t, 1, granting[c], "%s needs one permission", c)
	}
}

func TestDefinitions_AreComplete(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`^[A-Z][A-Za-z]*_[A-Z][A-Za-z]*$`)
	for _, d := range definitions(t) {
		require.NotEmpty(t, d.Intro, d.Name)
		require.NotEmpty(t, d.Summary, d.Name)
		require.Contains(t, roles.All(), d.Role, d.Name)
		require.Equal(t, d.Guarded, d.Role == roles.Delete || d.Role == roles.Drill, "%s: a flow that deletes or restores is guarded", d.Name)
		for _, s := range d.Steps {
			require.NotEmpty(t, s.Asks, "%s, step %s", d.Name, s.Name)
			for _, name := range s.Calls {
				require.Regexp(t, call, name)
			}
		}
	}
}

func TestGranted_RejectsACallThatIsNotInTheCatalog(t *testing.T) {
	t.Parallel()
	d := definitions(t)[0]
	d.Steps = slices.Clone(d.Steps)
	d.Steps[0].Calls = []string{"Vaults_Paint"}
	_, err := flows.Granted([]flow.Definition{d})
	require.ErrorContains(t, err, "calls Vaults_Paint, which is not in the catalog")
}

// Each role of each datasource is assigned behind a parameter that is empty by
// default.
func TestVaultAccess_HasAParameterForEachDatasource(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "infra", "backup-vault-access.bicep"))
	require.NoError(t, err)
	template := string(raw)
	for _, m := range regexp.MustCompile(`(?m)^param (\w+) string( = '')?$`).FindAllStringSubmatch(template, -1) {
		require.True(t, m[1] == "vaultPrincipalId" || m[2] != "", "the parameter %s is not off by default", m[1])
	}
	for _, k := range kinds.All() {
		for _, need := range k.Roles {
			if k.Retired {
				continue
			}
			key, err := flows.AccessKey(k, need)
			require.NoError(t, err)
			var module []string
			for _, block := range strings.Split(template, "\nmodule ") {
				if regexp.MustCompile(`roles?: roles\.` + key + `(\[0\])?\n`).MatchString(block) {
					module = regexp.MustCompile(`^\w+ '[^']+' = \[for \w+ in (\w+): `).FindStringSubmatch(block)
				}
			}
			require.NotNil(t, module, "no module assigns %s of a %s", need.Name, k.Name)
			list := regexp.MustCompile(`(?m)^var ` + module[1] + ` = empty\((\w+)\)`).FindStringSubmatch(template)
			require.NotNil(t, list, "the list %s has no parameter", module[1])
			require.Contains(t, template, "param "+list[1]+" string = ''")
		}
	}
}

func TestVaultRoles_FollowFromTheTableOfDatasources(t *testing.T) {
	t.Parallel()
	text, err := flows.VaultRolesJSON()
	require.NoError(t, err)
	holds(t, "infra/app/datasource-roles.json", text)
	holdsPart(t, "docs/roles.md", "vault identities", flows.VaultRoleTable())
}
