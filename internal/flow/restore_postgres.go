package flow

import (
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// restorePostgres restores a recovery point. restore_parameters.go holds its
// parameters, restore_request.go the body of the restore.
func (a azure) restorePostgres() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-postgres", Version: 1,
			Summary:  "restore a PostgreSQL backup as a database or as files, from the vault or archive tier, to the job's end",
			Guarded:  true,
			Deadline: 4 * 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestorePostgres),
			Steps:    restoreSteps(a, allowsPostgres),
		},
		Role:       roles.Delete,
		Parameters: restorePostgresParameters,
		Intro: "Restores a recovery point of a PostgreSQL backup instance, as a database or as files. A restore writes data to the target that " +
			"the request names, so it is off until an operator allows targets: the setting `AZBACKUPFLOW_RESTORE_TARGETS` lists the resource " +
			"IDs of servers and the URLs of blob containers, separated by commas.",
		Notes: "The datasource decides which restores are possible; others are rejected before anything starts (`RestoreNotPossible`):\n\n" + wayTable(a.entries(kinds.DatasourceFlexibleServer, kinds.DatasourceDatabase)...) +
			"\nErrors of the validation, such as `UserErrorRestoreToLowerVersion`, end the operation before anything has started. Two restores of " +
			"one instance are distinguished by their targets.",
		Examples: restorePostgresExamples(),
	}
}

// exampleArchivePoint is the friendly name by which the Learn page names its
// recovery point.
const exampleArchivePoint = "794ead7c7661410da03997d210d469e7"

func restorePostgresExamples() []Example {
	asDatabase := func(name string) *AsDatabase {
		return &AsDatabase{ServerID: exampleTargetServer, Database: name, CredentialsSecretURI: exampleKeyVaultURI}
	}
	return []Example{
		{
			File: "restore-postgres-files", About: "empdb11, as files", Key: "restore-empdb11-files", Deadline: "P1D", Labels: team("databases"),
			Parameters: RestorePostgres{
				BackupInstanceID: exampleInstance, RecoveryPoint: RecoveryPoint{Latest: true},
				AsFiles: &AsFiles{ContainerURL: exampleContainer, Prefix: "empdb11-latest"},
			},
			Cost: "a database, to a container",
		},
		{
			File: "restore-postgres-database", About: "empdb11, as database", Key: "restore-empdb11-database", Deadline: "P1D", Labels: team("databases"),
			Parameters: RestorePostgres{
				BackupInstanceID: exampleInstance, RecoveryPoint: RecoveryPoint{ID: "eb006fde78cb47198be5a320fbe45e9b"}, AsDatabase: asDatabase("emprestored11"),
			},
		},
		{
			File: "restore-postgres-database-archive", About: "empdb11, from archive", Key: "restore-empdb11-archive", Deadline: "P4D", Labels: team("databases"),
			Parameters: RestorePostgres{
				BackupInstanceID: exampleInstance, RecoveryPoint: RecoveryPoint{ID: exampleArchivePoint},
				Tier: tierArchive, Rehydration: &Rehydration{Priority: dataprotection.PriorityStandard, Retention: "P15D"}, AsDatabase: asDatabase("emprestored21"),
			},
		},
	}
}
