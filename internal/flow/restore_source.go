package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// restorable is implemented by the parameters of the flows that restore a
// datasource of a Backup vault.
type restorable interface{ restoration() restoration }

// restoration is a request to restore a datasource.
type restoration struct {
	instanceID string
	// types are the datasourceTypes that the flow restores.
	types []string
	point RecoveryPoint
	// byTime means that a continuous backup is restored to a time; pointInTime is
	// nil for the newest that fits point.
	byTime      bool
	pointInTime *time.Time
	tier        string
	// target is the kind of the target; targetID its resource ID, or the URL of a
	// container. items means that parts are selected.
	target      kinds.TargetKind
	targetID    string
	items       bool
	rehydration *Rehydration
	location    string
	identityID  string
	// version is the api-version that the request needs; empty means that of the
	// datasource.
	version string
	// files or database is the target of a server's backup.
	files    *AsFiles
	database *AsDatabase
	// ranges, paths or cluster select parts of a resource.
	ranges  []dataprotection.BlobRange
	paths   []dataprotection.BlobPath
	cluster *dataprotection.ClusterRestore
}

// tiers are the data stores by the names that requests use.
func tiers() map[string]string {
	return map[string]string{
		tierVault: dataprotection.StoreVault, tierArchive: dataprotection.StoreArchive, tierOperational: dataprotection.StoreOperational,
	}
}

// store returns the type of data store of the tier.
func (p restoration) store() string { return tiers()[p.tier] }

// possible returns the way to restore the datasource, or why there is none.
func (a azure) possible(p restoration, i dataprotection.Instance) (kinds.Restore, *operation.Error) {
	entry, known := a.kind(i.DatasourceType)
	if !known || !slices.ContainsFunc(p.types, func(t string) bool { return strings.EqualFold(t, i.DatasourceType) }) {
		return kinds.Restore{}, fatal("DatasourceNotSupported", fmt.Sprintf("the instance backs up a %s, which this flow does not restore", kinds.NameOf(i.DatasourceType)),
			"Restore it with the flow for its type, or with `az dataprotection backup-instance restore`. Follow such a restore's job with the flow "+trackJobFlow+".")
	}
	way, ok := entry.Restorable(p.store(), p.target, p.items)
	switch {
	case !ok:
		return way, fatal("RestoreNotPossible", fmt.Sprintf("a %s cannot be restored %s from the %s tier", entry.Name, intoTarget(p), p.tier), "Request one of these: "+waysOf(entry)+".")
	case way.InPlace && !sameASCII(strings.TrimRight(p.targetID, "/"), strings.TrimRight(i.DatasourceID, "/")):
		return way, fatal("RestoreNotPossible", fmt.Sprintf("a continuous backup is restored in place: into %s, not into %s", i.DatasourceID, p.targetID),
			"Name the account that is backed up as the target, or restore a vaulted backup.")
	}
	return way, nil
}

// intoTarget describes the target of a restore.
func intoTarget(p restoration) string {
	if p.items {
		return "in parts into a " + string(p.target)
	}
	return "into a " + string(p.target)
}

// waysOf lists the ways to restore a kind of datasource.
func waysOf(k kinds.Kind) string {
	var all []string
	for _, r := range k.Restores {
		way := "into a " + string(r.Target) + " from the " + tierOf(r.Store) + " tier"
		if r.Criteria != "" {
			way += ", in parts"
		}
		all = append(all, way)
	}
	return strings.Join(all, "; ")
}

func tierOf(store string) string {
	for tier, of := range tiers() {
		if of == store {
			return tier
		}
	}
	return store
}

// wayTable returns the ways to restore kinds of datasources as a Markdown table.
func wayTable(entries ...kinds.Kind) string {
	var b strings.Builder
	b.WriteString("| datasource | tier | target |\n|---|---|---|\n")
	for _, k := range entries {
		for _, r := range k.Restores {
			target := string(r.Target)
			if r.InPlace {
				target += ", in place"
			}
			if r.Criteria != "" {
				target += ", in parts"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", k.Name, tierOf(r.Store), target)
		}
	}
	return b.String()
}

// request returns the body of the restore and of its validation.
func (a azure) restoreRequest(c step.Call, p restoration) (dataprotection.RestoreRequest, error) {
	known := c.Operation.Learned
	r := dataprotection.RestoreRequest{
		RecoveryPointID: known[learnedRecoveryPoint], SourceDataStoreType: p.store(), RestoreLocation: p.location, UserAssignedIdentityID: p.identityID,
	}
	if p.byTime {
		at, err := time.Parse(time.RFC3339, known[learnedRecoveryPointTime])
		if err != nil {
			return r, unreadable(err)
		}
		r.PointInTime = at
	}
	if r.RestoreLocation == "" {
		r.RestoreLocation = known[learnedLocation]
	}
	if p.rehydration != nil {
		r.Rehydration = p.rehydration.options()
	}
	if p.files != nil {
		r.Files = &dataprotection.FilesTarget{URL: p.files.ContainerURL, FilePrefix: p.files.Prefix, TargetResourceID: p.files.ContainerID}
		return r, nil
	}
	entry, _ := a.kind(known[learnedDatasourceType])
	datasource, set, err := dataprotection.Describe(entry, p.targetID, r.RestoreLocation)
	if err != nil {
		return r, unreadable(err)
	}
	if p.database != nil {
		r.Database = &dataprotection.DatabaseTarget{Datasource: datasource, DatasourceSet: set, SecretURI: p.database.CredentialsSecretURI}
		return r, nil
	}
	r.Resource = &dataprotection.ResourceTarget{Datasource: datasource, DatasourceSet: set, Ranges: p.ranges, Paths: p.paths, Cluster: p.cluster}
	return r, nil
}

// restoring returns the client of a restore.
func (a azure) restoring(c step.Call, p restoration) *dataprotection.Client {
	if p.version != "" {
		return a.dataProtection(c).At(p.version)
	}
	return a.dataProtection(c)
}

// restoreSteps returns the steps that restore a datasource of a Backup vault.
// allowed reports whether an operator allows the target.
func restoreSteps[P restorable](a azure, allowed func(Guardrails, P) bool, calls ...string) []step.Step {
	of := func(f func(context.Context, step.Call, restoration, dataprotection.InstanceID) (operation.Outcome, error)) run {
		return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			_, p, id, err := restoreParameters[P](c)
			if err != nil {
				return operation.Outcome{}, err
			}
			return f(ctx, c, p, id)
		}
	}
	return append([]step.Step{
		{
			Name: "read-instance", Effect: step.Read, Run: of(a.readRestored), Calls: []string{"BackupInstances_Get", "DeletedBackupInstances_Get"},
			Asks: "reads the backup instance", Then: "a restore that its datasource does not support is rejected",
		},
		{
			Name: "pick-recovery-point", Effect: step.Read, Run: of(a.pickRecoveryPoint), Calls: append([]string{"RecoveryPoints_Get", "RecoveryPoints_List"}, calls...),
			Asks: "reads or lists the recovery points", Then: "without a usable recovery point that fits, the operation fails. The operation keeps the ID, time and tier of the recovery point",
		},
		{
			Name: "validate-restore", Effect: step.Repeatable, Run: of(a.validateRestore), Calls: []string{"BackupInstances_ValidateForRestore"},
			Asks: "validates that the restore is possible",
		},
		a.awaitOperation("await-validation", operationWait{retry: "validate-restore", validates: true, what: validationOfRestore}),
	}, a.onceSteps(onceCall{
		start: "restore", again: "validate-restore", await: "await-restore", find: "find-restore-job", follow: "await-restore-job",
		what: "restore", ambiguous: "RestoreUnclear",
		// A restore job does not name its target in the list, so each is read.
		calls: []string{"BackupInstances_TriggerRestore"}, lists: []string{"Jobs_List", "Jobs_Get"},
		send: sendRestore(a, allowed), candidates: a.instanceJobs(dataprotection.CategoryRestore, toSameTarget[P](a)), job: a.instanceJob(instanceVault),
	})...)
}

// sendRestore returns the function that starts the restore. An operator may have
// revoked the permission since the request.
func sendRestore[P restorable](a azure, allowed func(Guardrails, P) bool) func(context.Context, step.Call) (lro.Submission, error) {
	return func(ctx context.Context, c step.Call) (lro.Submission, error) {
		parameters, p, id, err := restoreParameters[P](c)
		if err != nil {
			return lro.Submission{}, err
		}
		if !allowed(a.Guardrails, parameters) {
			return lro.Submission{}, notAllowed("a restore to this target", settingTargets)
		}
		request, err := a.restoreRequest(c, p)
		if err != nil {
			return lro.Submission{}, err
		}
		return a.restoring(c, p).Restore(ctx, id, request, c.AttemptID)
	}
}

func restoreParameters[P restorable](c step.Call) (parameters P, p restoration, id dataprotection.InstanceID, err error) {
	if parameters, err = parametersOf[P](c); err != nil {
		return parameters, p, id, err
	}
	p = parameters.restoration()
	if id, err = dataprotection.ParseInstanceID(p.instanceID); err != nil {
		return parameters, p, id, unreadable(err)
	}
	return parameters, p, id, nil
}

// readRestored reads what was backed up, and rejects a restore that it does not
// support.
func (a azure) readRestored(ctx context.Context, c step.Call, p restoration, _ dataprotection.InstanceID) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.instanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedInstance(instance, treatInstance(instance).restore); err != nil {
		return operation.Outcome{}, err
	}
	if _, err := a.possible(p, instance); err != nil {
		return operation.Outcome{}, err
	}
	facts := factsOfInstance(instance)
	facts[learnedRestoreTarget] = p.targetID
	return learn(next(instance.FriendlyName+" is a "+kinds.NameOf(instance.DatasourceType)), facts), nil
}

func (a azure) validateRestore(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (operation.Outcome, error) {
	request, err := a.restoreRequest(c, p)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.restoring(c, p).ValidateRestore(ctx, id, request)
	return acceptedValidation(submitted, err, validationOfRestore, "Azure validates that the restore is possible")
}

// learnedRestoreTarget names the resource that a restore writes to.
const learnedRestoreTarget = "restoreTarget"

// validationOfRestore names the validation for people.
const validationOfRestore = "the validation of the restore"

// toSameTarget returns a function that reports whether a restore job writes to the
// target of this restore: only the target distinguishes two restores of one
// instance. Listed jobs do not contain their target, so each is read.
func toSameTarget[P restorable](a azure) func(context.Context, step.Call, dataprotection.Job) (match, error) {
	return func(ctx context.Context, c step.Call, listed dataprotection.Job) (match, error) {
		_, p, id, err := restoreParameters[P](c)
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
		return p.writtenBy(job), nil
	}
}

// writtenBy reports whether a job writes to the target of the restore. Only a new
// disk and the prefix of files belong to one restore; other targets may receive
// several.
func (p restoration) writtenBy(job dataprotection.Job) match {
	destination := strings.TrimRight(job.RecoveryDestination, "/")
	same := strings.EqualFold(destination, strings.TrimRight(p.targetID, "/"))
	switch {
	case destination == "":
		return ambiguousItem
	case p.database != nil:
		if strings.Contains(strings.ToLower(destination), strings.ToLower(p.database.Database)) {
			return ambiguousItem
		}
	case p.files != nil:
		if same && (job.RestoreFilePrefix == "" || job.RestoreFilePrefix == p.files.Prefix) {
			return sameItem
		}
	case same && p.target == kinds.TargetDisk:
		return sameItem
	case same:
		return ambiguousItem
	}
	return otherItem
}
