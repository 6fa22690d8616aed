package flow_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/step"
)

const (
	demoBackupVault  = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
	demoServer       = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
	demoTargetServer = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver"
	demoInstance     = demoBackupVault + "/backupInstances/testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
	demoContainer    = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
	demoContainerID  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.Storage/storageAccounts/testossstorageaccount/blobServices/default/containers/testcontainerrestore"
	demoSecret       = "https://contoso.vault.azure.net/secrets/dbauth3"
)

func protectServer() object {
	return object{"vaultId": demoBackupVault, "serverId": demoServer, "location": "westus", "policy": "pgflexpol1"}
}

func asDatabase(name string) object {
	return object{"serverId": demoTargetServer, "database": name, "credentialsSecretUri": demoSecret}
}

func asFiles(prefix string) object { return object{"containerUrl": demoContainer, "prefix": prefix} }

// failsWith runs an operation that fails with the code and a recommended
// action.
func (r *rig) failsWith(code, name string, parameters any) {
	r.t.Helper()
	err := r.fails(name, parameters)
	require.Equal(r.t, code, err.Code, err.Message)
	require.NotEmpty(r.t, err.RecommendedAction, err)
}

func TestProtectPostgres_ValidatesConfiguresAndProtects(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())

	op := r.succeeds("protect-postgres", protectServer())

	var found []armsim.BackupInstance
	for _, instance := range sim.BackupInstances() {
		if instance.Datasource == demoServer {
			found = append(found, instance)
		}
	}
	require.Len(t, found, 1)
	require.Equal(t, "ProtectionConfigured", found[0].ProtectionState)
	require.Equal(t, flow.InstanceName(demoServer), found[0].Name)
	require.Contains(t, op.Learned["backupInstanceId"], found[0].Name)

	t.Run("asked again it is protected already", func(t *testing.T) {
		t.Parallel()
		r.t = t
		again := r.succeeds("protect-postgres", protectServer())
		require.Equal(t, op.Learned["backupInstanceId"], again.Learned["backupInstanceId"])
	})
}

func TestProtectPostgres_FindsAnInstanceOfAnotherName(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	first := protectServer()
	first["instanceName"] = "by-hand"
	made := r.succeeds("protect-postgres", first)

	found := r.succeeds("protect-postgres", protectServer())

	require.Equal(t, made.Learned["backupInstanceId"], found.Learned["backupInstanceId"])
}

func TestProtectPostgres_RejectsAPolicyForAnotherDatasource(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	parameters := protectServer()
	parameters["policy"] = "osspol3"
	r.failsWith("PolicyDoesNotFit", "protect-postgres", parameters)
	parameters["policy"] = "no-such-policy"
	r.failsWith("PolicyNotFound", "protect-postgres", parameters)
	for _, request := range sim.Requests() {
		require.Contains(t, []string{"GET backupPolicies", "GET token"}, request.Kind)
	}
}

func TestBackupNow_BacksUpAServerByItsOnlyRule(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	protected := r.succeeds("protect-postgres", protectServer())
	id := protected.Learned["backupInstanceId"]

	op := r.succeeds("backup-now", object{"backupInstanceId": id})

	require.NotEmpty(t, op.Learned["jobId"])
	require.NotEmpty(t, op.Learned["backupRule"])
	jobs := 0
	for _, job := range sim.Jobs() {
		if job.ID == op.Learned["jobId"] {
			jobs++
			require.Equal(t, "Completed", job.Status)
			require.Equal(t, op.Learned["attempt"], job.ActivityID)
		}
	}
	require.Equal(t, 1, jobs)

	r.failsWith("RuleNotFound", "backup-now", object{"backupInstanceId": id, "rule": object{"name": "BackupNever"}})
	r.failsWith("NotProtected", "backup-now", object{"backupInstanceId": demoBackupVault + "/backupInstances/nobody"})
}

func TestRestorePostgres_RestoresTheRequestedRecoveryPoint(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change object
		point  string
		check  func(*testing.T, armsim.Restore)
	}{
		"the latest as files": {
			object{"recoveryPoint": object{"latest": true}, "asFiles": asFiles("latest")}, "0c5a1d2f3b4e46978891a2b3c4d5e6f7",
			func(t *testing.T, restore armsim.Restore) {
				t.Helper()
				require.Equal(t, "RestoreFilesTargetInfo", restore.TargetType)
				require.Equal(t, "VaultStore", restore.SourceDataStore)
			},
		},
		"one by its id, as a database": {
			object{"recoveryPoint": object{"id": armsim.DemoVaultPoint}, "asDatabase": asDatabase("emprestored21")}, armsim.DemoVaultPoint,
			func(t *testing.T, restore armsim.Restore) {
				t.Helper()
				require.Equal(t, "RestoreTargetInfo", restore.TargetType)
			},
		},
		"the latest before a time": {
			object{"recoveryPoint": object{"latestBefore": morning().Add(-10 * 24 * time.Hour)}, "asFiles": asFiles("older")}, armsim.DemoVaultPoint,
			func(t *testing.T, _ armsim.Restore) { t.Helper() },
		},
		"from the archive": {
			object{
				"recoveryPoint": object{"latest": true}, "tier": "archive", "asFiles": asFiles("archived"),
				"rehydration": object{"priority": "Standard", "retention": "P15D"},
			}, armsim.DemoArchivePoint,
			func(t *testing.T, restore armsim.Restore) {
				t.Helper()
				require.Equal(t, "ArchiveStore", restore.SourceDataStore)
				require.Equal(t, "AzureBackupRestoreWithRehydrationRequest", restore.ObjectType)
				require.Equal(t, "Standard", restore.RehydrationPriority)
				require.Equal(t, "P15D", restore.RehydrationRetention)
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			c.change["backupInstanceId"] = demoInstance
			op := r.succeeds("restore-postgres", c.change)
			require.Len(t, sim.Restores(), 1)
			restore := sim.Restores()[0]
			require.Equal(t, c.point, restore.RecoveryPoint)
			require.Equal(t, op.Learned["jobId"], restore.JobID)
			require.Equal(t, op.Learned["attempt"], restore.ActivityID)
			c.check(t, restore)
		})
	}
}

func TestRestorePostgres_RejectsWhatAFlexibleServerDoesNotSupport(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
	r.succeeds("backup-now", object{"backupInstanceId": id})

	r.failsWith("RestoreNotPossible", "restore-postgres", object{"backupInstanceId": id, "recoveryPoint": object{"latest": true}, "asDatabase": asDatabase("x")})
	r.failsWith("RestoreNotPossible", "restore-postgres", object{
		"backupInstanceId": id, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x"), "tier": "archive",
		"rehydration": object{"priority": "High", "retention": "P10D"},
	})
	require.Empty(t, sim.Restores())

	r.succeeds("restore-postgres", object{"backupInstanceId": id, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")})
	require.Len(t, sim.Restores(), 1)
}

func TestRestorePostgres_FailsWithoutARecoveryPoint(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.failsWith("NoRecoveryPoint", "restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"id": "0123"}, "asFiles": asFiles("x")})
	r.failsWith("NoRecoveryPoint", "restore-postgres", object{
		"backupInstanceId": demoInstance, "recoveryPoint": object{"latestBefore": morning().Add(-1000 * 24 * time.Hour)}, "asFiles": asFiles("x"),
	})
	require.Empty(t, sim.Restores())
}

func TestTrackJob_FollowsAJobThatSomethingElseStarted(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	machine := slices.IndexFunc(sim.ProtectedItems(), func(i armsim.ProtectedItem) bool { return i.FriendlyName == "vm1" })
	require.GreaterOrEqual(t, machine, 0)
	vm := r.begin("backup-now", object{"itemId": sim.ProtectedItems()[machine].ID})
	r.until(vm, "await-backup-job")
	started := r.operation(vm).Tracking.JobID
	restore := r.begin("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")})
	r.until(restore, "await-restore-job")

	restoreVault, _, _ := strings.Cut(demoInstance, "/backupInstances/")
	for _, id := range []string{demoVault + "/backupJobs/" + started, restoreVault + "/backupJobs/" + r.operation(restore).Tracking.JobID} {
		op := r.succeeds("track-job", object{"jobId": id})
		require.Contains(t, id, op.Learned["jobId"])
	}
}

func TestTrackJob_RefusesAJobThatDoesNotExist(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	restoreVault, _, _ := strings.Cut(demoInstance, "/backupInstances/")
	for _, vault := range []string{demoVault, restoreVault} {
		began := r.clock.Now()
		op := r.finish(r.begin("track-job", object{"jobId": vault + "/backupJobs/eeda2c9e-9bc2-4c51-a021-6cb73a172460"}))
		require.False(t, op.Status.Successful())
		require.Equal(t, "JobNotFound", op.LastError.Code)
		require.Less(t, r.clock.Now().Sub(began), time.Minute, "at once")
		require.True(t, op.OnlyRead, "a corrected request may use the key")
	}
}

func TestRestorePostgres_AcceptsTheContainerById(t *testing.T) {
	t.Parallel()
	b, err := flow.New(flow.Config{Now: morning, Guardrails: flow.Guardrails{RestoreTargets: []string{demoContainer}}})
	require.NoError(t, err)
	f, _ := b.Newest("restore-postgres")
	raw, err := json.Marshal(object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true},
		"asFiles": object{"containerUrl": demoContainer, "prefix": "x", "containerId": demoContainerID}})
	require.NoError(t, err)
	_, err = f.Check(raw)
	require.NoError(t, err)
}

func TestPostgresFlows_NameInvalidParameters(t *testing.T) {
	t.Parallel()
	b, err := flow.New(flow.Config{Now: morning, Guardrails: flow.Guardrails{RestoreTargets: []string{demoContainer}}})
	require.NoError(t, err)
	target := func(more object) object {
		f := object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	cases := map[string]struct {
		flow       string
		parameters object
		field      string
		problem    string
	}{
		"a single server can no longer be protected": {
			"protect-postgres", object{"vaultId": demoBackupVault, "serverId": demoTargetServer, "location": "westus", "policy": "p"},
			"parameters.serverId", "is not the resource ID of a Microsoft.DBforPostgreSQL/flexibleServers",
		},
		"a region is missing":                       {"protect-postgres", object{"vaultId": demoBackupVault, "serverId": demoServer, "policy": "p"}, "parameters.location", "is missing"},
		"a policy of another vault":                 {"protect-postgres", object{"vaultId": demoBackupVault, "serverId": demoServer, "location": "w", "policy": demoBackupVault + "x/backupPolicies/p"}, "parameters.policy", "belongs to vault"},
		"a container that is not allowed":           {"restore-postgres", target(object{"asFiles": object{"containerUrl": "https://evil.blob.core.windows.net/out", "prefix": "x"}}), "parameters.asFiles.containerUrl", "is not an allowed restore target"},
		"a container with a signature":              {"restore-postgres", target(object{"asFiles": object{"containerUrl": demoContainer + "?sig=x", "prefix": "x"}}), "parameters.asFiles.containerUrl", "contains more than the container's address"},
		"a container below an allowed one":          {"restore-postgres", target(object{"asFiles": object{"containerUrl": demoContainer + "/below", "prefix": "x"}}), "parameters.asFiles.containerUrl", "is not the URL of a blob container"},
		"another container's id":                    {"restore-postgres", target(object{"asFiles": object{"containerUrl": demoContainer, "prefix": "x", "containerId": strings.Replace(demoContainerID, "testossstorageaccount", "evil", 1)}}), "parameters.asFiles.containerId", "is not the resource ID of the container in containerUrl"},
		"a server that is not allowed":              {"restore-postgres", target(object{"asDatabase": asDatabase("x")}), "parameters.asDatabase.serverId", "is not an allowed restore target"},
		"two targets":                               {"restore-postgres", target(object{"asDatabase": asDatabase("x"), "asFiles": asFiles("x")}), "parameters.asDatabase", "both set or both missing"},
		"no target":                                 {"restore-postgres", target(nil), "parameters.asDatabase", "both set or both missing"},
		"two recovery points":                       {"restore-postgres", target(object{"asFiles": asFiles("x"), "recoveryPoint": object{"latest": true, "id": "x"}}), "parameters.recoveryPoint", "has 2 of id, latest and latestBefore"},
		"the archive without rehydration":           {"restore-postgres", target(object{"asFiles": asFiles("x"), "tier": "archive"}), "parameters.rehydration", "is missing for the archive tier"},
		"a rehydration for the vault tier":          {"restore-postgres", target(object{"asFiles": asFiles("x"), "rehydration": object{"priority": "High", "retention": "P15D"}}), "parameters.rehydration", "is set for the vault tier"},
		"a rehydration of hours":                    {"restore-postgres", target(object{"asFiles": asFiles("x"), "tier": "archive", "rehydration": object{"priority": "High", "retention": "PT5H"}}), "parameters.rehydration.retention", "is not a number of days"},
		"a tier that does not exist":                {"restore-postgres", target(object{"asFiles": asFiles("x"), "tier": "cold"}), "parameters.tier", "is not a tier"},
		"credentials instead of their URI":          {"restore-postgres", target(object{"asDatabase": object{"serverId": demoTargetServer, "database": "x", "credentialsSecretUri": "user:password"}}), "parameters.asDatabase.credentialsSecretUri", "is not the URI of a Key Vault secret"},
		"credentials on a host that is not a vault": {"restore-postgres", target(object{"asDatabase": object{"serverId": demoTargetServer, "database": "x", "credentialsSecretUri": "https://vault.azure.net.evil.example/secrets/x"}}), "parameters.asDatabase.credentialsSecretUri", "is not the URI of a Key Vault secret"},
		"a rule for a file share":                   {"backup-now", object{"itemId": demoItem, "rule": object{"name": "x"}}, "parameters.rule", "is set for a target that is not a backup instance"},
		"an expiry for a backup instance":           {"backup-now", object{"backupInstanceId": demoInstance, "location": "x"}, "parameters.backupInstanceId", "set together with fields for items"},
		"a job's name instead of its id":            {"track-job", object{"jobId": "eeda2c9e-9bc2-4c51-a021-6cb73a172460"}, "parameters.jobId", "is not the resource ID of a backup job"},
		"an unknown field":                          {"restore-postgres", target(object{"asFiles": object{"containerUrl": demoContainer, "prefix": "x", "overwrite": true}}), "parameters.asFiles.overwrite", "is an unknown field"},
		"a field of another kind of request":        {"backup-now", object{"backupInstanceId": demoInstance, "serverId": "x"}, "parameters.serverId", "is an unknown field"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ok := b.Newest(c.flow)
			require.True(t, ok)
			raw, err := json.Marshal(c.parameters)
			require.NoError(t, err)
			_, err = f.Check(raw)
			var invalid *step.Invalid
			require.ErrorAs(t, err, &invalid)
			for _, wrong := range invalid.Fields {
				if wrong.Field == c.field {
					require.Contains(t, wrong.Problem, c.problem)
					require.NotEmpty(t, wrong.Want)
					return
				}
			}
			require.Fail(t, "field "+c.field+" is not named", "%+v", invalid.Fields)
		})
	}
}
