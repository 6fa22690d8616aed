package flow

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/schema"
)

// RestorePostgres restores a recovery point of a PostgreSQL backup instance, as a
// database or as files.
// Source: learn.microsoft.com, "Restore PostgreSQL databases by using REST API".
type RestorePostgres struct {
	BackupInstanceID string        `json:"backupInstanceId"`
	RecoveryPoint    RecoveryPoint `json:"recoveryPoint"`
	// Tier is vault (the default) or archive.
	Tier string `json:"tier,omitempty"`
	// Rehydration is required for the archive tier, and rejected for others.
	Rehydration *Rehydration `json:"rehydration,omitempty"`
	// AsDatabase or AsFiles is the target. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow it. It may be in another
	// subscription.
	AsDatabase *AsDatabase `json:"asDatabase,omitempty"`
	AsFiles    *AsFiles    `json:"asFiles,omitempty"`
	// Location is the target's region; empty means the datasource's.
	Location string `json:"location,omitempty"`
	// IdentityID is a user-assigned identity of the vault; empty means the vault's
	// system-assigned identity.
	IdentityID string `json:"identityId,omitempty"`
	// RetryFailedJob is how often a job that failed is started again. The default
	// is never: the end of the job is the end of the operation.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
}

func (p RestorePostgres) restoration() restoration {
	r := restoration{
		instanceID: p.BackupInstanceID, types: []string{kinds.DatasourceFlexibleServer, kinds.DatasourceDatabase}, point: p.RecoveryPoint,
		tier: p.Tier, rehydration: p.Rehydration, location: p.Location, identityID: p.IdentityID, files: p.AsFiles, database: p.AsDatabase,
	}
	if p.AsFiles != nil {
		r.target, r.targetID = kinds.TargetContainer, p.AsFiles.ContainerURL
		return r
	}
	r.target, r.targetID = kinds.TargetDatabase, strings.TrimRight(p.AsDatabase.ServerID, "/")+"/databases/"+p.AsDatabase.Database
	return r
}

// RecoveryPoint selects the recovery point: exactly one field is set.
type RecoveryPoint struct {
	// ID is an ID or a friendly name. It is restored whatever its state.
	ID string `json:"id,omitempty"`
	// Latest selects the newest usable one, LatestBefore the newest usable one
	// that is not younger than a time.
	Latest       bool       `json:"latest,omitempty"`
	LatestBefore *time.Time `json:"latestBefore,omitempty"`
}

// Rehydration describes how a recovery point is copied from the archive.
type Rehydration struct {
	// Priority is Standard or High.
	Priority string `json:"priority"`
	// Retention is how long the copy stays in the vault tier, such as P15D.
	Retention string `json:"retention"`
}

// options returns the rehydration of a restore. Azure takes ISO 8601 only.
func (r Rehydration) options() *dataprotection.Rehydration {
	retention, _ := duration.Parse(r.Retention) // checked at the start
	return &dataprotection.Rehydration{Priority: r.Priority, RetentionDuration: duration.ISO(retention)}
}

// AsDatabase is a database that the restore creates.
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
	// Prefix is the beginning of the files' names.
	Prefix string `json:"prefix"`
	// ContainerID is the container's resource ID, which restores across
	// subscriptions need.
	ContainerID string `json:"containerId,omitempty"`
}

const (
	tierVault   = "vault"
	tierArchive = "archive"
	// tierOperational is the tier of snapshots and of continuous backups.
	tierOperational = "operational"

	singleServerType = "Microsoft.DBforPostgreSQL/servers"
)

func restorePostgresParameters() schema.Parameters {
	keyVaultDomains := make([]string, len(keyVaults))
	for i, domain := range keyVaults {
		keyVaultDomains[i] = schema.Fold(domain)
	}
	secret := schema.Fold("https://") + `[0-9A-Za-z-]+(` + strings.Join(keyVaultDomains, "|") + `)` + keyVaultPath
	archive := schema.Is("tier", tierArchive)
	return schema.Parameters{
		Type: reflect.TypeFor[RestorePostgres](),
		Fields: restoreFields().With(recoveryPointFields()).With(asFilesFields()).With(schema.Fields{
			"tier":                  {Meaning: "`vault` (default) or `archive`", Rule: schema.Object{"enum": []string{tierVault, tierArchive}, "default": tierVault}},
			"rehydration":           {When: "archive tier only, and required there", Meaning: "an object: how the recovery point is copied from the archive"},
			"rehydration.priority":  rehydrationFields()["rehydration.priority"],
			"rehydration.retention": rehydrationFields()["rehydration.retention"],
			"asDatabase":            {When: "this or `asFiles`", Meaning: "an object: restore as a database that does not exist yet"},
			"asDatabase.serverId": {
				Required: true, Meaning: "resource ID of the target, a single server that is an allowed restore target. It may be in another subscription. To move to a flexible server, restore as files and load them with pg_restore",
				Rule: serverRule(singleServerType),
			},
			"asDatabase.database": {Required: true, Meaning: "name of a database that does not exist yet, without `/`, `\\`, `?`, `#`, `%` and `..`", Rule: restoreNameRule(maxDatabaseName)},
			"asDatabase.credentialsSecretUri": {
				Required: true, Rule: schema.Matches(secret),
				Meaning: "URI of the Key Vault secret with the server's credentials. The vault's identity reads it; azbackupflow never does",
			},
			"asFiles": {When: "this or `asDatabase`", Meaning: "an object: restore as files"},
		}),
		Rules: schema.Object{
			"oneOf": schema.Each("asDatabase", "asFiles"),
			"if":    archive, "then": schema.Given("rehydration"), "else": schema.Missing("rehydration"),
		},
	}
}

func (a azure) checkRestorePostgres(c *checks, p *RestorePostgres) {
	c.instance("backupInstanceId", p.BackupInstanceID)
	c.recoveryPoint(p.RecoveryPoint)
	c.retryFailedJob(p.RetryFailedJob)
	c.identity("identityId", p.IdentityID)
	if p.Tier == "" {
		p.Tier = tierVault
	}
	c.tier(p.Tier, p.Rehydration)
	switch {
	case (p.AsDatabase == nil) == (p.AsFiles == nil):
		c.add("asDatabase", "and asFiles are both set or both missing", "exactly one of them")
	case p.AsFiles != nil:
		c.asFiles(*p.AsFiles, a.Guardrails)
	default:
		c.database(*p.AsDatabase, a.Guardrails)
	}
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
		c.add("rehydration", "is set for the vault tier", "no rehydration: only the archive tier has one")
	case tier == tierArchive && r == nil:
		c.add("rehydration", "is missing for the archive tier", `such as {"priority":"Standard","retention":"P15D"}`)
	}
	c.rehydration(r)
}

// rehydration checks how a recovery point is copied from the archive.
func (c *checks) rehydration(r *Rehydration) {
	if r == nil {
		return
	}
	if r.Priority != dataprotection.PriorityStandard && r.Priority != dataprotection.PriorityHigh {
		c.add("rehydration.priority", fmt.Sprintf("%q is not a priority", r.Priority), "Standard or High")
	}
	if d, ok := duration.Parse(r.Retention); !ok || d < 24*time.Hour {
		c.add("rehydration.retention", fmt.Sprintf("%q is not a number of days", r.Retention), "a duration of at least one day, such as 15d or P15D")
	}
}

func (c *checks) database(d AsDatabase, guardrails Guardrails) {
	c.server("asDatabase.serverId", d.ServerID, singleServerType)
	if d.ServerID != "" && !guardrails.allowsServer(d.ServerID) {
		c.add("asDatabase.serverId", d.ServerID+" is not an allowed restore target", wantTargets)
	}
	c.restoreName("asDatabase.database", d.Database, "the name of a database that does not exist yet", maxDatabaseName)
	if !isSecretURI(d.CredentialsSecretURI) {
		c.add("asDatabase.credentialsSecretUri", "is not the URI of a Key Vault secret", "https://{vault}.vault.azure.net/secrets/{name}")
	}
}

// allowsPostgres reports whether the restore may write to its target.
func allowsPostgres(guardrails Guardrails, p RestorePostgres) bool {
	if p.AsDatabase != nil {
		return guardrails.allowsServer(p.AsDatabase.ServerID)
	}
	container, err := url.Parse(p.AsFiles.ContainerURL)
	return err == nil && guardrails.allowsContainer(container)
}
