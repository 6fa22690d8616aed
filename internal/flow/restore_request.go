package flow

import (
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// ability describes which restores a type of datasource supports.
type ability struct {
	datasourceType string
	// name is for the documentation.
	name              string
	database, archive bool
	reason            string
}

// abilities returns the restores that each datasource supports. Source: the
// support matrix of Azure Database for PostgreSQL backup on learn.microsoft.com.
func abilities() []ability {
	return []ability{
		{
			datasourceType: kinds.DatasourceFlexibleServer, name: "flexible server",
			reason: "a flexible server is restored as files, from the vault tier",
		},
		{
			datasourceType: kinds.DatasourceDatabase, name: "database of a single server (retired; its backups remain)",
			database: true, archive: true,
		},
	}
}

// abilityTable returns the abilities as a Markdown table.
func abilityTable() string {
	var b strings.Builder
	b.WriteString("| datasource | as database | as files | vault tier | archive tier |\n|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, can := range abilities() {
		fmt.Fprintf(&b, "| %s | %s | yes | yes | %s |\n", can.name, yes[can.database], yes[can.archive])
	}
	return b.String()
}

// possible returns why the datasource does not support the restore; nil if it
// does.
func (p RestorePostgres) possible(datasourceType string) *operation.Error {
	all := abilities()
	i := slices.IndexFunc(all, func(a ability) bool { return strings.EqualFold(a.datasourceType, datasourceType) })
	if i < 0 {
		return fatal("DatasourceNotSupported", fmt.Sprintf("the instance backs up a %s, which is not PostgreSQL", datasourceType),
			"Restore it with `az dataprotection backup-instance restore`, or in the portal. Follow its job with the flow "+trackJobFlow+".")
	}
	can := all[i]
	switch {
	case p.AsDatabase != nil && !can.database:
		return fatal("RestoreNotPossible", "parameters.asDatabase: "+can.reason, "Restore as files (parameters.asFiles), then load the files with pg_restore.")
	case p.Tier == tierArchive && !can.archive:
		return fatal("RestoreNotPossible", "parameters.tier: "+can.reason, "Restore from the vault tier.")
	}
	return nil
}

// store returns the type of data store of the tier.
func (p RestorePostgres) store() string {
	if p.Tier == tierArchive {
		return dataprotection.StoreArchive
	}
	return dataprotection.StoreVault
}

// request returns the body of the restore and of its validation.
func (p RestorePostgres) request(c step.Call) (dataprotection.RestoreRequest, error) {
	known := c.Operation.Learned
	r := dataprotection.RestoreRequest{
		RecoveryPointID: known[learnedRecoveryPoint], SourceDataStoreType: p.store(), RestoreLocation: p.Location,
	}
	if r.RestoreLocation == "" {
		r.RestoreLocation = known[learnedLocation]
	}
	if p.Rehydration != nil {
		r.Rehydration = &dataprotection.Rehydration{Priority: p.Rehydration.Priority, RetentionDuration: p.Rehydration.Retention}
	}
	if p.AsFiles != nil {
		r.Files = &dataprotection.FilesTarget{URL: p.AsFiles.ContainerURL, FilePrefix: p.AsFiles.Prefix, TargetResourceID: p.AsFiles.ContainerID}
		return r, nil
	}
	kind, _ := kinds.Find(kinds.All(), kinds.DatasourceDatabase)
	datasource, set, err := dataprotection.Describe(kind, strings.TrimRight(p.AsDatabase.ServerID, "/")+"/databases/"+p.AsDatabase.Database, r.RestoreLocation)
	if err != nil {
		return r, unreadable(err)
	}
	r.Database = &dataprotection.DatabaseTarget{Datasource: datasource, DatasourceSet: set, SecretURI: p.AsDatabase.CredentialsSecretURI}
	return r, nil
}
