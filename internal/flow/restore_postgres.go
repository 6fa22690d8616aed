package flow

import (
	"context"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
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
			Steps:    a.restorePostgresSteps(),
		},
		Role:       roles.Delete,
		Parameters: restorePostgresParameters,
		Intro: "Restores a recovery point of a PostgreSQL backup instance, as a database or as files. A restore writes data to the target that " +
			"the request names, so it is off until an operator allows targets: the setting `AZBACKUPFLOW_RESTORE_TARGETS` lists the resource " +
			"IDs of servers and the URLs of blob containers, separated by commas.",
		Notes: "The datasource decides which restores are possible; others are rejected before anything starts (`RestoreNotPossible`):\n\n" + abilityTable() +
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

func (a azure) restorePostgresSteps() []step.Step {
	return append([]step.Step{
		{
			Name: "read-instance", Effect: step.Read, Run: forRestore(a.readRestored), Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
			Asks: "reads the backup instance", Then: "a restore that its datasource does not support is rejected",
		},
		{
			Name: "pick-recovery-point", Effect: step.Read, Run: forRestore(a.pickRecoveryPoint), Calls: []string{"RecoveryPoints_Get", "RecoveryPoints_List"},
			Asks: "reads or lists the recovery points", Then: "without a usable recovery point that fits, the operation fails. The operation keeps the ID, time and tier of the recovery point",
		},
		{
			Name: "validate-restore", Effect: step.Repeatable, Run: forRestore(a.validateRestore), Calls: []string{"BackupInstances_ValidateForRestore"},
			Asks: "validates that the restore is possible",
		},
		a.awaitOperation("await-validation", operationWait{retry: "validate-restore", validates: true, what: validationOfRestore}),
	}, a.onceSteps(onceCall{
		start: "restore", again: "validate-restore", await: "await-restore", find: "find-restore-job", follow: "await-restore-job",
		what: "restore", ambiguous: "RestoreUnclear",
		// A restore job does not name its target in the list, so each is read.
		calls: []string{"BackupInstances_TriggerRestore"}, lists: []string{"Jobs_List", "Jobs_Get"},
		send: a.restore, candidates: a.instanceJobs(dataprotection.CategoryRestore, a.toSameTarget), job: a.instanceJob(instanceVault),
	})...)
}

func (a azure) restore(ctx context.Context, c step.Call) (lro.Submission, error) {
	p, id, err := restoreParameters(c)
	if err != nil {
		return lro.Submission{}, err
	}
	if !p.allowed(a.Guardrails) {
		return lro.Submission{}, notAllowed("a restore to this target", settingTargets)
	}
	request, err := p.request(c)
	if err != nil {
		return lro.Submission{}, err
	}
	return a.dataProtection(c).Restore(ctx, id, request, c.AttemptID)
}

func restoreParameters(c step.Call) (p RestorePostgres, id dataprotection.InstanceID, err error) {
	if p, err = parametersOf[RestorePostgres](c); err != nil {
		return p, id, err
	}
	if id, err = dataprotection.ParseInstanceID(p.BackupInstanceID); err != nil {
		return p, id, unreadable(err)
	}
	return p, id, nil
}

// validationOfRestore names the validation for people.
const validationOfRestore = "the validation of the restore"

// forRestore passes a step the parameters that it works on.
func forRestore(f func(context.Context, step.Call, RestorePostgres, dataprotection.InstanceID) (operation.Outcome, error)) run {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		p, id, err := restoreParameters(c)
		if err != nil {
			return operation.Outcome{}, err
		}
		return f(ctx, c, p, id)
	}
}

// readRestored reads what was backed up, and rejects a restore that it does not
// support.
func (a azure) readRestored(ctx context.Context, c step.Call, p RestorePostgres, _ dataprotection.InstanceID) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedInstance(instance, treatInstance(instance).restore); err != nil {
		return operation.Outcome{}, err
	}
	if err := p.possible(instance.DatasourceType); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is a "+instance.DatasourceType), factsOfInstance(instance)), nil
}

func (a azure) validateRestore(ctx context.Context, c step.Call, p RestorePostgres, id dataprotection.InstanceID) (operation.Outcome, error) {
	request, err := p.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).ValidateRestore(ctx, id, request)
	return acceptedValidation(submitted, err, validationOfRestore, "Azure validates that the restore is possible")
}

// toSameTarget reports whether a restore job writes to the target of this restore:
// only the target distinguishes two restores of one instance. Listed jobs do not
// contain their target, so each is read.
func (a azure) toSameTarget(ctx context.Context, c step.Call, listed dataprotection.Job) (match, error) {
	p, id, err := restoreParameters(c)
	if err != nil {
		return otherItem, err
	}
	if carries(listed.ActivityID, startAttempt(c)) {
		return sameItem, nil
	}
	job, err := a.dataProtection(c).GetJob(ctx, id.Vault, listed.Name)
	if err != nil {
		return otherItem, err
	}
	destination := strings.TrimRight(job.RecoveryDestination, "/")
	switch {
	case destination == "":
		return ambiguousItem, nil
	case p.AsFiles == nil:
		if strings.Contains(strings.ToLower(destination), strings.ToLower(p.AsDatabase.Database)) {
			return ambiguousItem, nil
		}
	case strings.EqualFold(destination, strings.TrimRight(p.AsFiles.ContainerURL, "/")):
		if job.RestoreFilePrefix == "" || job.RestoreFilePrefix == p.AsFiles.Prefix {
			return sameItem, nil
		}
	}
	return otherItem, nil
}
