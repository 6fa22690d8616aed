package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sosodev/duration"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// RestorePostgres asks for a recovery point of a PostgreSQL backup instance to
// be restored, as a database or as files.
// Source: learn.microsoft.com, "Restore PostgreSQL databases by using REST API".
type RestorePostgres struct {
	BackupInstanceID string        `json:"backupInstanceId"`
	RecoveryPoint    RecoveryPoint `json:"recoveryPoint"`
	// Tier is vault (the default) or archive.
	Tier string `json:"tier,omitempty"`
	// Rehydration is needed for the archive tier, and only for it.
	Rehydration *Rehydration `json:"rehydration,omitempty"`
	// AsDatabase or AsFiles is the target; it must be one that the setting
	// AZBACKUPFLOW_RESTORE_TARGETS allows. It may lie in another subscription.
	AsDatabase *AsDatabase `json:"asDatabase,omitempty"`
	AsFiles    *AsFiles    `json:"asFiles,omitempty"`
	// Location is the target's region; without one it is the datasource's.
	Location string `json:"location,omitempty"`
}

// RecoveryPoint says which one to restore: exactly one field is given.
type RecoveryPoint struct {
	ID string `json:"id,omitempty"`
	// Latest takes the newest one, LatestBefore the newest one that is not
	// younger than a time.
	Latest       bool       `json:"latest,omitempty"`
	LatestBefore *time.Time `json:"latestBefore,omitempty"`
}

// Rehydration is how a recovery point comes back from the archive.
type Rehydration struct {
	// Priority is Standard or High.
	Priority string `json:"priority"`
	// Retention is how long it stays in the vault tier, such as P15D.
	Retention string `json:"retention"`
}

// AsDatabase is a database that the restore makes.
type AsDatabase struct {
	ServerID string `json:"serverId"`
	Database string `json:"database"`
	// CredentialsSecretURI is the Key Vault secret with the server's
	// credentials; azbackupflow never reads it.
	CredentialsSecretURI string `json:"credentialsSecretUri"`
}

// AsFiles is a blob container that the restore writes files to.
type AsFiles struct {
	ContainerURL string `json:"containerUrl"`
	// Prefix is what the files' names begin with.
	Prefix string `json:"prefix"`
	// ContainerID is the container's resource id, where the vault needs it.
	ContainerID string `json:"containerId,omitempty"`
}

const (
	tierVault   = "vault"
	tierArchive = "archive"
)

func (a azure) checkRestorePostgres(raw json.RawMessage) (json.RawMessage, error) {
	var p RestorePostgres
	if err := step.Decode(raw, &p, "parameters"); err != nil {
		return nil, err
	}
	var c checks
	c.instance("backupInstanceId", p.BackupInstanceID)
	c.recoveryPoint(p.RecoveryPoint)
	if p.Tier == "" {
		p.Tier = tierVault
	}
	c.tier(p.Tier, p.Rehydration)
	switch {
	case (p.AsDatabase == nil) == (p.AsFiles == nil):
		c.add("asDatabase", "and asFiles are both given or both missing", "exactly one of them")
	case p.AsFiles != nil:
		c.container("asFiles.containerUrl", p.AsFiles.ContainerURL, a.Guardrails)
		c.sameContainer("asFiles.containerId", p.AsFiles.ContainerID, p.AsFiles.ContainerURL)
		if p.AsFiles.Prefix == "" {
			c.add("asFiles.prefix", "is missing", "what the files' names begin with")
		}
	default:
		c.database(*p.AsDatabase, a.Guardrails)
	}
	return c.done(p)
}

func (c *checks) recoveryPoint(r RecoveryPoint) {
	given := 0
	for _, is := range []bool{r.ID != "", r.Latest, r.LatestBefore != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.add("recoveryPoint", fmt.Sprintf("has %d of id, latest and latestBefore", given), "exactly one of them")
	}
}

func (c *checks) tier(tier string, r *Rehydration) {
	switch {
	case tier != tierVault && tier != tierArchive:
		c.add("tier", fmt.Sprintf("%q is not a tier", tier), "vault or archive")
	case tier == tierVault && r != nil:
		c.add("rehydration", "is given for the vault tier", "nothing: only the archive tier is rehydrated")
	case tier == tierArchive && r == nil:
		c.add("rehydration", "is missing for the archive tier", `such as {"priority":"Standard","retention":"P15D"}`)
	case r != nil:
		if r.Priority != dataprotection.PriorityStandard && r.Priority != dataprotection.PriorityHigh {
			c.add("rehydration.priority", fmt.Sprintf("%q is not a priority", r.Priority), "Standard or High")
		}
		if d, err := duration.Parse(r.Retention); err != nil || !retention.MatchString(r.Retention) || d.ToTimeDuration() < 24*time.Hour {
			c.add("rehydration.retention", fmt.Sprintf("%q is not a number of days", r.Retention), "an ISO 8601 duration of days, such as P15D")
		}
	}
}

// retention is an ISO 8601 duration; the parser takes more.
var retention = regexp.MustCompile(`^P(\d+(\.\d+)?[YMWD])*(T(\d+(\.\d+)?[HMS])+)?$`) //nolint:gochecknoglobals // a compiled constant

func (c *checks) database(d AsDatabase, guardrails Guardrails) {
	c.server("asDatabase.serverId", d.ServerID, "Microsoft.DBforPostgreSQL/servers", dataprotection.DatasourceFlexibleServer)
	if d.ServerID != "" && !guardrails.allowsServer(d.ServerID) {
		c.add("asDatabase.serverId", d.ServerID+" is not a server that restores may write to", wantTargets)
	}
	if d.Database == "" || strings.ContainsAny(d.Database, "/?#%\\") {
		c.add("asDatabase.database", fmt.Sprintf("%q is not a database's name", d.Database), "the name of a database that does not exist yet")
	}
	if !isSecretURI(d.CredentialsSecretURI) {
		c.add("asDatabase.credentialsSecretUri", "is not the URI of a Key Vault secret", "https://{vault}.vault.azure.net/secrets/{name}")
	}
}

// keyVaults are the domains of Key Vault in the public cloud, US Government and
// China. Azure reads the secret, so no other host may be named.
var keyVaults = []string{".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn"} //nolint:gochecknoglobals // a constant

func isSecretURI(text string) bool {
	secret, err := url.Parse(text)
	return err == nil && secret.Scheme == "https" && secret.User == nil && secret.RawQuery == "" && secret.Fragment == "" && secret.Port() == "" &&
		strings.HasPrefix(secret.Path, "/secrets/") &&
		slices.ContainsFunc(keyVaults, func(domain string) bool { return strings.HasSuffix(strings.ToLower(secret.Hostname()), domain) })
}

// allowed reports whether the restore may still write where it was checked to
// write to when it was asked for.
func (p RestorePostgres) allowed(guardrails Guardrails) bool {
	if p.AsDatabase != nil {
		return guardrails.allowsServer(p.AsDatabase.ServerID)
	}
	container, err := url.Parse(p.AsFiles.ContainerURL)
	return err == nil && guardrails.allowsContainer(container)
}

func (a azure) restorePostgres() step.Flow {
	return step.Flow{
		Name: "restore-postgres", Version: 1,
		Summary:  "restore a PostgreSQL backup as a database or as files, from the vault or archive tier, to the job's end",
		Guarded:  true,
		Deadline: 4 * 24 * time.Hour,
		Priority: operation.PriorityRestore,
		Check:    a.checkRestorePostgres,
		Steps: append([]step.Step{
			{Name: "read-instance", Effect: step.Read, Run: forRestore(a.readRestored)},
			{Name: "pick-recovery-point", Effect: step.Read, Run: forRestore(a.pickRecoveryPoint)},
			{Name: "validate-restore", Effect: step.Repeatable, Run: forRestore(a.validateRestore)},
			a.awaitOperation("await-validation", awaited{retry: "validate-restore", onlyAsks: true, what: "the validation of the restore"}),
		}, a.onceSteps(started{
			start: "restore", await: "await-restore", find: "find-restore-job", follow: "await-restore-job",
			what: "restore", code: "RestoreUnclear",
			ask: func(ctx context.Context, c step.Call) (lro.Submission, error) {
				p, id, err := restoreParameters(c)
				if err != nil {
					return lro.Submission{}, err
				}
				if !p.allowed(a.Guardrails) {
					return lro.Submission{}, withdrawn("a restore to this target", settingTargets)
				}
				request, err := p.request(c)
				if err != nil {
					return lro.Submission{}, err
				}
				return a.dataProtection(c).Restore(ctx, id, request, c.AttemptID)
			},
			candidates: a.instanceJobs(dataprotection.CategoryRestore, a.toSameTarget),
			read:       a.instanceJob,
		})...),
	}
}

func restoreParameters(c step.Call) (p RestorePostgres, id dataprotection.InstanceID, err error) {
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return p, id, fatal("ParametersUnreadable", err.Error())
	}
	id, err = dataprotection.ParseInstanceID(p.BackupInstanceID)
	if err != nil {
		return p, id, fatal("ParametersUnreadable", err.Error())
	}
	return p, id, nil
}

func forRestore(run func(context.Context, step.Call, RestorePostgres, dataprotection.InstanceID) (operation.Outcome, error)) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		p, id, err := restoreParameters(c)
		if err != nil {
			return operation.Outcome{}, err
		}
		return run(ctx, c, p, id)
	}
}

// readRestored reads what was backed up, and refuses what it cannot do.
func (a azure) readRestored(ctx context.Context, c step.Call, p RestorePostgres, _ dataprotection.InstanceID) (operation.Outcome, error) {
	instance, err := a.readInstance(ctx, c, p.BackupInstanceID)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := p.possible(instance.DatasourceType); err != nil {
		return operation.Outcome{}, err
	}
	return learn(next(instance.FriendlyName+" is a "+instance.DatasourceType), factsOfInstance(instance)), nil
}

const learnedRecoveryPoint = "recoveryPointId"

// pickRecoveryPoint finds the recovery point that was asked for, in the tier
// that was asked for.
func (a azure) pickRecoveryPoint(ctx context.Context, c step.Call, p RestorePostgres, id dataprotection.InstanceID) (operation.Outcome, error) {
	var points []dataprotection.RecoveryPoint
	if p.RecoveryPoint.ID != "" {
		point, err := a.dataProtection(c).GetRecoveryPoint(ctx, id, p.RecoveryPoint.ID)
		if isNotFound(err) {
			return operation.Outcome{}, noRecoveryPoint(p, "the instance has no recovery point "+p.RecoveryPoint.ID)
		}
		if err != nil {
			return operation.Outcome{}, err
		}
		points = append(points, point)
	} else {
		var filter dataprotection.RecoveryPointFilter
		if before := p.RecoveryPoint.LatestBefore; before != nil {
			filter.End = *before
		}
		var err error
		if points, err = a.dataProtection(c).ListRecoveryPoints(ctx, id, filter); err != nil {
			return operation.Outcome{}, err
		}
	}
	var picked dataprotection.RecoveryPoint
	for _, point := range points {
		tooYoung := p.RecoveryPoint.LatestBefore != nil && point.Time.After(*p.RecoveryPoint.LatestBefore)
		if _, there := point.In(p.store()); there && !tooYoung && (picked.RecoveryPointID == "" || point.Time.After(picked.Time)) {
			picked = point
		}
	}
	if picked.RecoveryPointID == "" {
		return operation.Outcome{}, noRecoveryPoint(p, fmt.Sprintf("none of %d recovery points is in the %s tier and old enough", len(points), p.Tier))
	}
	return learn(next(fmt.Sprintf("recovery point %s of %s", picked.RecoveryPointID, picked.Time.UTC().Format(time.RFC3339))),
		map[string]string{learnedRecoveryPoint: picked.RecoveryPointID}), nil
}

func noRecoveryPoint(p RestorePostgres, message string) *operation.Error {
	return fatal("NoRecoveryPoint", message, "List them: `az dataprotection recovery-point list`. Asked for was the "+p.Tier+" tier.")
}

func (a azure) validateRestore(ctx context.Context, c step.Call, p RestorePostgres, id dataprotection.InstanceID) (operation.Outcome, error) {
	request, err := p.request(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	submitted, err := a.dataProtection(c).ValidateRestore(ctx, id, request)
	if err != nil {
		return operation.Outcome{}, err
	}
	return accepted(submitted, "Azure checks whether the restore can be made"), nil
}

// toSameTarget says whether a restore job goes where this restore goes: two
// restores of one instance are told apart by that alone. Listed jobs do not say
// where they go, so each is read.
func (a azure) toSameTarget(ctx context.Context, c step.Call, listed dataprotection.Job) (match, error) {
	p, id, err := restoreParameters(c)
	if err != nil {
		return otherItem, err
	}
	if strings.EqualFold(listed.ActivityID, c.AttemptID) {
		return sameItem, nil
	}
	job, err := a.dataProtection(c).GetJob(ctx, id.Vault, listed.Name)
	if err != nil {
		return otherItem, err
	}
	destination := strings.TrimRight(job.RecoveryDestination, "/")
	switch {
	case destination == "":
		return doubtfulItem, nil
	case p.AsFiles == nil:
		if strings.Contains(strings.ToLower(destination), strings.ToLower(p.AsDatabase.Database)) {
			return doubtfulItem, nil
		}
	case strings.EqualFold(destination, strings.TrimRight(p.AsFiles.ContainerURL, "/")):
		if job.RestoreFilePrefix == "" || job.RestoreFilePrefix == p.AsFiles.Prefix {
			return sameItem, nil
		}
	}
	return otherItem, nil
}
