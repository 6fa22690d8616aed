package schedule_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/schedule"
)

// simToken is a credential of the simulator.
type simToken struct{ *armsim.Simulator }

// GetToken implements azcore.TokenCredential.
func (s simToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// vaultsOf returns the vaults of a simulated Azure.
func vaultsOf(t *testing.T, world armsim.World) (schedule.Vaults, *armsim.Simulator) {
	t.Helper()
	sim, err := armsim.New(armsim.Config{World: &world, PageSize: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	client, err := arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: simToken{sim}, Now: time.Now})
	require.NoError(t, err)
	return schedule.Vaults{
		RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client), Datasources: datasource.New(client),
	}, sim
}

// protectedWorld protects a datasource of each type that Backup vaults protect.
func protectedWorld() armsim.World {
	world := armsim.DemoWorld()
	vault := world.BackupVaults[0].ID()
	add := func(name, policy, datasourceType, id string) {
		world.ProtectedDatasources = append(world.ProtectedDatasources, armsim.ProtectedDatasource{
			Vault: vault, Policy: policy, Datasource: id, Type: datasourceType, Instance: name,
		})
	}
	for i, r := range world.Resources {
		if i == 3 {
			continue // a second cluster
		}
		add([]string{"mysql", "disk", "cluster"}[i], []string{"mysqlpol1", "diskpol1", "akspol1"}[i], "", r.ID)
		world.Resources[i].Tags = map[string]string{"Backup": "nightly", "tier": []string{"db", "disk", "k8s"}[i]}
	}
	for i, a := range world.StorageAccounts {
		switch a.Name {
		case "blobaccount1":
			add("blob", "blobpol1", kinds.DatasourceBlob, a.ID())
			world.StorageAccounts[i].Tags = map[string]string{"backup": "nightly"}
		case "datalake1":
			add("adls", "adlspol1", kinds.DatasourceADLS, a.ID())
		}
	}
	add("pgflex", "pgflexpol1", "", world.FlexibleServers[0].ID())
	return world
}

func TestVaults_SelectByTypeNameTagAndPolicy(t *testing.T) {
	t.Parallel()
	world := protectedWorld()
	for i := range world.VirtualMachines {
		if world.VirtualMachines[i].Name == "vm1" {
			world.VirtualMachines[i].Tags = map[string]string{"backup": "nightly", "stage": "prod"}
		}
	}
	vaults, _ := vaultsOf(t, world)
	backup, recovery := world.BackupVaults[0].ID(), world.Vaults[0].ID()
	type tags = map[string]declaration.Values
	all := []string{"adls", "blob", "cluster", "disk", "mysql", "pgflex", "testpostgresql"}
	for name, c := range map[string]struct {
		selection schedule.Selection
		want      []string
	}{
		"all":                         {schedule.Selection{VaultID: backup}, all},
		"disks":                       {schedule.Selection{VaultID: backup, Type: kinds.DatasourceDisk}, []string{"disk"}},
		"blobs":                       {schedule.Selection{VaultID: backup, Type: strings.ToUpper(kinds.DatasourceBlob)}, []string{"blob"}},
		"Data Lake Storage":           {schedule.Selection{VaultID: backup, Type: kinds.DatasourceADLS}, []string{"adls"}},
		"clusters":                    {schedule.Selection{VaultID: backup, Type: kinds.DatasourceCluster}, []string{"cluster"}},
		"MySQL":                       {schedule.Selection{VaultID: backup, Type: kinds.DatasourceMySQL}, []string{"mysql"}},
		"PostgreSQL":                  {schedule.Selection{VaultID: backup, Type: kinds.DatasourceFlexibleServer}, []string{"pgflex"}},
		"databases":                   {schedule.Selection{VaultID: backup, Type: kinds.DatasourceDatabase}, []string{"testpostgresql"}},
		"policies":                    {schedule.Selection{VaultID: backup, Policies: []string{"*pol1"}, Except: []string{"data*"}}, []string{"blob", "cluster", "mysql", "pgflex"}},
		"a tag":                       {schedule.Selection{VaultID: backup, Tags: declaration.Tags{Include: tags{"backup": {"night*"}}}}, []string{"blob", "cluster", "disk", "mysql"}},
		"a tag that is not excluded":  {schedule.Selection{VaultID: backup, Tags: declaration.Tags{Include: tags{"backup": {"nightly"}}, Exclude: tags{"TIER": {"d*"}}}}, []string{"blob", "cluster"}},
		"a tag and a policy":          {schedule.Selection{VaultID: backup, Policies: []string{"diskpol1"}, Tags: declaration.Tags{Include: tags{"backup": {"nightly"}}}}, []string{"disk"}},
		"another value":               {schedule.Selection{VaultID: backup, Tags: declaration.Tags{Include: tags{"backup": {"Nightly"}}}}, nil},
		"machines":                    {schedule.Selection{VaultID: recovery, Type: "VM", Policies: []string{"default*"}}, []string{"vm1"}},
		"machines by tag":             {schedule.Selection{VaultID: recovery, Tags: declaration.Tags{Include: tags{"stage": {"prod"}}}}, []string{"vm1"}},
		"SQL databases":               {schedule.Selection{VaultID: recovery, Type: "SQLDataBase"}, []string{"orders"}},
		"HANA databases":              {schedule.Selection{VaultID: recovery, Type: "SAPHanaDatabase", Names: []string{"SYS*"}}, []string{"SYSTEMDB"}},
		"databases of another policy": {schedule.Selection{VaultID: recovery, Type: "SQLDataBase", Policies: []string{"x"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, err := vaults.Items(t.Context(), c.selection)
			require.NoError(t, err)
			var found []string
			for _, i := range items {
				name := i.Name
				if i.Instance {
					name, _, _ = strings.Cut(i.ID[strings.LastIndex(i.ID, "/")+1:], "-")
				}
				found = append(found, name)
			}
			slices.Sort(found)
			require.Equal(t, c.want, found)
		})
	}
}

// A resource that Azure does not list may be one that the app may not read. The
// selection fails then, and does not leave the item out.
func TestVaults_ATagThatCannotBeReadFailsTheSelection(t *testing.T) {
	t.Parallel()
	world := protectedWorld()
	vaults, sim := vaultsOf(t, world)
	selection := schedule.Selection{VaultID: world.BackupVaults[0].ID(), Type: kinds.DatasourceDisk, Tags: declaration.Tags{Include: map[string]declaration.Values{"backup": {"*"}}}}
	denied := armsim.Answer(403, `{"error":{"code":"AuthorizationFailed","message":"may not read"}}`, nil)
	list := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/disks") }
	for name, rules := range map[string][]armsim.Rule{
		"the list fails":            {{Kind: "GET disks", Match: list, Effect: denied}},
		"the list omits the source": {{Kind: "GET disks", Match: list, Effect: armsim.Answer(200, `{"value":[]}`, nil)}, {Kind: "GET disks", Effect: denied}},
	} {
		var remove []func()
		for _, rule := range rules {
			remove = append(remove, sim.Inject(rule))
		}
		_, err := vaults.Items(t.Context(), selection)
		require.ErrorContains(t, err, "read the tags of /subscriptions/", name)
		require.ErrorContains(t, err, "may not read", name)
		for _, end := range remove {
			end()
		}
	}
	sim.Inject(armsim.Rule{Kind: "GET disks", Match: list, Effect: armsim.Answer(200, `{"value":[]}`, nil)})
	items, err := vaults.Items(t.Context(), selection)
	require.NoError(t, err)
	require.Len(t, items, 1, "read on its own")
	sim.Inject(armsim.Rule{Kind: "GET disks", Effect: armsim.Answer(404, `{"error":{"code":"ResourceNotFound","message":"gone"}}`, nil)})
	items, err = vaults.Items(t.Context(), selection)
	require.NoError(t, err)
	require.Empty(t, items, "the disk was deleted")
}

// The schema of schedules.yaml knows the types of the table of datasources.
func TestSchedulesSchema_KnowsEveryType(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", "schedules.v1.schema.json"))
	require.NoError(t, err)
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct{ Enum []string }
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(raw, &schema))
	want := recoveryservices.WorkloadTypes()
	for _, k := range kinds.All() {
		want = append(want, k.Type)
	}
	require.ElementsMatch(t, want, schema.Defs["select"].Properties["type"].Enum)
}

func TestParse_RejectsTypesOfTheOtherVault(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	for selection, want := range map[string]string{
		"{vaultId: " + world.BackupVaults[0].ID() + ", type: VM}":                                   `select.type: "VM" is not a type that the vault protects; want one of Microsoft.Compute/disks, `,
		"{vaultId: " + world.Vaults[0].ID() + ", type: Microsoft.Compute/disks}":                    `select.type: "Microsoft.Compute/disks" is not a type that the vault protects; want one of AzureFileShare, VM, SQLDataBase, SAPHanaDatabase`,
		"{vaultId: " + world.Vaults[0].ID() + ", tags: {include: {backup: true}}}":                  "select.tags.include.backup: is of type boolean",
		"{vaultId: " + world.Vaults[0].ID() + ", policies: []}":                                     "select.policies",
		"{vaultId: " + world.BackupVaults[0].ID() + ", type: Microsoft.Compute/disks, policies: p}": "select.policies: is of type string",
	} {
		_, err := schedule.Parse("schedules.yaml", []byte("version: 1\nschedules:\n- {name: a, cron: '0 1 * * *', timeZone: UTC, select: "+selection+", request: {flow: backup-now, parameters: {}}}\n"), nil)
		require.ErrorContains(t, err, want)
	}
}
