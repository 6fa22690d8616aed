package e2e

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
)

func TestPostgres_ProtectStopResumeDelete(t *testing.T) {
	t.Parallel()
	runServerCases(t, "protect", []serverCase{
		{name: "protected, and again under another key", run: protectedTwice},
		{name: "permissions that spread slowly are waited for", run: permissionsSpread},
		{name: "permissions that never come are reported as Azure does", run: permissionsNeverCome},
		{name: "protected by another vault already", run: protectedElsewhere},
		{name: "protected already under another name", run: protectedUnderAnotherName},
		{name: "a policy for something else", run: policyForSomethingElse},
		{name: "the answer to the configuration is lost", run: configurationAnswerLost},
		{name: "protection that ends in an error", run: protectionError},
		{name: "stopped, resumed, deleted", run: stoppedResumedDeleted},
		{
			name: "data in an immutable vault is not deleted", run: immutableVault,
			change: func(w *armsim.World) { w.BackupVaults[len(w.BackupVaults)-1].Immutability = "Locked" },
		},
		{
			name: "data behind a resource guard is not deleted", run: guardedVault,
			change: func(w *armsim.World) { w.BackupVaults[len(w.BackupVaults)-1].ResourceGuard = true },
		},
	})
}

func protectedTwice(l *local, s serverSite) {
	first := l.protectedServer(s)
	again := s.protect()
	again["key"] = "again-" + s.name
	require.Equal(l.t, first, l.succeeds(l.begin(again)).Learned["backupInstanceId"])
	require.Equal(l.t, 1, l.askedOf(s, "PUT backupInstances"))
	require.Equal(l.t, 1, l.askedOf(s, "POST validateForBackup"))
}

const missingPermissions = "UserErrorMissingRequiredPermissions"

func permissionsSpread(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{Operation: "ValidateForBackup", Item: s.flexible.Name, OperationCode: missingPermissions, Times: 3})
	id := l.begin(s.protect())
	l.succeeds(id)
	require.Equal(l.t, 4, l.askedOf(s, "POST validateForBackup"))
	require.Equal(l.t, 1, l.askedOf(s, "PUT backupInstances"))
	_, told := met(l.history(id), missingPermissions)
	require.True(l.t, told, "the history shows the wait")
}

func permissionsNeverCome(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{Operation: "ValidateForBackup", Item: s.flexible.Name, OperationCode: missingPermissions, Times: 1000})
	end := l.await(l.begin(s.protect()))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, missingPermissions, end.Error.Code)
	require.Equal(l.t, []string{
		"Grant appropriate permissions to perform this operation as mentioned at https://aka.ms/UserErrorMissingRequiredPermissions and retry the operation.",
	}, end.Error.RecommendedAction)
	require.Greater(l.t, l.askedOf(s, "POST validateForBackup"), 1)
	require.Zero(l.t, l.askedOf(s, "PUT backupInstances"))
}

// protectedElsewhere protects the site's server in the vault of the demo world.
func protectedElsewhere(l *local, s serverSite) {
	l.protectedServer(s)
	elsewhere := s.protect()
	elsewhere["key"] = "elsewhere-" + s.name
	maps.Copy(object(elsewhere, "parameters"), map[string]any{"vaultId": demoBackupVault, "policy": "pgflexpol1"})
	end := l.await(l.begin(elsewhere))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, "UserErrorDppDatasourceAlreadyProtected", end.Error.Code)
	require.Contains(l.t, end.Error.Message, s.vault.Name)
	require.NotEmpty(l.t, end.Error.RecommendedAction)
}

func protectedUnderAnotherName(l *local, s serverSite) {
	request := s.protect()
	request["parameters"] = map[string]any{
		"vaultId": s.vault.ID(), "serverId": s.flexible.ID(), "location": s.flexible.Location, "policy": "flexible", "instanceName": "by-hand",
	}
	l.succeeds(l.begin(request))
	other := s.protect()
	other["key"] = "other-" + s.name
	found := l.succeeds(l.begin(other))
	require.Equal(l.t, s.vault.ID()+"/backupInstances/by-hand", found.Learned["backupInstanceId"], "the same vault and policy: it is protected already")
	require.Equal(l.t, 1, l.askedOf(s, "PUT backupInstances"))
}

func policyForSomethingElse(l *local, s serverSite) {
	request := s.protect()
	object(request, "parameters")["policy"] = "databases"
	end := l.await(l.begin(request))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, "PolicyDoesNotFit", end.Error.Code)
	require.Zero(l.t, l.askedOf(s, "POST validateForBackup"))
}

func configurationAnswerLost(l *local, s serverSite) {
	l.ARM.Inject(armsim.Rule{Kind: "PUT backupInstances", Match: s.concerns, Times: 1, Effect: armsim.ResetAfter()})
	id := l.protectedServer(s)
	require.NotEmpty(l.t, id)
}

func protectionError(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{
		Operation: "ConfigureProtection", Item: s.flexible.Name, ProtectionState: "ProtectionError", Code: "UserErrorServerNeverHeardOf",
		ErrorText: "The server hides.", Recommendation: advice,
	})
	end := l.await(l.begin(s.protect()))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, "UserErrorServerNeverHeardOf", end.Error.Code)
	require.NotEmpty(l.t, end.Error.RecommendedAction)
}

func stoppedResumedDeleted(l *local, s serverSite) {
	id := l.protectedServer(s)
	l.succeeds(l.begin(about("stop-protection", s.name, id)))
	require.Equal(l.t, "ProtectionStopped", l.instance(id).ProtectionState)
	rejected := l.await(l.begin(about("backup-now", s.name, id)))
	require.Equal(l.t, api.Failed, rejected.Status)
	require.Equal(l.t, "ProtectionStopped", rejected.Error.Code)

	l.succeeds(l.begin(about("resume-protection", s.name, id)))
	require.Equal(l.t, "ProtectionConfigured", l.instance(id).ProtectionState)

	// The answer of the deletion is lost too. The deletion is sent once and
	// followed to its end.
	l.ARM.Inject(armsim.Rule{Kind: "DELETE backupInstances", Match: s.concerns, Times: 1, Effect: armsim.ResetAfter()})
	end := l.succeeds(l.begin(about("delete-protection", s.name, id)))
	require.Equal(l.t, "soft-deleted", end.Learned["deletion"])
	require.True(l.t, l.instance(id).Deleted)
}

func immutableVault(l *local, s serverSite) { notDeleted(l, s, "VaultImmutable") }

func guardedVault(l *local, s serverSite) { notDeleted(l, s, "ResourceGuard") }

func notDeleted(l *local, s serverSite, code string) {
	l.t.Helper()
	end := l.await(l.begin(about("delete-protection", s.name, s.database())))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, code, end.Error.Code)
	require.NotEmpty(l.t, end.Error.RecommendedAction)
	require.Zero(l.t, l.askedOf(s, "DELETE backupInstances"))
	require.False(l.t, l.instance(s.database()).Deleted)
}
